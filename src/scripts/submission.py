from castsearch.data import submission
from castsearch.evaluation import tables
from castsearch.workflow.logs import logging_to

with logging_to(snakemake.log[0]):
    rankings = tables.read_rankings(snakemake.input, snakemake.params.variant)
    submission.write_submission(snakemake.output[0], rankings)
