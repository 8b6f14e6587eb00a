from castsearch.files import read_table, write_table
from castsearch.film.crops import join_crops
from castsearch.workflow.logs import logging_to

with logging_to(snakemake.log[0]):
    params, movie = snakemake.params, snakemake.wildcards.movie
    portraits = {
        f"{movie}.{name}": path for name, path in zip(params.portraits, snakemake.input.portraits, strict=True)
    }
    parts = [read_table(path) for path in snakemake.input.parts]
    write_table(snakemake.output[0], join_crops(movie, portraits, parts, params.on_bad_image))
