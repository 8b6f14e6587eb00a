from castsearch.files import read_table, write_table
from castsearch.film.decode import Film
from castsearch.film.follow import Followers
from castsearch.film.shots import read_shots
from castsearch.film.track_crops import cut_out
from castsearch.workflow.logs import logging_to

with logging_to(snakemake.log[0]):
    inputs, output, bounds = snakemake.input, snakemake.output, snakemake.params.bounds
    tracks = read_table(inputs.tracks)
    followers = Followers(tracks, read_shots(inputs.shots), *bounds)
    with Film(inputs.video, snakemake.threads) as film:
        write_table(output.crops, cut_out(film, snakemake.wildcards.movie, tracks, *bounds, followers=followers))
    write_table(output.followed, followers.table())
