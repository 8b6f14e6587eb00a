from pathlib import Path

from castsearch.data.challenge import load_annotations
from castsearch.data.cutting import crop_movie
from castsearch.workflow.logs import logging_to

with logging_to(snakemake.log[0]):
    split, movie = snakemake.wildcards.split, snakemake.wildcards.movie
    annotations = snakemake.input.annotations
    crop_movie(
        snakemake.output[0],
        split,
        movie,
        load_annotations(annotations)[movie],
        source=f"{annotations}: movie {movie}",
        images=snakemake.params.images or Path(snakemake.input.images).parent,
        on_bad_image=snakemake.params.on_bad_image,
    )
