from castsearch.film.decode import Film
from castsearch.film.shot_changes import find_changes
from castsearch.film.shots import write_changes
from castsearch.workflow.devices import claimed_gpus
from castsearch.workflow.logs import logging_to

with logging_to(snakemake.log[0]), claimed_gpus(snakemake.resources.gpu):
    params = snakemake.params
    with Film(snakemake.input[0], snakemake.threads) as film:
        found = find_changes(film, params.detector, *params.bounds, params.threshold)
    write_changes(snakemake.output[0], found)
