from castsearch.timeline import stage
from castsearch.workflow.logs import logging_to

with logging_to(snakemake.log[0]):
    params, inputs, output = snakemake.params, snakemake.input, snakemake.output
    films = stage.film_tables(params.films, inputs.tracks, inputs.followed, inputs.shots, params.steps)
    tables = stage.make_tables(zip(params.splits, inputs.names, inputs.groups, strict=True), params.movies, films)
    stage.write_tables(tables, output.appearances, output.screen_time, output.together, output.graph)
