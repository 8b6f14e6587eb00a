from castsearch.data.rankings import each_ranking
from castsearch.data.submission import write_submission
from castsearch.workflow.logs import logging_to

with logging_to(snakemake.log[0]):
    write_submission(snakemake.output[0], each_ranking(snakemake.input, snakemake.params.variant))
