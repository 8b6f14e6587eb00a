"""Engine `insightface`: detectors and recognisers as ONNX, run by the Python package insightface.

Only detection and recognition are loaded: other networks of a pack bring helper files that the package unpickles.
"""

from collections.abc import Iterable, Iterator, Mapping
from functools import cached_property
from pathlib import Path
from typing import NamedTuple, TypeVar

import cv2
import numpy as np
import onnx
from google.protobuf.message import DecodeError
from insightface.model_zoo import ArcFaceONNX, get_model, has_model_package_manifest, load_model_package
from insightface.model_zoo.scrfd import SCRFD
from numpy.typing import NDArray

from castsearch.errors import InputError
from castsearch.faces.engine import Face, Faces, Image, ModelFile, model_file, read_ahead
from castsearch.faces.networks import arcface
from castsearch.faces.networks.onnx_network import (
    FLOAT,
    RUNTIME_ERRORS,
    any_batch,
    check_self_contained,
    open_session,
    print_device,
    session_options,
)
from castsearch.faces.selection import Selection
from castsearch.workflow import licences

_Model = TypeVar("_Model", SCRFD, ArcFaceONNX)

_FLOOR = 0.3  # well below the selection's 0.5, which is the package's own threshold
_LARGEST_FACE = 0.4  # of the picture's side; SCRFD misses larger ones
_REMEDY = "unpack an insightface pack there, such as buffalo_l.zip, or name another folder; see docs/face-models.md"
_OWN_REMEDY = "export it to ONNX again, or take the pack's own recogniser; see docs/face-models.md"


class _Recogniser(NamedTuple):
    """A recogniser, the side of its chips, how many of them it takes at once, and the length of its feature."""

    describe: arcface.Describe
    size: int
    batch: int
    dimension: int


class InsightFaceEngine:
    """The `insightface` engine; see `castsearch.faces.engine.Engine`.

    Args:
        pack: folder that holds one detector, and one recogniser unless another is named.
        recogniser: another recogniser: its ONNX `file`, the `size` of its input in pixels, its order of `channels`
            ("rgb" or "bgr"), and the `mean` and `scale` that turn a value of 0 to 255 into (value - mean) * scale.
        side: of the square that an image is fitted into for detection, in pixels.
        threads: that the networks may use on the CPU.

    Raises:
        InputError: a model file is missing, or, at first use, of another kind.
    """

    name = "insightface"
    licence = licences.FACE_MODELS[name]
    # Scores of SCRFD are probabilities that keep well below RetinaFace's; the package itself takes what exceeds 0.5.
    selection = Selection(min_score=0.5, cast_score=0.5, candidate_score=0.5)

    def __init__(
        self, pack: str | Path, recogniser: Mapping[str, object] | None = None, side: int = 640, threads: int = 1
    ):
        self._folder = Path(pack)
        self._own = {key: value for key, value in (recogniser or {}).items() if key != "file"}
        self._side = side
        self._threads = threads
        networks = _networks(self._folder)
        if "detection" not in networks:
            raise InputError(f"{pack}: this folder holds no face detector; {_REMEDY}")
        self._detector_file = networks["detection"]
        self._recogniser_file = networks.get("recognition")
        if recogniser is not None:
            self._recogniser_file = model_file(Path(recogniser["file"]), _OWN_REMEDY)
        files = (self._detector_file, self._recogniser_file)
        self.models: tuple[ModelFile, ...] = tuple(file for file in files if file is not None)

    def detect(self, images: Iterable[Image]) -> Iterator[Faces]:
        """Find the faces of each image; the landmarks are eyes, nose and corners of the mouth."""
        for image in read_ahead(images):
            height, width = image.shape[:2]
            surrounded, scale, offset = surround(image, self._detector.input_size[0])
            found, landmarks = self._detector.detect(np.ascontiguousarray(surrounded[:, :, ::-1]))
            boxes = ((found[:, :4] - np.tile(offset, 2)) / np.tile(scale, 2)).clip(0, (width, height) * 2)
            inside = (boxes[:, 2:] > boxes[:, :2]).all(axis=1)
            yield Faces(
                boxes[inside].astype(np.float32),
                found[inside, 4].astype(np.float32),
                ((landmarks[inside] - offset) / scale).astype(np.float32),
            )

    def embed(self, samples: Iterable[tuple[Image, Face | None]]) -> Iterator[NDArray[np.float32]]:
        """Describe each face by the recogniser's feature."""
        describe, size, batch, _ = self._recogniser
        return arcface.embed(describe, read_ahead(samples), size, batch)

    @property
    def dimension(self) -> int:
        """Length of a feature."""
        return self._recogniser.dimension

    @cached_property
    def _detector(self) -> SCRFD:
        expected = "a face detector of insightface with landmarks"
        model = self._open(self._detector_file, "detection", SCRFD, expected)
        ranks = {len(output.shape) for output in model.session.get_outputs()}
        takes_one = _batch(model.session.get_inputs()[0].shape, 1) == 1
        if not (model.use_kps and ranks <= {2, 3} and takes_one):
            raise InputError(f"{self._detector_file.path}: {expected} was expected, for an image at a time; {_REMEDY}")
        model.prepare(0, input_size=(self._side, self._side), det_thresh=_FLOOR)
        return model

    @cached_property
    def _recogniser(self) -> _Recogniser:
        if self._recogniser_file is None:
            raise InputError(f"{self._folder}: this folder holds no face recogniser; {_REMEDY}")
        if self._own:
            return self._own_recogniser(self._recogniser_file, **self._own)
        model = self._open(self._recogniser_file, "recognition", ArcFaceONNX, "a face recogniser of insightface")
        run = any_batch(lambda chips: [model.get_feat([chip[:, :, ::-1] for chip in chips])], model.input_shape[0])
        return _Recogniser(
            lambda chips: run(chips)[0], model.input_size[0], _batch(model.input_shape), model.output_shape[1]
        )

    def _own_recogniser(self, file: ModelFile, *, size: int, channels: str, mean: float, scale: float) -> _Recogniser:
        expected = f"a face recogniser from {size}x{size} pixels of 3 channels to one feature, in single precision,"
        session = open_session(file, self._threads, expected, _OWN_REMEDY)
        inputs, output = session.get_inputs(), session.get_outputs()[0]
        shape, feature = inputs[0].shape, output.shape
        pairs = zip(shape[1:], (3, size, size), strict=False)
        fits = [
            len(inputs) == 1 and len(shape) == 4,
            all(found == wanted for found, wanted in pairs if isinstance(found, int)),
            len(feature) == 2 and isinstance(feature[1], int),
            inputs[0].type == output.type == FLOAT,
        ]
        if not all(fits):
            found = f"from {inputs[0].type} {shape} to {output.type} {feature}"
            raise InputError(f"{file.path}: {expected} was expected, not {found}; {_OWN_REMEDY}")
        print_device(file, session)
        name = inputs[0].name
        run = any_batch(lambda images: session.run(None, {name: images}), shape[0])

        def describe(chips: NDArray[np.uint8]) -> NDArray[np.float32]:
            return run(arcface.network_input(chips, channels, mean, scale))[0]

        return _Recogniser(describe, size, _batch(shape), feature[1])

    def _open(self, file: ModelFile, task: str, kind: type[_Model], expected: str) -> _Model:
        check_self_contained(file)
        # A pack with a manifest says there how its networks want their input; the package then takes the folder.
        described = has_model_package_manifest(self._folder)
        source = (self._folder, task) if described else (file.path, None)
        try:
            model = get_model(source[0], model_task=source[1], **session_options(self._threads))
        except (*RUNTIME_ERRORS, DecodeError, ValueError, RuntimeError, AssertionError) as error:
            reason = " ".join(str(error).split())
            raise InputError(f"{file.path}: {expected} was expected ({reason}); {_REMEDY}") from None
        if not isinstance(model, kind) or not (described or model.session.get_inputs()[0].type == FLOAT):
            raise InputError(f"{file.path}: {expected} in single precision was expected; {_REMEDY}")
        print_device(file, model.session)
        return model


def surround(image: Image, side: int) -> tuple[Image, NDArray[np.float64], NDArray[np.int64]]:
    """Fit an image into the middle of a black square in which a face as wide as the image fills 40 % of the side.

    Portraits and tight crops come smaller thereby; an upright body hardly does, since its height is fitted anyway.

    Args:
        image: (height, width, 3).
        side: of the square, in pixels.

    Returns:
        The square; by how much the image is scaled there, and where it begins, each x before y.
    """
    lengths = np.array(image.shape[1::-1])
    shown = np.maximum(1, np.rint(lengths * side / max(*lengths, lengths.min() / _LARGEST_FACE)).astype(int))
    offset = (side - shown) // 2
    square = np.zeros((side, side, 3), np.uint8)
    (left, top), (right, bottom) = offset, offset + shown
    square[top:bottom, left:right] = cv2.resize(image, shown.tolist())
    return square, shown / lengths, offset


def _networks(folder: Path) -> dict[str, ModelFile]:
    """The detector and the recogniser in a folder."""
    if not folder.is_dir():
        raise InputError(f"{folder}: the folder of face models is missing; {_REMEDY}")
    if has_model_package_manifest(folder):
        try:
            tasks = load_model_package(folder).tasks
        except (ValueError, TypeError) as error:
            raise InputError(f"{folder}: {error}; {_REMEDY}") from None
        return {task: model_file(description.path, _REMEDY, description.sha256) for task, description in tasks.items()}
    networks: dict[str, ModelFile] = {}
    for path in sorted(path for path in folder.rglob("*.onnx") if path.is_file()):
        task = _task(path)
        if task in networks:
            raise InputError(f"{folder}: {networks[task].path.name} and {path.name} both do {task}; leave one there")
        if task is not None:
            networks[task] = model_file(path, _REMEDY)
    return networks


def _task(path: Path) -> str | None:
    """What a network does, by the package's own rules, which go by the form of input and output."""
    try:
        graph = onnx.load(path, load_external_data=False).graph
    except DecodeError:
        raise InputError(
            f"{path}: an ONNX network was expected; this file is truncated or of another kind; {_REMEDY}"
        ) from None
    weights = {weight.name for weight in graph.initializer}
    inputs = [value for value in graph.input if value.name not in weights]
    sides = [dimension.dim_value for dimension in inputs[0].type.tensor_type.shape.dim[2:]] if inputs else []
    if len(graph.output) >= 5:
        return "detection"
    # 192 pixels are the landmark networks'.
    if len(inputs) == 1 and len(set(sides)) == 1 and sides[0] >= 112 and sides[0] % 16 == 0 and sides[0] != 192:
        return "recognition"
    return None


def _batch(shape: list, default: int = 16) -> int:
    """The fixed batch of a network's input, or the default where it takes any."""
    return shape[0] if isinstance(shape[0], int) and shape[0] > 0 else default
