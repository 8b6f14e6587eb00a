"""Networks for images in ONNX files, of a kind that is checked: they run in ONNX Runtime, or in torch on a GPU."""

import logging
from collections.abc import Sequence

import onnxruntime

from castsearch.errors import InputError
from castsearch.float_precision import FloatPrecision
from castsearch.hardware import torch_has_gpu
from castsearch.model_files import ModelFile
from castsearch.onnx import Network
from castsearch.onnx.runtime import (
    CUDA,
    FLOAT,
    any_batch,
    images_alone_as_input,
    log_session,
    merged,
    open_session,
    session_options,
)
from castsearch.onnx.winograd import with_winograd

logger = logging.getLogger(__name__)


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
            logger.info("%s", error)
    if large_maps and CUDA not in session.get_providers():
        network = with_winograd(merged(images_alone_as_input(model)))
        session = onnxruntime.InferenceSession(network.SerializeToString(), **session_options(threads))
    log_session(model, session)
    return any_batch(_in_shape(lambda images: session.run(None, {name: images}), channels), batch)
