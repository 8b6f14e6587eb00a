from dataclasses import replace

from castsearch.faces import engines
from castsearch.faces.embedding import embed_table
from castsearch.files import write_table
from castsearch.workflow.devices import claimed_gpus
from castsearch.workflow.logs import logging_to

with logging_to(snakemake.log[0]), claimed_gpus(snakemake.params.gpus):
    engine = engines.load(snakemake.wildcards.engine).make(snakemake.params.options, snakemake.threads)
    selection = replace(engine.selection, **snakemake.params.selection)
    write_table(snakemake.output[0], embed_table(snakemake.input.crops, snakemake.input.detections, engine, selection))
