from castsearch.faces.mxnet.verifying import check_errors, largest_errors, write_errors
from castsearch.workflow.logs import logging_to

with logging_to(snakemake.log[0]):
    symbol, params, onnx = snakemake.input
    errors = largest_errors(snakemake.params.python, symbol, params, onnx, snakemake.params.shapes)
    check_errors(params, errors)
    write_errors(snakemake.output[0], errors)
