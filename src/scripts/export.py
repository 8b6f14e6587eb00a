from castsearch.export.film_timeline import load_timeline
from castsearch.export.formats import write_formats
from castsearch.workflow.logs import logging_to

with logging_to(snakemake.log[0]):
    inputs, movie = snakemake.input, snakemake.wildcards.movie
    timeline = load_timeline(movie, inputs.video, inputs.appearances, inputs.tracks, inputs.followed)
    write_formats(snakemake.output[0], timeline, snakemake.params.formats)
