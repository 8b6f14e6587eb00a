from importlib import import_module
from pathlib import Path

from castsearch import files
from castsearch.data.crop_parts import read_parts
from castsearch.data.feature_check import BODIES, check_features
from castsearch.reid.features import extract
from castsearch.workflow.devices import claimed_gpus
from castsearch.workflow.logs import logging_to

with logging_to(snakemake.log[0]), claimed_gpus(1):
    params, crops = snakemake.params, read_parts(snakemake.input.crops)
    module = import_module(params.module)
    describer = module.open_describer(Path(snakemake.input.weights), params.options, snakemake.threads)
    features = extract(describer, crops.candidate_images())
    check_features(crops, features, BODIES)
    files.write_array(snakemake.output[0], features)
