"""Packs of face networks: which file of a folder is the detector and which the recogniser, and how they are opened.

The networks run in the Python package insightface. Its rules say what a network is by its inputs and outputs, and how
the input of a recogniser is normalised by the names of its first nodes. People's folders hold more than a pack: what is
not needed, or cannot be read, is left alone with a line in the log.
"""

import logging
from collections.abc import Sequence
from pathlib import Path
from typing import Literal, NamedTuple, TypeVar

import numpy as np
import onnx
import onnxruntime
from google.protobuf.message import DecodeError
from insightface.model_zoo import ArcFaceONNX, get_model, has_model_package_manifest, load_model_package
from insightface.model_zoo.scrfd import SCRFD
from numpy.typing import NDArray
from onnx import numpy_helper

from castsearch.errors import InputError, one_line
from castsearch.faces.networks import arcface
from castsearch.faces.packs import is_hidden
from castsearch.model_files import ModelFile, model_file
from castsearch.onnx.network import any_batch, check_self_contained, log_session, open_session
from castsearch.onnx.runtime import FLOAT, RUNTIME_ERRORS, session_options
from castsearch.onnx.simplified import open_simplified

# Values of -1 to 1 from which more than this is subtracted, or which are divided by more, are no numbers of an image.
_MORE_THAN_NORMALISED = 10
_WITHOUT_EFFECT = ("Cast", "Identity")
_BATCH = 16  # faces that a recogniser takes at once
_SAME = 1e-3  # of the largest number of a feature; single precision, summed in another order, keeps far below

_Model = TypeVar("_Model", SCRFD, ArcFaceONNX)

_REMEDY = "unpack an insightface pack there, such as buffalo_l.zip, or name another folder; see docs/face-models.md"
_UNREADABLE = "no ONNX network: truncated, or of another kind"
_DETECTION, _RECOGNITION = "detection", "recognition"
_OWN_REMEDY = "export it to ONNX again, or take the pack's own recogniser; see docs/face-models.md"


_logger = logging.getLogger(__name__)


class Pack(NamedTuple):
    """A folder of face networks.

    Attributes:
        folder: where they are.
        detector: finds faces.
        recogniser: describes them; None where there is none.
        unreadable: names of files that are no networks, though their names say so.
    """

    folder: Path
    detector: ModelFile
    recogniser: ModelFile | None
    unreadable: list[str]


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
    if not folder.is_dir():
        raise InputError(f"{folder}: the folder of face models is missing; {_REMEDY}")
    networks, ignored = _described(folder) if has_model_package_manifest(folder) else _found(folder)
    for name, reason in ignored.items():
        _logger.info("%s: ignored: %s", folder / name, reason)
    unreadable = [name for name, reason in ignored.items() if reason == _UNREADABLE]
    if _DETECTION not in networks:
        raise InputError(_without("detector", folder, unreadable))
    for task, model in networks.items():
        _logger.info("%s: taken for %s", model.path, task)
    return Pack(folder, networks[_DETECTION], networks.get(_RECOGNITION), unreadable)


def _without(kind: str, folder: Path, unreadable: list[str]) -> str:
    others = "".join(f"; {name} is {_UNREADABLE}" for name in unreadable)
    return f"{folder}: this folder holds no face {kind}{others}; {_REMEDY}"


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
        side: of the square that an image is fitted into where the file does not fix a size, in pixels.
        threshold: the least score.
        threads: that the network may use on the CPU.

    Raises:
        InputError: the network is no SCRFD with landmarks that takes one image at a time.
    """
    expected = "a face detector of insightface with landmarks"
    model = _open(pack.folder, pack.detector, SCRFD, expected, threads)
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
        raise InputError(_without("recogniser", pack.folder, pack.unreadable))
    expected = "a face recogniser of insightface"
    model = _open(pack.folder, pack.recogniser, ArcFaceONNX, expected, threads)
    if len(model.output_shape) != 2:
        raise InputError(f"{pack.recogniser.path}: {expected} was expected, with one feature a face; {_REMEDY}")
    _normalise(model, pack)
    size, mean, scale = model.input_size[0], model.input_mean, 1 / model.input_std
    return _recogniser(pack.recogniser, model.session, threads, size=size, channels="rgb", mean=mean, scale=scale)


def open_own_recogniser(
    file: ModelFile, threads: int, *, size: int, channels: Literal["rgb", "bgr"], mean: float, scale: float
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
    return _recogniser(file, session, threads, size=size, channels=channels, mean=mean, scale=scale)


def _recogniser(
    file: ModelFile,
    session: onnxruntime.InferenceSession,
    threads: int,
    *,
    size: int,
    channels: Literal["rgb", "bgr"],
    mean: float,
    scale: float,
) -> Recogniser:
    """Run a recogniser in a form that is faster and takes any batch, where that gives the same features."""
    (given,), (wanted,) = session.get_inputs(), session.get_outputs()

    def run_as_it_is(images: NDArray[np.float32]) -> Sequence[NDArray[np.float32]]:
        return session.run(None, {given.name: images})

    run, batch = any_batch(run_as_it_is, given.shape[0]), _batch(given.shape)
    trial = np.random.default_rng(0).integers(0, 256, (2, size, size, 3), np.uint8)
    try:
        faster = open_simplified(
            file,
            threads,
            outputs=None,
            trial=(2, 3, size, size),
            shapes=[(2, wanted.shape[1])],
            expected="a recogniser that takes any number of faces",
            remedy="it is used as it is",
        )
        images = arcface.network_input(trial, channels, mean, scale)
        expected = run(images)[0]
        if np.allclose(faster(images)[0], expected, rtol=0, atol=_SAME * np.abs(expected).max()):
            run, batch = faster, _BATCH
    except InputError as error:
        _logger.info("%s", error)

    def describe(chips: NDArray[np.uint8]) -> NDArray[np.float32]:
        return run(arcface.network_input(chips, channels, mean, scale))[0]

    return Recogniser(describe, size, batch, wanted.shape[1])


def _open(folder: Path, file: ModelFile, kind: type[_Model], expected: str, threads: int) -> _Model:
    check_self_contained(file)
    # A pack with a manifest says there how its networks want their input; the package then takes the folder.
    described = has_model_package_manifest(folder)
    task = _DETECTION if kind is SCRFD else _RECOGNITION
    source = (folder, task) if described else (file.path, None)
    try:
        # The package would open another session for every size of image.
        model = get_model(source[0], model_task=source[1], static_shape_sessions=False, **session_options(threads))
    except (*RUNTIME_ERRORS, DecodeError, ValueError, RuntimeError, AssertionError) as error:
        reason = one_line(" ".join(str(error).split()))
        raise InputError(f"{file.path}: {expected} was expected ({reason}); {_REMEDY}") from None
    if not isinstance(model, kind) or not (described or model.session.get_inputs()[0].type == FLOAT):
        raise InputError(f"{file.path}: {expected} in single precision was expected; {_REMEDY}")
    log_session(file, model.session)
    return model


def _normalise(model: ArcFaceONNX, pack: Pack) -> None:
    """Say in the log how the recogniser's input is normalised and why; where its graph does it, keep others from it."""
    if has_model_package_manifest(pack.folder):
        reason = "as the pack's manifest says"
    elif (model.input_mean, model.input_std) == (0, 1):
        reason = "since the names of its first nodes say that it normalises them itself"
    elif own := _own_normalisation(onnx.load(model.model_file, load_external_data=False).graph):
        model.input_mean, model.input_std = 0.0, 1.0
        reason = f"since {own}"
    else:
        reason = "as InsightFace's networks want them; describe another as faces.insightface.recogniser"
    mean, scale = model.input_mean, model.input_std
    _logger.info("%s: gets (value - %g) / %g of values of 0 to 255, %s", model.model_file, mean, scale, reason)


def _own_normalisation(graph: onnx.GraphProto) -> str | None:
    """What the first operators of a graph do to its input that makes sense for values of 0 to 255 alone."""
    constants = {weight.name: weight for weight in graph.initializer}
    constants |= {
        node.output[0]: attribute.t
        for node in graph.node
        if node.op_type == "Constant"
        for attribute in node.attribute
        if attribute.name == "value"
    }
    tensor = next(value.name for value in graph.input if value.name not in constants)
    while True:
        takers = [node for node in graph.node if tensor in node.input]
        if len(takers) != 1:
            return None
        (node,) = takers
        if node.op_type not in _WITHOUT_EFFECT:
            break
        tensor = node.output[0]
    values = [float(numpy_helper.to_array(constants[name]).mean()) for name in node.input if name in constants]
    match node.op_type, values:
        case "Sub" | "Add", [number] if abs(number) > _MORE_THAN_NORMALISED:
            return f"its graph begins with a shift by {number:g}"
        case "Div", [number] if abs(number) > _MORE_THAN_NORMALISED:
            return f"its graph begins with a division by {number:g}"
        case "Mul", [number] if 0 < abs(number) < 1 / _MORE_THAN_NORMALISED:
            return f"its graph begins with a multiplication by {number:g}"
        case "BatchNormalization", [_, _, mean, _] if abs(mean) > _MORE_THAN_NORMALISED:
            return f"its graph begins with a batch normalisation of values about {mean:g}"
    return None


def _described(folder: Path) -> tuple[dict[str, ModelFile], dict[str, str]]:
    """The detector and the recogniser that a pack's manifest names; what else is there does not matter."""
    try:
        tasks = load_model_package(folder).tasks
    except (ValueError, TypeError) as error:
        raise InputError(f"{folder}: {error}; {_REMEDY}") from None
    files = {task: model_file(description.path, _REMEDY, description.sha256) for task, description in tasks.items()}
    return files, {}


def _found(folder: Path) -> tuple[dict[str, ModelFile], dict[str, str]]:
    """The detector and the recogniser of a folder by their form, and why each other file is left alone."""
    candidates: dict[str, list[Path]] = {_DETECTION: [], _RECOGNITION: []}
    ignored: dict[str, str] = {}
    for path in sorted(path for path in folder.rglob("*.onnx") if path.is_file()):
        name = path.relative_to(folder)
        if is_hidden(path, folder):
            ignored[str(name)] = "a hidden file, such as programs keep beside others"
            continue
        try:
            graph = onnx.load(path, load_external_data=False).graph
        except DecodeError:
            ignored[str(name)] = _UNREADABLE
            continue
        task = _task(graph)
        if task is None:
            ignored[str(name)] = "neither detects nor recognises faces, by its inputs and outputs"
        else:
            candidates[task].append(path)
    networks: dict[str, ModelFile] = {}
    for task, paths in candidates.items():
        likely = [path for path in paths if task == _RECOGNITION or _has_landmarks(path)] if len(paths) > 1 else paths
        if len(likely) > 1 or (paths and not likely):
            names = " and ".join(path.name for path in paths)
            raise InputError(f"{folder}: {names} both do {task}; leave one there")
        ignored |= {str(path.relative_to(folder)): "no SCRFD with landmarks" for path in paths if path not in likely}
        for path in likely:
            networks[task] = model_file(path, _REMEDY)
    return networks, ignored


def _task(graph: onnx.GraphProto) -> str | None:
    """What a network does, by the package's own rules, which go by the form of input and output.

    The package would take any network for square images for a recogniser, one that paints faces too; one that describes
    them gives (batch, length).
    """
    if len(graph.output) >= 5:
        return _DETECTION
    weights = {weight.name for weight in graph.initializer}
    inputs = [_lengths(value) for value in graph.input if value.name not in weights]
    outputs = [_lengths(value) for value in graph.output]
    if [len(lengths) for lengths in inputs] != [4] or [len(lengths) for lengths in outputs] not in ([2], [0]):
        return None
    _, _, height, width = inputs[0]
    # 192 pixels are the landmark networks'.
    if height == width and height >= 112 and height % 16 == 0 and height != 192:
        return _RECOGNITION
    return None


def _has_landmarks(path: Path) -> bool:
    """Whether a network has the outputs of an SCRFD with landmarks: three for each of three or five strides."""
    outputs = [_lengths(value) for value in onnx.load(path, load_external_data=False).graph.output]
    return len(outputs) in (9, 15) and all(len(lengths) in (2, 3) for lengths in outputs)


def _lengths(value: onnx.ValueInfoProto) -> list[int]:
    """The lengths of a tensor, 0 where one is not fixed; empty where its shape is not known."""
    return [dimension.dim_value for dimension in value.type.tensor_type.shape.dim]


def _batch(shape: list, default: int = _BATCH) -> int:
    """The fixed batch of a network's input, or the default where it takes any."""
    return shape[0] if isinstance(shape[0], int) and shape[0] > 0 else default
