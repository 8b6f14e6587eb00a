from pathlib import Path

from castsearch.demo.movies import MovieSettings, write_movie
from castsearch.files import write_json
from castsearch.workflow.logs import logging_to

with logging_to(snakemake.log[0]):
    folder = Path(snakemake.output.images).parent
    settings = MovieSettings(**snakemake.params.settings)
    annotation = write_movie(snakemake.wildcards.split, snakemake.wildcards.movie, settings, folder)
    write_json(snakemake.output.annotation, annotation)
