from castsearch.faces.mxnet.verifying import check_errors, largest_errors
from castsearch.files import write_text
from castsearch.workflow.logs import logging_to

with logging_to(snakemake.log[0]):
    symbol, params, onnx = snakemake.input
    errors = largest_errors(snakemake.params.python, symbol, params, onnx, snakemake.params.shapes)
    rows = "".join(f"{output}\t{error:.3g}\n" for output, error in errors.items())
    print(rows)
    check_errors(params, errors)
    write_text(snakemake.output[0], f"output\tlargest_relative_error\n{rows}")
