from pathlib import Path

from castsearch.reid.networks import load_weights, save_weights
from castsearch.workflow.logs import logging_to

with logging_to(snakemake.log[0]):
    params = snakemake.params
    save_weights(load_weights(Path(snakemake.input[0]), params.kind, params.backbone), Path(snakemake.output[0]))
