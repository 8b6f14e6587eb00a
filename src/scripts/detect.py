from castsearch.data.crop_parts import read_parts
from castsearch.faces import engines
from castsearch.faces.detection import detect_table
from castsearch.files import write_table
from castsearch.workflow.devices import claimed_gpus
from castsearch.workflow.logs import logging_to

with logging_to(snakemake.log[0]), claimed_gpus(snakemake.params.gpus):
    engine = engines.load(snakemake.wildcards.engine).make(snakemake.params.options, snakemake.threads)
    write_table(snakemake.output[0], detect_table(read_parts(snakemake.input.crops), engine))
