from castsearch.files import write_table
from castsearch.film import detectors
from castsearch.film.decode import Film
from castsearch.film.persons import find_persons
from castsearch.workflow.devices import claimed_gpus
from castsearch.workflow.logs import logging_to

with logging_to(snakemake.log[0]), claimed_gpus(1):
    params = snakemake.params
    detector = detectors.make(params.detector, params.options, snakemake.threads)
    with Film(snakemake.input.video, snakemake.threads) as film:
        write_table(snakemake.output[0], find_persons(film, detector, params.fps, *params.bounds))
