from castsearch.film.detectors.torchvision import download
from castsearch.workflow.logs import logging_to

with logging_to(snakemake.log[0]):
    download(snakemake.wildcards.name, snakemake.output[0])
