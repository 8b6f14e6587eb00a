from castsearch.data.challenge import load_annotations
from castsearch.data.crops import crop_movie
from castsearch.files import write_table
from castsearch.workflow.logs import logging_to

with logging_to(snakemake.log[0]):
    movie, annotations = snakemake.wildcards.movie, snakemake.input.annotations
    table = crop_movie(
        load_annotations(annotations)[movie],
        f"{annotations}: movie {movie}",
        snakemake.params.images,
        snakemake.params.on_bad_image,
    )
    write_table(snakemake.output[0], table)
