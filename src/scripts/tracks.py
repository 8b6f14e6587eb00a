from castsearch.files import read_table, write_table
from castsearch.film.shots import read_shots
from castsearch.film.tracks import track_table
from castsearch.workflow.logs import logging_to

with logging_to(snakemake.log[0]):
    params, inputs = snakemake.params, snakemake.input
    parts = [read_table(path) for path in inputs.persons]
    write_table(snakemake.output[0], track_table(parts, read_shots(inputs.shots), params.gap, params.boxes))
