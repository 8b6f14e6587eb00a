from castsearch import files
from castsearch.search import gallery, rerank_stage, variant
from castsearch.workflow.devices import claimed_gpus
from castsearch.workflow.logs import logging_to

with logging_to(snakemake.log[0]), claimed_gpus(snakemake.resources.get("gpu", 0)):
    inputs, params = snakemake.input, snakemake.params
    faces = gallery.by_name(params.engines, inputs.faces)
    bodies = gallery.by_name(params.networks, inputs.bodies)
    wanted = variant.similarities_from_json(params.similarities)
    arrays = rerank_stage.rerank_gallery(gallery.load_gallery(inputs.crops, faces, bodies, params.on_unclear), wanted)
    files.write_arrays(snakemake.output[0], arrays)
