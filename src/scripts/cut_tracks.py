from castsearch.files import read_table, write_table
from castsearch.film.decode import Film
from castsearch.film.track_crops import cut_out
from castsearch.workflow.logs import logging_to

with logging_to(snakemake.log[0]):
    tracks = read_table(snakemake.input.tracks)
    with Film(snakemake.input.video, snakemake.threads) as film:
        write_table(snakemake.output[0], cut_out(film, snakemake.wildcards.movie, tracks, *snakemake.params.bounds))
