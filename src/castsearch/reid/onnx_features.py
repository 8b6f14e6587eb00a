"""Features of bodies by a ReID network in an ONNX file, of any origin."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from castsearch.errors import InputError
from castsearch.model_files import model_file
from castsearch.onnx import Network
from castsearch.onnx.network import open_network
from castsearch.onnx.runtime import RUNTIME_ERRORS, any_batch
from castsearch.reid.features import Describer

_BATCH = 16
_TOLERANCE = 1e-3  # of the largest value; far more than rounding, far less than another image's feature
_REMEDY = "see docs/bodies.md for how to export one"


def open_describer(path: Path, options: Mapping[str, Any], threads: int) -> Describer:
    """Load a network; see `castsearch.reid.kinds`.

    Args:
        path: the ONNX file: from images (batch, 3, height, width) in single precision to features (batch, d).
        options: `height` and `width` of the images in pixels; the order of `channels`, "rgb" or "bgr"; `mean` and
            `std` in that order, each a number or one for each channel: a value v of 0 to 255 becomes (v - mean) / std.
        threads: that the network may use on the CPU.

    Raises:
        InputError: the file is missing, is not an ONNX network, or has another input or output.
    """
    size = options["height"], options["width"]
    expected = f"a ReID network from {size[0]}x{size[1]} pixels to one feature"
    network = open_network(model_file(path, _REMEDY), threads, expected, [None], size=size, remedy=_REMEDY)
    mean, std = (np.broadcast_to(np.float32(options[key]), 3).reshape(1, 3, 1, 1) for key in ("mean", "std"))
    step = {"rgb": 1, "bgr": -1}[options["channels"]]

    def normalised(images: NDArray[np.uint8]) -> NDArray[np.float32]:
        planes = images[:, :, :, ::step].transpose(0, 3, 1, 2)
        return np.ascontiguousarray((planes.astype(np.float32) - mean) / std)

    trial = normalised(np.random.default_rng(0).integers(0, 256, (2, *size, 3), np.uint8))
    network = _in_batches(network, trial, path)

    def describe(images: NDArray[np.uint8]) -> NDArray[np.float32]:
        return network(normalised(images))[0][:, None]

    return Describer(describe, size, network(trial)[0].shape[1], _BATCH)


def _in_batches(network: Network, trial: NDArray[np.float32], path: Path) -> Network:
    """Let a network that is only right image by image take batches.

    Exporters write the batch of their example into layers that reshape, so that a file may promise any batch and fail,
    or mix the images.

    Args:
        network: the network.
        trial: images to find out with.
        path: of the file, for the message.

    Raises:
        InputError: it fails for one image, too.
    """
    one_by_one = any_batch(network, 1)
    try:
        [alone] = one_by_one(trial)
    except RUNTIME_ERRORS as error:
        reason = str(error).splitlines()[0]
        raise InputError(f"{path}: this network fails on an image with {reason}; {_REMEDY}") from None
    try:
        [together] = network(trial)
    except RUNTIME_ERRORS:
        return one_by_one
    same = together.shape == alone.shape and np.abs(together - alone).max() <= _TOLERANCE * np.abs(alone).max()
    return network if same else one_by_one
