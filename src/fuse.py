import numpy as np

from castsearch import files, search
from castsearch.logs import logging_to

with logging_to(snakemake.log[0]):
    bodies = dict(zip(snakemake.params.networks, snakemake.input.bodies, strict=True))
    movie = search.load_movie(snakemake.input.crops, snakemake.input.faces, bodies)
    with np.load(snakemake.input.reranked) as reranked:
        table = search.fuse(
            movie,
            reranked,
            snakemake.params.variants,
            snakemake.params.thresholds,
            snakemake.params.reranked_threshold,
        )
    files.write_table(snakemake.output[0], table)
