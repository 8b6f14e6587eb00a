import numpy as np

from castsearch import files
from castsearch.search import stages
from castsearch.workflow.devices import claimed_gpus
from castsearch.workflow.logs import logging_to

with logging_to(snakemake.log[0]), claimed_gpus(snakemake.resources.get("gpu", 0)):
    inputs = snakemake.input
    faces = stages.shares(snakemake.params.engines, inputs.faces)
    bodies = stages.shares(snakemake.params.networks, inputs.bodies)
    movie = stages.load_movies(inputs.crops, faces, bodies)
    with np.load(inputs.reranked) as reranked:
        table = stages.fuse(
            movie,
            reranked,
            snakemake.params.variants,
            snakemake.params.thresholds,
            snakemake.params.reranked_threshold,
        )
    files.write_table(snakemake.output[0], table)
