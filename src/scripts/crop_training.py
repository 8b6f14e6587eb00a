from pathlib import Path

from castsearch.data.challenge import load_annotations
from castsearch.data.cutting import crop_movie
from castsearch.workflow.logs import logging_to

with logging_to(snakemake.log[0]):
    annotations = snakemake.input.annotations
    entries = load_annotations(annotations)
    for movie in snakemake.params.digests:
        crop_movie(
            Path(snakemake.output[0], f"{movie}.arrow"),
            snakemake.wildcards.split,
            movie,
            entries[movie],
            source=f"{annotations}: movie {movie}",
            images=snakemake.params.images or Path(snakemake.input.images[0]).parent,
            on_bad_image=snakemake.params.on_bad_image,
        )
