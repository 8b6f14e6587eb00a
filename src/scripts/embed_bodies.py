from pathlib import Path

import torch

from castsearch import files
from castsearch.data.crops import read_crops
from castsearch.data.strangers import BODIES, check_strangers
from castsearch.reid.features import extract
from castsearch.reid.networks import load_weights
from castsearch.workflow.devices import claimed_gpus
from castsearch.workflow.logs import logging_to

with logging_to(snakemake.log[0]), claimed_gpus(1):
    torch.set_num_threads(snakemake.threads)
    people = read_crops(snakemake.input.crops)
    network = load_weights(Path(snakemake.input.weights))
    features = extract(network, people.candidate_images(), precision=snakemake.params.precision)
    check_strangers(people, features, BODIES)
    files.write_array(snakemake.output[0], features)
