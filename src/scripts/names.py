from castsearch.data.name_tables import write_names
from castsearch.search.naming import name_group
from castsearch.workflow.logs import logging_to

with logging_to(snakemake.log[0]):
    params, inputs = snakemake.params, snakemake.input
    write_names(snakemake.output[0], name_group(inputs.crops, inputs.rankings, params.variant, params.min_confidence))
