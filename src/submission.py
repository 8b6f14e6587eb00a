from castsearch import results, submission
from castsearch.logs import logging_to

with logging_to(snakemake.log[0]):
    rankings = results.read_rankings(snakemake.input, snakemake.params.variant)
    submission.write_submission(snakemake.output[0], rankings)
