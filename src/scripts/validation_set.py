from castsearch import files
from castsearch.data.challenge import load_labels
from castsearch.reid.labelled import collect_labelled
from castsearch.workflow.logs import logging_to

with logging_to(snakemake.log[0]):
    params, inputs = snakemake.params, snakemake.input
    labels = {split: load_labels(path) for split, path in zip(params.splits, inputs.labels, strict=True)}
    files.write_table(snakemake.output[0], collect_labelled(inputs.crops, labels))
