from dataclasses import replace

from castsearch.data.crops import crops_of, read_crops
from castsearch.faces import engines
from castsearch.faces.embedding import add_portraits
from castsearch.files import read_table, write_table
from castsearch.workflow.devices import claimed_gpus
from castsearch.workflow.logs import logging_to

with logging_to(snakemake.log[0]), claimed_gpus(snakemake.params.gpus):
    inputs, params = snakemake.input, snakemake.params
    engine = engines.load(snakemake.wildcards.engine).make(params.options, snakemake.threads)
    selection = replace(engine.selection, **params.selection)
    people = read_crops(inputs.crops)
    portraits = crops_of(read_table(inputs.crops).slice(0, len(people.cast)))
    faces = add_portraits(people, portraits, read_table(inputs.boxes), engine, selection)
    write_table(snakemake.output[0], faces)
