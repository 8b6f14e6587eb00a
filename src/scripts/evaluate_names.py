from castsearch import files
from castsearch.evaluation import score_figures
from castsearch.evaluation.name_scores import score_names
from castsearch.tsv import write_tsv
from castsearch.workflow.logs import logging_to

with logging_to(snakemake.log[0]):
    params, inputs, output = snakemake.params, snakemake.input, snakemake.output
    names = list(zip(params.splits_of_names, inputs.names, strict=True))
    labels = dict(zip(params.splits, inputs.labels, strict=True))
    appearances = dict(zip(params.movies, inputs.appearances, strict=True))
    found = score_names(labels, inputs.crops, names, appearances, params.on_bad_image)
    write_tsv(output.scores, found.scores)
    write_tsv(output.reliability, found.reliability)
    files.write_text(output.figure, score_figures.reliability_curves(found.reliability))
