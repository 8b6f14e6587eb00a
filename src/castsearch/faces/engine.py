"""The interface of a face engine."""

from collections.abc import Iterable, Iterator
from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from castsearch.faces.selection import Selection
from castsearch.model_files import ModelFile

Image = NDArray[np.uint8]
"""(height, width, 3), RGB, C-contiguous."""


class Faces(NamedTuple):
    """What a detector found in one image, best first, in pixels of that image.

    Attributes:
        boxes: (n, 4) float32 x1, y1, x2, y2, within the image.
        scores: (n,) float32, on the detector's own scale.
        landmarks: (n, 5, 2) float32 x, y: the five points that the engine's own embedder aligns by.
    """

    boxes: NDArray[np.float32]
    scores: NDArray[np.float32]
    landmarks: NDArray[np.float32]


class Face(NamedTuple):
    """One detected face: its box (4,) and landmarks (5, 2), as in `Faces`."""

    box: NDArray[np.float32]
    landmarks: NDArray[np.float32]


class Engine(Protocol):
    """A detector and the embedder that belongs to it.

    Both work on streams and keep their order, so that an engine may batch images or read ahead as it likes.

    Attributes:
        name: of its module in `castsearch.faces.engines`.
        models: the files of weights; another checksum means other results.
        selection: thresholds that fit the detector's score scale.
        dimension: length of a feature.
    """

    name: str
    models: tuple[ModelFile, ...]
    selection: Selection
    dimension: int

    def detect(self, images: Iterable[Image]) -> Iterator[Faces]:
        """Find the faces of each image, down to a score well below the selection thresholds.

        Raises:
            FloatingPointError: the detector's numbers are not finite for the image whose turn it is.
        """
        ...

    def embed(self, samples: Iterable[tuple[Image, Face | None]]) -> Iterator[NDArray[np.float32]]:
        """Describe the face of each image, or the middle of the image for None, by a raw (d,) feature.

        Faces of one person have a high cosine, those of strangers a cosine about 0.
        """
        ...


def identity(engine: Engine) -> dict[str, object]:
    """Name and model files of an engine, as JSON-ready values for results and reports."""
    return {
        "engine": engine.name,
        "models": [{"file": model.path.name, "sha256": model.sha256} for model in engine.models],
    }
