from dataclasses import replace

from castsearch.data.crop_parts import read_parts
from castsearch.faces import engines
from castsearch.faces.embedding import embed_table
from castsearch.files import read_table, write_table
from castsearch.workflow.devices import claimed_gpus
from castsearch.workflow.logs import logging_to

with logging_to(snakemake.log[0]), claimed_gpus(snakemake.params.gpus):
    inputs = snakemake.input
    engine = engines.load(snakemake.wildcards.engine).make(snakemake.params.options, snakemake.threads)
    selection = replace(engine.selection, **snakemake.params.selection)
    faces = embed_table(read_parts(inputs.crops), read_table(inputs.detections), engine, selection)
    write_table(snakemake.output[0], faces)
