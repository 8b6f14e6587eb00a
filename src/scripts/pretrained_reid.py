from pathlib import Path

from castsearch.reid.networks import build_pretrained, save_weights
from castsearch.reid.weights import imagenet_file
from castsearch.workflow.logs import logging_to

with logging_to(snakemake.log[0]):
    params = snakemake.params
    [named] = snakemake.input or ["packaged"]
    save_weights(build_pretrained(params.backbone, imagenet_file(named)), Path(snakemake.output[0]))
