from castsearch.files import write_table
from castsearch.film.decode import Film
from castsearch.film.shot_pictures import take_pictures
from castsearch.film.shots import read_shots
from castsearch.workflow.logs import logging_to

with logging_to(snakemake.log[0]):
    with Film(snakemake.input.video, snakemake.threads) as film:
        pictures = take_pictures(film, read_shots(snakemake.input.shots), *snakemake.params.bounds)
    write_table(snakemake.output[0], pictures)
