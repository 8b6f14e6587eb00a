from castsearch.film.torchvision_weights import download_weights
from castsearch.workflow.logs import logging_to

with logging_to(snakemake.log[0]):
    download_weights(snakemake.wildcards.name, snakemake.output[0])
