"""ArcFace (Deng et al., CVPR 2019) and its relatives: from faces to features."""

from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from castsearch.faces.alignment import ARCFACE_SIZE, align, box_chip, centre_chip
from castsearch.faces.engine import Face, Image

Describe = Callable[[NDArray[np.uint8]], NDArray[np.float32]]
"""From chips (batch, size, size, 3) in RGB to raw features (batch, d)."""


def embed(
    describe: Describe, samples: Iterable[tuple[Image, Face | None]], size: int = ARCFACE_SIZE, batch: int = 16
) -> Iterator[NDArray[np.float32]]:
    """Describe the aligned face of each image, or the middle of the image where there is none.

    A face whose landmarks coincide is not aligned but cut by its box.

    Args:
        describe: the recogniser.
        samples: RGB images with a face each, or None.
        size: side of the chips that the recogniser takes.
        batch: how many it takes at once.

    Yields:
        (d,) features as the recogniser gives them.
    """
    chips = (_chip(image, face, size) for image, face in samples)
    while some := list(islice(chips, batch)):
        yield from describe(np.stack(some))


def _chip(image: Image, face: Face | None, size: int) -> NDArray[np.uint8]:
    if face is None:
        return centre_chip(image, size)
    try:
        return align(image, face.landmarks, size)
    except ValueError:  # no transform is defined by one point
        return box_chip(image, face.box, size)


def network_input(
    chips: NDArray[np.uint8], channels: Literal["rgb", "bgr"] = "rgb", mean: float = 0, scale: float = 1
) -> NDArray[np.float32]:
    """Make a recogniser's input of chips.

    Args:
        chips: (batch, size, size, 3) in RGB.
        channels: their order in the input.
        mean: subtracted from every value of 0 to 255,
        scale: before it is multiplied by this.

    Returns:
        (batch, 3, size, size), C-contiguous.
    """
    ordered = chips if channels == "rgb" else chips[..., ::-1]
    return np.ascontiguousarray((ordered.transpose(0, 3, 1, 2).astype(np.float32) - mean) * scale, np.float32)
