"""Packs of face networks: which file of a folder is the detector and which the recogniser, and how they are opened.

The networks run in the Python package insightface, whose rules say what a network is by its inputs and outputs, and how
a recogniser's input is normalised.
"""

from pathlib import Path
from typing import NamedTuple, TypeVar

import numpy as np
import onnx
from google.protobuf.message import DecodeError
from insightface.model_zoo import ArcFaceONNX, get_model, has_model_package_manifest, load_model_package
from insightface.model_zoo.scrfd import SCRFD
from numpy.typing import NDArray

from castsearch.errors import InputError
from castsearch.faces.files import ModelFile, model_file
from castsearch.faces.networks import arcface
from castsearch.faces.networks.onnx_network import any_batch, check_self_contained, log_session, open_session
from castsearch.faces.networks.runtime import FLOAT, RUNTIME_ERRORS, session_options

_Model = TypeVar("_Model", SCRFD, ArcFaceONNX)

_REMEDY = "unpack an insightface pack there, such as buffalo_l.zip, or name another folder; see docs/face-models.md"
_OWN_REMEDY = "export it to ONNX again, or take the pack's own recogniser; see docs/face-models.md"


class Pack(NamedTuple):
    """A folder of face networks; the recogniser may be missing."""

    folder: Path
    detector: ModelFile
    recogniser: ModelFile | None


class Recogniser(NamedTuple):
    """A recogniser, the side of its chips, how many of them it takes at once, and the length of its feature."""

    describe: arcface.Describe
    size: int
    batch: int
    dimension: int


def read_pack(folder: Path) -> Pack:
    """Find the detector and the recogniser in a folder.

    Raises:
        InputError: there is no such folder, or no detector in it, or it is not clear which file is what.
    """
    networks = _networks(folder)
    if "detection" not in networks:
        raise InputError(f"{folder}: this folder holds no face detector; {_REMEDY}")
    return Pack(folder, networks["detection"], networks.get("recognition"))


def own_file(path: Path) -> ModelFile:
    """Identify a recogniser's file that is not part of a pack.

    Raises:
        InputError: the file is missing.
    """
    return model_file(path, _OWN_REMEDY)


def open_detector(pack: Pack, side: int, threshold: float, threads: int) -> SCRFD:
    """Load the detector of a pack.

    Args:
        pack: as `read_pack` finds it.
        side: of the square images that are looked at, in pixels.
        threshold: the least score.
        threads: that the network may use on the CPU.

    Raises:
        InputError: the network is no SCRFD with landmarks that takes one image at a time.
    """
    expected = "a face detector of insightface with landmarks"
    model = _open(pack, "detection", SCRFD, expected, threads)
    ranks = {len(output.shape) for output in model.session.get_outputs()}
    takes_one = _batch(model.session.get_inputs()[0].shape, 1) == 1
    if not (model.use_kps and ranks <= {2, 3} and takes_one):
        raise InputError(f"{pack.detector.path}: {expected} was expected, for an image at a time; {_REMEDY}")
    model.prepare(0, input_size=(side, side), det_thresh=threshold)
    return model


def open_recogniser(pack: Pack, threads: int) -> Recogniser:
    """Load the recogniser of a pack.

    Args:
        pack: as `read_pack` finds it.
        threads: that the network may use on the CPU.

    Raises:
        InputError: the pack has none, or the network is of another kind.
    """
    if pack.recogniser is None:
        raise InputError(f"{pack.folder}: this folder holds no face recogniser; {_REMEDY}")
    expected = "a face recogniser of insightface"
    model = _open(pack, "recognition", ArcFaceONNX, expected, threads)
    run = any_batch(lambda chips: [model.get_feat([chip[:, :, ::-1] for chip in chips])], model.input_shape[0])
    return Recogniser(
        lambda chips: run(chips)[0], model.input_size[0], _batch(model.input_shape), model.output_shape[1]
    )


def open_own_recogniser(
    file: ModelFile, threads: int, *, size: int, channels: str, mean: float, scale: float
) -> Recogniser:
    """Load a recogniser whose input the user describes.

    Args:
        file: the ONNX file.
        threads: that the network may use on the CPU.
        size: height and width of the chips, in pixels.
        channels: their order, "rgb" or "bgr".
        mean: subtracted from a value of 0 to 255.
        scale: that the difference is multiplied by.

    Raises:
        InputError: the network is of another kind.
    """
    expected = f"a face recogniser from {size}x{size} pixels of 3 channels to one feature, in single precision,"
    session = open_session(file, threads, expected, _OWN_REMEDY)
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
    log_session(file, session)
    name = inputs[0].name
    run = any_batch(lambda images: session.run(None, {name: images}), shape[0])

    def describe(chips: NDArray[np.uint8]) -> NDArray[np.float32]:
        return run(arcface.network_input(chips, channels, mean, scale))[0]

    return Recogniser(describe, size, _batch(shape), feature[1])


def _open(pack: Pack, task: str, kind: type[_Model], expected: str, threads: int) -> _Model:
    file = pack.detector if task == "detection" else pack.recogniser
    check_self_contained(file)
    # A pack with a manifest says there how its networks want their input; the package then takes the folder.
    described = has_model_package_manifest(pack.folder)
    source = (pack.folder, task) if described else (file.path, None)
    try:
        model = get_model(source[0], model_task=source[1], **session_options(threads))
    except (*RUNTIME_ERRORS, DecodeError, ValueError, RuntimeError, AssertionError) as error:
        reason = " ".join(str(error).split())
        raise InputError(f"{file.path}: {expected} was expected ({reason}); {_REMEDY}") from None
    if not isinstance(model, kind) or not (described or model.session.get_inputs()[0].type == FLOAT):
        raise InputError(f"{file.path}: {expected} in single precision was expected; {_REMEDY}")
    log_session(file, model.session)
    return model


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
