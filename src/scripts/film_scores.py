from castsearch.evaluation.film_scores import score_films
from castsearch.tsv import write_tsv
from castsearch.workflow.logs import logging_to

with logging_to(snakemake.log[0]):
    inputs = snakemake.input
    scores = score_films(snakemake.params.parts, inputs.shots, inputs.persons, inputs.tracks, inputs.truths)
    write_tsv(snakemake.output[0], scores, decimals=4)
