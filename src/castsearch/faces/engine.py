"""The interface of a face engine, and the registry of those that exist."""

from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple, Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray

from castsearch.errors import InputError
from castsearch.faces.selection import Selection
from castsearch.files import file_digest

_Item = TypeVar("_Item")

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


@dataclass(frozen=True)
class ModelFile:
    """A file of trained weights, identified by its content."""

    path: Path
    sha256: str


class Engine(Protocol):
    """A detector and the embedder that belongs to it.

    Both work on streams and keep their order, so that an engine may batch images or read ahead as it likes.

    Attributes:
        name: as in the registry.
        licence: of the weights, in one line.
        models: the files of weights; another checksum means other results.
        selection: thresholds that fit the detector's score scale.
        dimension: length of a feature.
    """

    name: str
    licence: str
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


def make_engine(name: str, options: Mapping[str, object] | None = None, threads: int = 1) -> Engine:
    """Make the engine `name`; weights are loaded at first use.

    Args:
        name: "dlib", "insightface" or "retinaface_arcface".
        options: keyword arguments of the engine.
        threads: that a network may use; dlib always uses one.

    Raises:
        InputError: there is no such engine, or a model file is missing or not the one that is expected.
    """
    options = dict(options or {})
    # Imported here, because each engine has its own dependencies.
    match name:
        case "dlib":
            from castsearch.faces.engines.dlib import DlibEngine  # noqa: PLC0415

            return DlibEngine(**options)
        case "insightface":
            from castsearch.faces.engines.insightface import InsightFaceEngine  # noqa: PLC0415

            return InsightFaceEngine(**options, threads=threads)
        case "retinaface_arcface":
            from castsearch.faces.engines.retinaface_arcface import RetinaFaceArcFaceEngine  # noqa: PLC0415

            return RetinaFaceArcFaceEngine(**options, threads=threads)
    raise InputError(f"face engine {name!r}: unknown; there are: dlib, insightface, retinaface_arcface")


def provenance(engine: Engine) -> dict[str, object]:
    """Name, licence and model files of an engine, as JSON-ready values for results and reports."""
    return {
        "engine": engine.name,
        "licence": engine.licence,
        "models": [{"file": model.path.name, "sha256": model.sha256} for model in engine.models],
    }


def model_file(path: Path, remedy: str, sha256: str | None = None) -> ModelFile:
    """Identify a model file and check that it is the expected one.

    Args:
        path: of the file.
        remedy: how to get the file, for the message.
        sha256: expected checksum; None takes any.

    Raises:
        InputError: the file is missing, or has another checksum (truncated, or something else).
    """
    if not path.is_file():
        raise InputError(f"{path}: the model file is missing; {remedy}")
    found = file_digest(path)
    if sha256 is not None and found != sha256:
        raise InputError(
            f"{path}: {path.stat().st_size} bytes with sha256 {found} where {sha256} is expected, so the file is "
            f"truncated or of another kind; {remedy}"
        )
    return ModelFile(path, found)


def read_ahead(items: Iterable[_Item], depth: int = 4) -> Iterator[_Item]:
    """Yield `items`, making up to `depth` of them in another thread while the caller works."""
    iterator, end = iter(items), object()
    with ThreadPoolExecutor(1) as reader:
        waiting = deque(reader.submit(next, iterator, end) for _ in range(depth))
        while (item := waiting.popleft().result()) is not end:
            waiting.append(reader.submit(next, iterator, end))
            yield item
