"""Networks of packs, opened by the Python package insightface.

The package tells how a recogniser's input is normalised by the names of the first nodes. Exporters choose names as they
like, so the nodes themselves are looked at, too.
"""

import logging
from collections.abc import Sequence
from pathlib import Path
from typing import Literal, NamedTuple, TypeVar

import numpy as np
import onnx
import onnxruntime
from google.protobuf.message import DecodeError
from insightface.model_zoo import ArcFaceONNX, get_model, has_model_package_manifest
from insightface.model_zoo.scrfd import SCRFD
from numpy.typing import NDArray
from onnx import numpy_helper

from castsearch.errors import InputError, one_line
from castsearch.faces.networks import arcface
from castsearch.faces.packs.reading import DETECTION, RECOGNITION, REMEDY, Pack, missing_network
from castsearch.model_files import ModelFile, model_file
from castsearch.onnx.runtime import (
    FLOAT,
    RUNTIME_ERRORS,
    any_batch,
    check_self_contained,
    log_session,
    open_session,
    session_options,
)
from castsearch.onnx.simplified import open_simplified

# Values of -1 to 1 from which more than this is subtracted, or which are divided by more, are no numbers of an image.
_MORE_THAN_NORMALISED = 10
_WITHOUT_EFFECT = ("Cast", "Identity")
_BATCH = 16  # faces that a recogniser takes at once
_SAME = 1e-3  # of the largest number of a feature; single precision, summed in another order, keeps far below
_OWN_REMEDY = "export it to ONNX again, or take the pack's own recogniser; see docs/face-models.md"

_Model = TypeVar("_Model", SCRFD, ArcFaceONNX)

logger = logging.getLogger(__name__)


class Recogniser(NamedTuple):
    """A recogniser, the side of its chips, how many of them it takes at once, and the length of its feature."""

    describe: arcface.Describe
    size: int
    batch: int
    dimension: int


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
        raise InputError(f"{pack.detector.path}: {expected} was expected, for an image at a time; {REMEDY}")
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
        raise InputError(missing_network("recogniser", pack.folder, pack.unreadable))
    expected = "a face recogniser of insightface"
    model = _open(pack.folder, pack.recogniser, ArcFaceONNX, expected, threads)
    if len(model.output_shape) != 2:
        raise InputError(f"{pack.recogniser.path}: {expected} was expected, with one feature a face; {REMEDY}")
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
        logger.info("%s", error)

    def describe(chips: NDArray[np.uint8]) -> NDArray[np.float32]:
        return run(arcface.network_input(chips, channels, mean, scale))[0]

    return Recogniser(describe, size, batch, wanted.shape[1])


def _open(folder: Path, file: ModelFile, kind: type[_Model], expected: str, threads: int) -> _Model:
    check_self_contained(file)
    # A pack with a manifest says there how its networks want their input; the package then takes the folder.
    described = has_model_package_manifest(folder)
    task = DETECTION if kind is SCRFD else RECOGNITION
    source = (folder, task) if described else (file.path, None)
    try:
        # The package would open another session for every size of image.
        model = get_model(source[0], model_task=source[1], static_shape_sessions=False, **session_options(threads))
    except (*RUNTIME_ERRORS, DecodeError, ValueError, RuntimeError, AssertionError) as error:
        reason = one_line(" ".join(str(error).split()))
        raise InputError(f"{file.path}: {expected} was expected ({reason}); {REMEDY}") from None
    if not isinstance(model, kind) or not (described or model.session.get_inputs()[0].type == FLOAT):
        raise InputError(f"{file.path}: {expected} in single precision was expected; {REMEDY}")
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
    logger.info("%s: gets (value - %g) / %g of values of 0 to 255, %s", model.model_file, mean, scale, reason)


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


def _batch(shape: list, default: int = _BATCH) -> int:
    """The fixed batch of a network's input, or the default where it takes any."""
    return shape[0] if isinstance(shape[0], int) and shape[0] > 0 else default
