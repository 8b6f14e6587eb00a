from castsearch.film.shots import join_changes, read_changes, write_shots
from castsearch.workflow.logs import logging_to

with logging_to(snakemake.log[0]):
    parts = [read_changes(path) for path in snakemake.input]
    write_shots(snakemake.output[0], join_changes(parts, snakemake.params.shortest))
