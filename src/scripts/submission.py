from castsearch.data.rankings import read_rankings
from castsearch.data.submission import write_submission
from castsearch.workflow.logs import logging_to

with logging_to(snakemake.log[0]):
    write_submission(snakemake.output[0], read_rankings(snakemake.input, snakemake.params.variant))
