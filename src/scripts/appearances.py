from castsearch.timeline import stage
from castsearch.workflow.logs import logging_to

with logging_to(snakemake.log[0]):
    params, inputs, output = snakemake.params, snakemake.input, snakemake.output
    names = list(zip(params.splits, inputs.names, inputs.groups, strict=True))
    films = {
        film: stage.FilmTables(*tables)
        for film, *tables in zip(params.films, inputs.tracks, inputs.shots, params.steps, strict=True)
    }
    tables = stage.make_tables(names, params.movies, films)
    stage.write_tables(tables, output.appearances, output.screen_time, output.together, output.graph)
