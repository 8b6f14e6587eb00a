from castsearch import files, search
from castsearch.logs import logging_to

with logging_to(snakemake.log[0]):
    bodies = dict(zip(snakemake.params.networks, snakemake.input.bodies, strict=True))
    movie = search.load_movie(snakemake.input.crops, snakemake.input.faces, bodies)
    arrays = search.rerank(movie, snakemake.params.variants, snakemake.params.face, snakemake.params.body)
    files.write_arrays(snakemake.output[0], **arrays)
