from castsearch.faces.mxnet.importing import import_checkpoint
from castsearch.workflow.logs import logging_to

with logging_to(snakemake.log[0]):
    symbol, params = snakemake.input
    import_checkpoint(symbol, params, snakemake.output[0], snakemake.params.size)
