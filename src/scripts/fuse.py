import numpy as np

from castsearch import files, hardware
from castsearch.data.corrections import Correction
from castsearch.data.crops import read_crops
from castsearch.search import fuse_stage, gallery, variant
from castsearch.search.facts import gather_facts
from castsearch.workflow.devices import claimed_gpus
from castsearch.workflow.logs import logging_to

with logging_to(snakemake.log[0]), claimed_gpus(snakemake.resources.get("gpu", 0)):
    inputs, params = snakemake.input, snakemake.params
    hardware.hand_back_large_arrays()
    faces = gallery.by_name(params.engines, inputs.faces)
    bodies = gallery.by_name(params.networks, inputs.bodies)
    searched = gallery.load_gallery(inputs.crops, faces, bodies, params.on_unclear)
    corrections = [Correction(*row) for row in params.corrections]
    facts = gather_facts(corrections, searched, [read_crops(path) for path in inputs.crops])
    with np.load(inputs.reranked) as reranked:
        tables = fuse_stage.rank_gallery(searched, reranked, variant.variants_from_json(params.variants), facts)
        files.write_tables(snakemake.output[0], tables)
