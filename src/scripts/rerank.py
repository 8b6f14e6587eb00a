from castsearch import files
from castsearch.search import stages
from castsearch.workflow.devices import claimed_gpus
from castsearch.workflow.logs import logging_to

with logging_to(snakemake.log[0]), claimed_gpus(snakemake.resources.get("gpu", 0)):
    inputs = snakemake.input
    faces = stages.shares(snakemake.params.engines, inputs.faces)
    bodies = stages.shares(snakemake.params.networks, inputs.bodies)
    movie = stages.load_movies(inputs.crops, faces, bodies)
    arrays = stages.rerank(movie, snakemake.params.variants, snakemake.params.face, snakemake.params.body)
    files.write_arrays(snakemake.output[0], **arrays)
