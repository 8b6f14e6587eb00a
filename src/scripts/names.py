from castsearch.data.name_tables import write_names
from castsearch.search import gallery
from castsearch.search.groups import group_unknown
from castsearch.search.naming import name_group
from castsearch.tsv import write_tsv
from castsearch.workflow.devices import claimed_gpus
from castsearch.workflow.logs import logging_to

with logging_to(snakemake.log[0]), claimed_gpus(snakemake.resources.get("gpu", 0)):
    inputs, output, params = snakemake.input, snakemake.output, snakemake.params
    write_names(output.names, name_group(inputs.crops, inputs.rankings, params.variant, params.min_confidence))
    faces, bodies = {params.engine: inputs.faces}, gallery.by_name(params.networks, inputs.bodies)
    searched = gallery.load_gallery(inputs.crops, faces, bodies, params.on_unclear)
    groups, review = group_unknown(searched, params.engine, params.networks, inputs.crops, output.names)
    write_tsv(output.groups, groups)
    write_tsv(output.review, review)
