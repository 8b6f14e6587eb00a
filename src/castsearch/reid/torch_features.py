"""Features of bodies by networks of the kinds `triplet` and `mgn`, in torch."""

from collections.abc import Mapping
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

from castsearch.float_precision import FloatPrecision
from castsearch.reid.determinism import deterministic
from castsearch.reid.features import Describer
from castsearch.reid.heads import ReidNetwork
from castsearch.reid.networks import load_weights, pick_device
from castsearch.reid.transforms import to_input


def open_describer(path: Path, options: Mapping[str, Any], threads: int) -> Describer:
    """Load a network; see `castsearch.reid.kinds`.

    Args:
        path: weights, see `networks.load_weights`.
        options: `precision`, see `describer`.
        threads: that torch may use on the CPU.

    Raises:
        InputError: the weights cannot be used.
    """
    torch.set_num_threads(threads)
    network = load_weights(path)
    merge_norms(network)
    return describer(network, precision=options["precision"])


def merge_norms(network: nn.Module) -> None:
    """Merge batch norms into the convolutions before them, in place, where one follows the other in a chain.

    The network computes the same, but for rounding.

    Args:
        network: in evaluation mode.
    """
    for chain in network.modules():
        if type(chain).forward is not nn.Sequential.forward:
            continue
        for (name, layer), (following, norm) in pairwise(list(chain.named_children())):
            if isinstance(layer, nn.Conv2d) and isinstance(norm, nn.BatchNorm2d):
                chain.add_module(name, fuse_conv_bn_eval(layer, norm))
                chain.add_module(following, nn.Identity())


def describer(
    network: ReidNetwork, *, device: str = "auto", precision: FloatPrecision = "float32", batch_size: int | None = None
) -> Describer:
    """Describe images by a network.

    Args:
        network: it is moved to the device and set to evaluation mode.
        device: "cpu", "cuda" or any of torch's; "auto" is the GPU where there is one.
        precision: "float32", on GPUs without TF32; or "bfloat16" for autocast.
        batch_size: images at a time; if None, 128 on a GPU and 16 on the CPU.
    """
    target = pick_device(device)
    network.to(target).to(memory_format=torch.channels_last).eval()

    @torch.inference_mode()
    def describe(images: NDArray[np.uint8]) -> NDArray[np.float32]:
        with (
            deterministic(target, precision),
            torch.autocast(target.type, torch.bfloat16, enabled=precision == "bfloat16"),
        ):
            embeddings = network(to_input(torch.from_numpy(images), target)).float()
        return embeddings.reshape(len(images), -1, embeddings.shape[-1]).cpu().numpy()

    return Describer(
        describe, network.input_size, network.feature_size, batch_size or (16 if target.type == "cpu" else 128)
    )
