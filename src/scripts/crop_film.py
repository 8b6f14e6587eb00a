from castsearch.files import read_table, write_table
from castsearch.film.track_crops import join_crops
from castsearch.workflow.logs import logging_to

with logging_to(snakemake.log[0]):
    params, movie = snakemake.params, snakemake.wildcards.movie
    parts = [read_table(path) for path in snakemake.input.parts]
    write_table(snakemake.output[0], join_crops(movie, params.cast, parts, params.on_bad_image))
