from castsearch import files, search
from castsearch.devices import claimed_gpus
from castsearch.logs import logging_to

with logging_to(snakemake.log[0]), claimed_gpus(snakemake.resources.get("gpu", 0)):
    inputs = snakemake.input
    faces = search.shares(snakemake.params.engines, inputs.faces)
    bodies = search.shares(snakemake.params.networks, inputs.bodies)
    movie = search.load_movies(inputs.crops, faces, bodies)
    arrays = search.rerank(movie, snakemake.params.variants, snakemake.params.face, snakemake.params.body)
    files.write_arrays(snakemake.output[0], **arrays)
