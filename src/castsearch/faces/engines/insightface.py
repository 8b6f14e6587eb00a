"""Engine `insightface`: SCRFD and ArcFace networks as ONNX files, as InsightFace publishes them in packs.

Only detection and recognition are loaded: other networks of a pack bring helper files that the package unpickles.
"""

import os
from collections.abc import Iterable, Iterator, Mapping
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np
from numpy.typing import NDArray

from castsearch.errors import InputError
from castsearch.faces.engine import Face, Faces, Image
from castsearch.faces.engine_files import PATH, EngineFiles, existing_file
from castsearch.faces.networks import arcface
from castsearch.faces.packs import is_hidden
from castsearch.faces.selection import Selection
from castsearch.model_files import ModelFile
from castsearch.threads import read_ahead

if TYPE_CHECKING:
    from insightface.model_zoo.scrfd import SCRFD

    from castsearch.faces.packs.opening import Recogniser

LICENCE = "InsightFace's packs: non-commercial research only; other networks: as their publisher says"
THREADS = 8
THRESHOLDS = (0.5, 0.4, 0.3, 0.25)  # the reference system's, for ArcFace
OPTIONS = {
    "pack": PATH
    | {
        "default": "buffalo_l",
        "description": "a folder with the ONNX files of a detector and a recogniser, or the name of a published pack",
    },
    "side": {
        "type": "integer",
        "minimum": 64,
        "multipleOf": 32,
        "default": 640,
        "description": "side in pixels of the square that a crop is fitted into for detection",
    },
    "recogniser": {
        "default": None,
        "description": "another recogniser in place of the pack's, or how to feed the pack's own; null for neither",
        "oneOf": [
            {"type": "null"},
            {
                "type": "object",
                "additionalProperties": False,
                "required": ["size", "channels", "mean", "scale"],
                "properties": {
                    "file": PATH,
                    "size": {"enum": [112, 128, 224, 256]},
                    "channels": {"enum": ["rgb", "bgr"]},
                    "mean": {"type": "number"},
                    "scale": {"type": "number", "exclusiveMinimum": 0},
                },
            },
        ],
    },
}

_FLOOR = 0.3  # well below the selection's 0.5, which is the package's own threshold
_LARGEST_FACE = 0.4  # of the picture's side; SCRFD misses larger ones
_STRIDE = 32  # of SCRFD's coarsest map, in pixels


def plan(options: Mapping, folder: str) -> EngineFiles:
    """Find the files of the pack; see `castsearch.faces.engines.EngineModule`."""
    pack, own = options["pack"], options["recogniser"]
    # The package keeps its own downloads under ~/.insightface.
    # A user whom the system does not know may have no home at all, which os alone does not mind.
    places = [Path(os.path.expanduser(each)) for each in (pack, f"~/.insightface/models/{pack}")]
    found = next((place for place in places if place.is_dir()), None)
    if found is None and "/" in pack:
        raise InputError(f"pack: {pack}: there is no such folder; a pack's name has no slash")
    place = found or Path(folder, pack)
    files: tuple[str, ...] = (str(place),)
    if found:
        networks = (path for path in found.rglob("*.onnx") if path.is_file() and not is_hidden(path, found))
        files = tuple(sorted(map(str, networks)))
    remedy = "name an ONNX file, or null for the pack's own recogniser"
    own_files = (existing_file("recogniser", own["file"], remedy),) if own and "file" in own else ()
    detection = {"pack": str(place), "side": options["side"]}
    return EngineFiles(
        detection=detection,
        embedding=detection | {"recogniser": own},
        detection_files=files,
        embedding_files=files + own_files,
    )


def make(options: Mapping, threads: int = 1) -> "InsightFaceEngine":
    """Make the engine; see `castsearch.faces.engines.EngineModule`."""
    return InsightFaceEngine(**options, threads=threads)


class InsightFaceEngine:
    """The `insightface` engine; see `castsearch.faces.engine.Engine`.

    Args:
        pack: folder that holds one detector, and one recogniser unless another is named.
        recogniser: another recogniser: its ONNX `file`, the `size` of its input in pixels, its order of `channels`
            ("rgb" or "bgr"), and the `mean` and `scale` that turn a value of 0 to 255 into (value - mean) * scale.
            Without `file`, this is how the pack's own is fed.
        side: of the square that an image is fitted into for detection, in pixels.
        threads: that the networks may use on the CPU.

    Raises:
        InputError: a model file is missing, or, at first use, of another kind.
    """

    name = "insightface"
    # Scores of SCRFD are probabilities that keep well below RetinaFace's; the package itself takes what exceeds 0.5.
    selection = Selection(min_score=0.5, cast_score=0.5, candidate_score=0.5)

    def __init__(
        self, pack: str | Path, recogniser: Mapping[str, Any] | None = None, side: int = 640, threads: int = 1
    ):
        from castsearch.faces.packs import opening, reading  # which need the package, without which the workflow plans

        self._opening = opening
        self._pack = reading.read_pack(Path(pack))
        self._own = {key: value for key, value in (recogniser or {}).items() if key != "file"}
        named = (recogniser or {}).get("file")
        self._recogniser_file = self._pack.recogniser if named is None else opening.own_file(Path(named))
        self._side = side
        self._threads = threads
        files = (self._pack.detector, self._recogniser_file)
        self.models: tuple[ModelFile, ...] = tuple(file for file in files if file is not None)

    def detect(self, images: Iterable[Image]) -> Iterator[Faces]:
        """Find the faces of each image; the landmarks are eyes, nose and corners of the mouth."""
        whole = self._detector.static_input_size is not None
        for image in read_ahead(images):
            height, width = image.shape[:2]
            surrounded, scale, offset = surround(image, self._side, whole)
            size = surrounded.shape[1::-1]
            found, landmarks = self._detector.detect(np.ascontiguousarray(surrounded[:, :, ::-1]), size)
            boxes = ((found[:, :4] - np.tile(offset, 2)) / np.tile(scale, 2)).clip(0, (width, height) * 2)
            inside = (boxes[:, 2:] > boxes[:, :2]).all(axis=1)
            yield Faces(
                boxes[inside].astype(np.float32),
                found[inside, 4].astype(np.float32),
                ((landmarks[inside] - offset) / scale).astype(np.float32),
            )

    def embed(self, samples: Iterable[tuple[Image, Face | None]]) -> Iterator[NDArray[np.float32]]:
        """Describe each face by the recogniser's feature."""
        recogniser = self._recogniser
        return arcface.embed(recogniser.describe, read_ahead(samples), recogniser.size, recogniser.batch)

    @property
    def dimension(self) -> int:
        """Length of a feature."""
        return self._recogniser.dimension

    @cached_property
    def _detector(self) -> "SCRFD":
        return self._opening.open_detector(self._pack, self._side, _FLOOR, self._threads)

    @cached_property
    def _recogniser(self) -> "Recogniser":
        if self._own and self._recogniser_file is not None:
            return self._opening.open_own_recogniser(self._recogniser_file, self._threads, **self._own)
        return self._opening.open_recogniser(self._pack, self._threads)


def surround(image: Image, side: int, whole: bool = False) -> tuple[Image, NDArray[np.float64], NDArray[np.int64]]:
    """Fit an image into the middle of a black square in which a face as wide as the image fills 40 % of the side.

    This makes portraits and tight crops smaller. An upright body hardly changes, since its height is fitted anyway.

    Args:
        image: (height, width, 3).
        side: of the square, in pixels; a multiple of 32.
        whole: whether to return the whole square, and not only as much of its middle as the image needs.

    Returns:
        The square, or of its middle a rectangle with sides that are multiples of 32; by how much the image is scaled
        there, and where it begins, each x before y.
    """
    lengths = np.array(image.shape[1::-1])
    shown = np.maximum(1, np.rint(lengths * side / max(*lengths, lengths.min() / _LARGEST_FACE)).astype(int))
    size = np.array([side, side]) if whole else -(-shown // _STRIDE) * _STRIDE
    offset = (size - shown) // 2
    canvas = np.zeros((*size[::-1], 3), np.uint8)
    (left, top), (right, bottom) = offset, offset + shown
    canvas[top:bottom, left:right] = cv2.resize(image, shown.tolist())
    return canvas, shown / lengths, offset
