from pathlib import Path

import torch

from castsearch.data.crops import movie_tables
from castsearch.reid.recipe import Recipe
from castsearch.reid.trainer import TrainingJob, train
from castsearch.reid.weights import imagenet_file
from castsearch.workflow.devices import check_number, claimed_gpus
from castsearch.workflow.logs import logging_to

# The processes of further GPUs import this file once more.
if __name__ == "__main__":
    with logging_to(snakemake.log[0]), claimed_gpus(snakemake.resources.gpu) as gpus:
        check_number(gpus, snakemake.config["reid"]["gpus"])
        torch.set_num_threads(snakemake.threads)
        network = dict(snakemake.params.network)
        del network["name"]
        imagenet = imagenet_file(network.pop("imagenet"))
        train(
            TrainingJob(
                crop_tables=movie_tables(snakemake.input.crops),
                recipe=Recipe(**network),
                imagenet=imagenet,
                validation=Path(snakemake.input.validation),
                weights=Path(snakemake.output.weights),
                history=Path(snakemake.output.history),
                checkpoints=Path(snakemake.params.checkpoints),
                logs=Path(snakemake.params.logs),
                code=snakemake.params.code,
                workers=(snakemake.threads - 1) // len(gpus) if gpus else 0,  # on the CPU, training needs every core
                processes=len(gpus) or 1,
            )
        )
