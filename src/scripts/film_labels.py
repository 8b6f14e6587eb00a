from castsearch.evaluation.film_truth import label_films
from castsearch.files import write_json
from castsearch.workflow.logs import logging_to

with logging_to(snakemake.log[0]):
    write_json(snakemake.output[0], label_films(snakemake.input.crops, snakemake.input.truths))
