"""ONNX Runtime's networks: their files are checked, and they run on a CUDA device where there is one."""

import logging
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
from google.protobuf.message import DecodeError
from numpy.typing import NDArray

from castsearch.errors import InputError, one_line
from castsearch.float_precision import FloatPrecision
from castsearch.hardware import torch_has_gpu
from castsearch.misnamed import instead_of
from castsearch.model_files import ModelFile
from castsearch.onnx import Network
from castsearch.onnx.runtime import CUDA, FLOAT, RUNTIME_ERRORS, merged, session_options
from castsearch.onnx.winograd import with_winograd

_logger = logging.getLogger(__name__)


def log_session(model: ModelFile, session: onnxruntime.InferenceSession) -> None:
    """Say in the log on which device a network runs, how it could run on a GPU that is there, and if it runs slowly."""
    if CUDA in session.get_providers():
        place = "on a GPU"
    elif torch_has_gpu():
        place = "on the CPU; for the GPU, install onnxruntime-gpu in place of onnxruntime"
    else:
        place = "on the CPU"
    _logger.info("%s: in ONNX Runtime, %s", model.path.name, place)
    weights = len(session.get_overridable_initializers())
    if weights:
        _logger.info("%s: %d weights are listed among its inputs, which makes it slower", model.path.name, weights)


def check_self_contained(model: ModelFile) -> None:
    """Raise an InputError where an ONNX file keeps its weights in other files, which its checksum does not cover."""
    try:
        weights = onnx.load(model.path, load_external_data=False).graph.initializer
    except DecodeError:
        return  # the runtime says what is wrong with it
    others = {entry.value for weight in weights for entry in weight.external_data if entry.key == "location"}
    if others:
        raise InputError(
            f"{model.path}: its weights are in {', '.join(sorted(others))} beside it; make it one file, with Python's "
            "onnx.save(onnx.load(FILE), NEW_FILE)"
        )


def open_session(model: ModelFile, threads: int, expected: str, remedy: str) -> onnxruntime.InferenceSession:
    """Load a network.

    Weights that older files list among the inputs are taken for what they are: the runtime would not merge them into
    the layer before, and would want to be given those that no layer reads.

    Args:
        model: the ONNX file.
        threads: that the runtime may use on the CPU.
        expected: what the file should be, for the message.
        remedy: how to get the right file, for the message.

    Raises:
        InputError: the file is not an ONNX network, or its weights are elsewhere.
    """
    check_self_contained(model)
    try:
        return onnxruntime.InferenceSession(_images_alone_as_input(model), **session_options(threads))
    except RUNTIME_ERRORS as error:
        reason = one_line((str(error).splitlines() or [type(error).__name__])[0])
        wrong = f"{expected} was expected, not a file that fails with {reason}"
        raise InputError(f"{model.path}: {instead_of(expected, model.path, wrong)}; {remedy}") from None


def _images_alone_as_input(model: ModelFile) -> Path | bytes:
    """An ONNX file as it is, or its content without the weights that it lists among its inputs."""
    try:
        network = onnx.load(model.path, load_external_data=False)
    except DecodeError:
        return model.path  # the runtime says what is wrong with it
    weights = {weight.name for weight in network.graph.initializer}
    read = {name for node in network.graph.node for name in node.input}
    inputs = [value for value in network.graph.input if value.name in read - weights]
    surplus = len(network.graph.input) - len(inputs)
    if surplus == 0 or not inputs:
        return model.path
    _logger.info("%s: lists %d weights among its inputs, where they are not wanted", model.path.name, surplus)
    network.graph.ClearField("input")
    network.graph.input.extend(inputs)
    return network.SerializeToString()


def any_batch(run: Callable[[NDArray], Sequence[NDArray]], batch: object) -> Callable[[NDArray], Sequence[NDArray]]:
    """Let a network whose batch is fixed take as many images as there are; the last one fills up its last batch.

    Args:
        run: from an array to the outputs, each with the batch first.
        batch: how many images it takes at once; what is not a positive integer, as in a file, is any number.
    """
    if not isinstance(batch, int) or batch < 1:
        return run

    def run_all(images: NDArray) -> list[NDArray]:
        full = np.concatenate([images, np.repeat(images[-1:], -len(images) % batch, axis=0)])
        batches = [run(full[start : start + batch]) for start in range(0, len(full), batch)]
        return [np.concatenate(parts)[: len(images)] for parts in zip(*batches, strict=True)]

    return run_all


def _fit(shapes: Sequence[Sequence[object]], channels: Sequence[int | None]) -> bool:
    """Whether each output has the wanted number of channels; None stands for any number, and a matrix of them."""
    return len(shapes) == len(channels) and all(
        len(shape) > 1
        and (
            isinstance(shape[1], int) and all(side == 1 for side in shape[2:]) if wanted is None else shape[1] == wanted
        )
        for shape, wanted in zip(shapes, channels, strict=True)
    )


def _in_shape(run: Network, channels: Sequence[int | None]) -> Network:
    """Take from outputs of any number of channels, where `channels` is None, what `_fit` lets them have behind."""
    return lambda images: [
        output.reshape(len(output), -1) if wanted is None else output
        for output, wanted in zip(run(images), channels, strict=True)
    ]


def _check_kind(
    model: ModelFile,
    session: onnxruntime.InferenceSession,
    expected: str,
    channels: Sequence[int | None],
    *,
    size: tuple[int, int] | None,
    remedy: str,
) -> None:
    """Raise an InputError if a network has another input or other outputs than `open_network` is asked for."""
    inputs, outputs = session.get_inputs(), session.get_outputs()
    shapes = [output.shape for output in outputs]
    if len(inputs) != 1 or len(inputs[0].shape) != 4 or not _fit(shapes, channels):
        found = [shape[1] if len(shape) > 1 else None for shape in shapes]
        channels_wanted = [number or "any number of" for number in channels]
        raise InputError(
            f"{model.path}: {expected} was expected, with outputs of {channels_wanted} channels, not {found}; {remedy}"
        )
    _, colours, *sides = inputs[0].shape
    types = {put.type for put in (*inputs, *outputs)}
    if (isinstance(colours, int) and colours != 3) or types != {FLOAT}:
        raise InputError(
            f"{model.path}: {expected} for images of 3 channels in single precision was expected, not of {colours} in "
            f"{', '.join(sorted(types))}; {remedy}"
        )
    if any(isinstance(side, int) and side != wish for side, wish in zip(sides, size or (None, None), strict=True)):
        pixels = f"{size[0]}x{size[1]} pixels" if size else "any size"
        raise InputError(f"{model.path}: {expected} for images of {pixels} was expected, not of {sides}; {remedy}")


def open_network(
    model: ModelFile,
    threads: int,
    expected: str,
    channels: Sequence[int | None],
    *,
    size: tuple[int, int] | None = None,
    remedy: str,
    precision: FloatPrecision = "float32",
    large_maps: bool = False,
) -> Network:
    """Load a network and check that it is of the kind that is wanted.

    It runs in ONNX Runtime in single precision, but in torch where that alone has the precision, or has a CUDA device
    and can run it. It takes any number of images, even where the file fixes one.

    Args:
        model: the ONNX file.
        threads: that the runtime may use on the CPU.
        expected: what the file should be, for the message.
        channels: the second dimension of every output; None for any number, and an output of (batch, that number).
        size: height and width of the images in pixels; None for any.
        remedy: how to get the right file, for the message.
        precision: of the arithmetic; what goes in and comes out is single.
        large_maps: whether its images are so large that the memory of its weights matters less than time: 3x3
            convolutions are then rewritten for the CPU, see `castsearch.onnx.winograd`.

    Raises:
        InputError: the file is not an ONNX network, or has another input or other outputs; or torch alone has the
            precision, and cannot run the network.
    """
    session = open_session(model, threads, expected, remedy)
    _check_kind(model, session, expected, channels, size=size, remedy=remedy)
    [wanted] = session.get_inputs()
    name, batch = wanted.name, wanted.shape[0]
    if precision != "float32" or (CUDA not in session.get_providers() and torch_has_gpu()):
        from castsearch.onnx import torch_network  # noqa: PLC0415 (torch takes seconds to import)

        try:
            run = torch_network.open_torch_network(model.path, session, threads, precision)
            return any_batch(_in_shape(run, channels), batch)
        except InputError as error:
            if precision != "float32":
                raise InputError(f"{error}; set precision: float32") from None
            _logger.info("%s", error)
    if large_maps and CUDA not in session.get_providers():
        network = with_winograd(merged(_images_alone_as_input(model)))
        session = onnxruntime.InferenceSession(network.SerializeToString(), **session_options(threads))
    log_session(model, session)
    return any_batch(_in_shape(lambda images: session.run(None, {name: images}), channels), batch)
