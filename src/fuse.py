import numpy as np

from castsearch import files, search
from castsearch.devices import claimed_gpus
from castsearch.logs import logging_to

with logging_to(snakemake.log[0]), claimed_gpus(snakemake.resources.get("gpu", 0)):
    inputs = snakemake.input
    faces = search.shares(snakemake.params.engines, inputs.faces)
    bodies = search.shares(snakemake.params.networks, inputs.bodies)
    movie = search.load_movies(inputs.crops, faces, bodies)
    with np.load(inputs.reranked) as reranked:
        table = search.fuse(
            movie,
            reranked,
            snakemake.params.variants,
            snakemake.params.thresholds,
            snakemake.params.reranked_threshold,
        )
    files.write_table(snakemake.output[0], table)
