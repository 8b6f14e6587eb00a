from castsearch.faces.packs.download import download_pack
from castsearch.workflow.logs import logging_to

with logging_to(snakemake.log[0]):
    download_pack(snakemake.wildcards.pack, snakemake.output[0])
