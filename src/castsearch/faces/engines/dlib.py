"""Engine `dlib`: the trained detectors, five-point predictor and 128-d ResNet of King's dlib, on the CPU.

The weights come with the Python package `face_recognition_models`; dlib's author put them into the public domain.
"""

from collections.abc import Iterable, Iterator, Mapping
from functools import cached_property
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Literal

import cv2
import numpy as np
from numpy.typing import NDArray

from castsearch.errors import InputError
from castsearch.faces.alignment import centre_chip
from castsearch.faces.engine import Face, Faces, Image
from castsearch.faces.files import EngineFiles, ModelFile, model_file
from castsearch.faces.selection import Selection

LICENCE = "dlib models by Davis E. King: public domain (CC0 1.0)"
THREADS = 1
THRESHOLDS = (0.5, 0.45, 0.42, 0.4)  # strangers reach 0.35
OPTIONS = {
    "detector": {
        "enum": ["hog", "cnn"],
        "default": "hog",
        "description": '"hog" finds upright frontal faces, fast; "cnn" finds more and takes much longer',
    },
    "upsample": {
        "type": "integer",
        "minimum": 0,
        "maximum": 3,
        "default": 1,
        "description": "how often an image is doubled before detection: 1 finds faces from 40 pixels on, 0 from 80",
    },
}

_PACKAGE = "face_recognition_models"
_CNN = "mmod_human_face_detector.dat"
_LANDMARKS = "shape_predictor_5_face_landmarks.dat"
_RESNET = "dlib_face_recognition_resnet_model_v1.dat"
_SHA256 = {
    _CNN: "4cb19393e2fbaf2b1609a9319ad5386618c886a6234ec1b971f3e87c85d87fe6",
    _LANDMARKS: "c4b1e9804792707d3a405c2c16a80a20269e6675021f64a41d30fffafbc41888",
    _RESNET: "55533b28a95800a551ba546ba62fe69625c7e95a7061c338adffead08719da30",
}

# Scores are what dlib reports: the margin of the HOG detector's SVM, or the CNN's output. Both place the border between
# face and background at 0, and that is what counts as detected; the CNN was trained to put faces above a margin of 1.
_SELECTION = {
    "hog": Selection(min_score=0, cast_score=0.5, candidate_score=0),
    "cnn": Selection(min_score=0, cast_score=0.9, candidate_score=0.5),
}
_HOG_FLOOR = -0.5

# Both detectors look for faces of 80 pixels and above, and selection wants a face to cover 1/50 of the crop: in a crop
# of 80 * 80 * 50 pixels they see every face that could be selected, and a larger one would only cost time.
_MAX_PIXELS = 80 * 80 * 50

_CHIP_SIZE = 150

# dlib compares descriptors by their euclidean distance (0.6 tells persons apart), and they share a large mean, so that
# strangers have a cosine of 0.7 to 0.9. Less the mean, 98 % of the pairs in dlib's own example pictures of five people
# have 0.68 to 0.99 for one person and -0.2 to 0.35 for two, which is the scale that the search works on.
# This is the mean over the 100 faces of scikit-image's `lfw_subset`, in thousandths.
# fmt: off
_MEAN = np.array([
    -89, 74, 42, -21, -88, -14, 2, -144, 138, -80, 166, -54, -232, -81, -38, 123,
    -139, -125, -104, -85, 23, 45, 52, 11, -143, -296, -66, -93, 43, -65, 24, 86,
    -213, -60, 12, 81, -47, -44, 226, 15, -166, 43, 71, 230, 204, -25, 8, -58,
    116, -233, 30, 154, 150, 73, 69, -119, 16, 132, -187, 78, 69, -93, -33, 1,
    136, 74, -75, -139, 165, -155, -44, 81, -93, -148, -277, 33, 339, 114, -175, 11,
    -77, -20, 20, 37, -62, -58, -90, 20, 177, -20, -30, 230, 29, -18, 26, 39,
    -118, -21, -113, -28, 38, -105, 17, 103, -184, 167, -41, -31, -7, -16, -73, 13,
    154, -231, 207, 160, -31, 121, 67, 67, -8, 9, -124, -129, 28, -23, 29, 44,
], np.float32) / 1000
# fmt: on


def plan(options: Mapping, folder: str) -> EngineFiles:
    """Hand the options on, since the files come with a package; see `castsearch.faces.engines.EngineModule`."""
    return EngineFiles(options, options, gpus=0)


def make(options: Mapping, threads: int = 1) -> "DlibEngine":
    """Make the engine; see `castsearch.faces.engines.EngineModule`."""
    return DlibEngine(**options)


class DlibEngine:
    """The `dlib` engine; see `castsearch.faces.engine.Engine`.

    Args:
        detector: "hog" (Dalal & Triggs features, five views; milliseconds) or "cnn" (max-margin CNN; seconds on a CPU).
        upsample: how many times an image may be doubled to find faces smaller than 80 pixels.
        models: the folder of the model files; None takes those of the installed package.

    Raises:
        InputError: a model file is missing or not the one that is expected.
    """

    name = "dlib"
    dimension = 128

    def __init__(self, detector: Literal["hog", "cnn"] = "hog", upsample: int = 1, models: str | Path | None = None):
        import dlib  # here, since the workflow plans without the package

        self._dlib = dlib
        folder = _installed_models() if models is None else Path(models)
        files = [_LANDMARKS, _RESNET] if detector == "hog" else [_CNN, _LANDMARKS, _RESNET]
        remedy = f"install the Python package {_PACKAGE}, or name a folder that holds its models"
        self.models: tuple[ModelFile, ...] = tuple(model_file(folder / file, remedy, _SHA256[file]) for file in files)
        self.selection = _SELECTION[detector]
        self._folder = folder
        self._detector = detector
        self._upsample = upsample

    def detect(self, images: Iterable[Image]) -> Iterator[Faces]:
        """Find the faces of each image; the landmarks are dlib's own five: corners of the eyes, base of the nose."""
        for image in images:
            enlarged, scale = self._working_size(image)
            found = self._find(enlarged)
            boxes = [(box.left(), box.top(), box.right() + 1, box.bottom() + 1) for box, _ in found]
            points = [[(part.x, part.y) for part in self._predictor(enlarged, box).parts()] for box, _ in found]
            height, width = image.shape[:2]
            yield Faces(
                (np.array(boxes).reshape(-1, 4) / np.tile(scale, 2)).clip(0, (width, height) * 2).astype(np.float32),
                np.array([score for _, score in found], np.float32),
                # Pixel centres stay pixel centres, as cv2.resize has it.
                ((np.array(points).reshape(-1, 5, 2) + 0.5) / scale - 0.5).astype(np.float32),
            )

    def embed(self, samples: Iterable[tuple[Image, Face | None]]) -> Iterator[NDArray[np.float32]]:
        """Describe each face by its descriptor less the mean descriptor of people."""
        for image, face in samples:
            chip = centre_chip(image, _CHIP_SIZE) if face is None else self._chip(image, face)
            yield np.array(self._network.compute_face_descriptor(chip), np.float32) - _MEAN

    def _working_size(self, image: Image) -> tuple[Image, NDArray[np.float64]]:
        """Resize an image for the detector; the scale is that of x and y."""
        height, width = image.shape[:2]
        scale = min(2**self._upsample, (_MAX_PIXELS / (height * width)) ** 0.5)
        size = max(1, round(width * scale)), max(1, round(height * scale))
        resized = cv2.resize(image, size, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR)
        return resized, np.array(size) / (width, height)

    def _find(self, image: Image) -> list[tuple[Any, float]]:
        if self._detector == "cnn":
            return [(found.rect, found.confidence) for found in self._cnn(image, 0)]
        boxes, scores, _ = self._hog.run(image, 0, _HOG_FLOOR)
        return list(zip(boxes, scores, strict=True))

    def _chip(self, image: Image, face: Face) -> Image:
        # At the size that the landmarks were found at, they are whole pixels, as dlib wants them.
        enlarged, scale = self._working_size(image)
        parts = [self._dlib.point(x, y) for x, y in np.rint((face.landmarks + 0.5) * scale - 0.5).astype(int).tolist()]
        box = self._dlib.rectangle(*np.rint(face.box * np.tile(scale, 2)).astype(int).tolist())
        return self._dlib.get_face_chip(enlarged, self._dlib.full_object_detection(box, parts), _CHIP_SIZE)

    @cached_property
    def _hog(self) -> Any:
        return self._dlib.get_frontal_face_detector()

    @cached_property
    def _cnn(self) -> Any:
        return self._dlib.cnn_face_detection_model_v1(str(self._folder / _CNN))

    @cached_property
    def _predictor(self) -> Any:
        return self._dlib.shape_predictor(str(self._folder / _LANDMARKS))

    @cached_property
    def _network(self) -> Any:
        return self._dlib.face_recognition_model_v1(str(self._folder / _RESNET))


def _installed_models() -> Path:
    # Found, not imported: the package's own code needs pkg_resources, which setuptools has dropped.
    spec = find_spec(_PACKAGE)
    if spec is None:
        raise InputError(f"face engine dlib: its models are not here; install the Python package {_PACKAGE}")
    return Path(spec.submodule_search_locations[0], "models")
