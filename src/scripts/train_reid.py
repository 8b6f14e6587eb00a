from pathlib import Path

import torch

from castsearch.data.crops import movie_tables
from castsearch.hardware import torch_has_gpu
from castsearch.reid.distributed import split_threads
from castsearch.reid.recipe import Recipe
from castsearch.reid.trainer import TrainingJob, train
from castsearch.reid.weights import imagenet_file
from castsearch.workflow.devices import check_number, claimed_gpus
from castsearch.workflow.logs import logging_to

# The processes of further GPUs import this file once more.
if __name__ == "__main__":
    with logging_to(snakemake.log[0]), claimed_gpus(snakemake.resources.gpu) as gpus:
        usable = torch.cuda.device_count() if torch_has_gpu() else 0
        check_number(snakemake.config["reid"]["gpus"], gpus, usable)
        torch.set_num_threads(snakemake.threads)
        params, output = snakemake.params, snakemake.output
        processes, workers = split_threads(snakemake.threads, len(gpus))
        train(
            TrainingJob(
                crop_tables=movie_tables(snakemake.input.crops),
                recipe=Recipe(**params.recipe),
                imagenet=imagenet_file(params.imagenet),
                validation=Path(snakemake.input.validation),
                weights=Path(output.weights),
                history=Path(output.history),
                checkpoints=Path(params.checkpoints),
                logs=Path(params.logs),
                code=params.code,
                workers=workers,
                processes=processes,
            )
        )
