"""ArcFace (Deng et al., CVPR 2019): from faces to features."""

from collections.abc import Iterable, Iterator
from itertools import islice

import numpy as np
from numpy.typing import NDArray

from castsearch.faces.alignment import align, centre_chip
from castsearch.faces.engine import Face, Image
from castsearch.faces.onnx_network import Network

_BATCH = 16


def embed(network: Network, samples: Iterable[tuple[Image, Face | None]]) -> Iterator[NDArray[np.float32]]:
    """Describe the aligned face of each image, or the middle of the image where there is none.

    Args:
        network: from (batch, 3, 112, 112) RGB in 0 to 255 to (batch, d).
        samples: RGB images with a face each, or None.

    Yields:
        (d,) features as the network gives them.
    """
    chips = (centre_chip(image) if face is None else align(image, face.landmarks) for image, face in samples)
    while batch := list(islice(chips, _BATCH)):
        (features,) = network(np.stack(batch).transpose(0, 3, 1, 2).astype(np.float32, order="C"))
        yield from features
