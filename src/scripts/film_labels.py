from castsearch.evaluation.film_scores import label_candidates, read_truth
from castsearch.files import read_table, write_json
from castsearch.workflow.logs import logging_to

with logging_to(snakemake.log[0]):
    labels = {}
    for crops, truth in zip(snakemake.input.crops, snakemake.input.truths, strict=True):
        labels |= label_candidates(read_table(crops), read_truth(truth))
    write_json(snakemake.output[0], labels)
