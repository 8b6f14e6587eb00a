from castsearch.export.film_timeline import load_timeline
from castsearch.export.formats import write_formats
from castsearch.timeline.appearances import as_written
from castsearch.timeline.of_films import FilmTables, film_appearances, read_named
from castsearch.workflow.logs import logging_to

with logging_to(snakemake.log[0]):
    inputs, params, movie = snakemake.input, snakemake.params, snakemake.wildcards.movie
    named = read_named(inputs.names, inputs.groups)
    film = FilmTables(inputs.tracks, inputs.followed, inputs.shots, params.step)
    rows = as_written(film_appearances(named[named["movie"] == movie], film))
    timeline = load_timeline(movie, inputs.video, rows, inputs.tracks, inputs.followed)
    write_formats(snakemake.output[0], timeline, params.formats)
