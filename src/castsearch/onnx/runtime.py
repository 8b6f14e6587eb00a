"""ONNX Runtime: how its sessions are opened, on a CUDA device where there is one, and what they raise."""

import logging
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
from google.protobuf.message import DecodeError
from numpy.typing import NDArray
from onnxruntime.capi import onnxruntime_pybind11_state as errors

from castsearch.errors import InputError, one_line
from castsearch.hardware import torch_has_gpu
from castsearch.misnamed import instead_of
from castsearch.model_files import ModelFile

logger = logging.getLogger(__name__)

FLOAT = "tensor(float)"
"""The type of an input or output in single precision."""

CUDA = "CUDAExecutionProvider"
_PROVIDERS = {
    # Single precision is to be that; and crops of ever new sizes must not each be timed with every algorithm.
    CUDA: {"use_tf32": "0", "cudnn_conv_algo_search": "HEURISTIC"},
    "CPUExecutionProvider": {},
}

RUNTIME_ERRORS = (
    errors.Fail,
    errors.InvalidArgument,
    errors.InvalidGraph,
    errors.InvalidProtobuf,
    errors.NotImplemented,
    errors.RuntimeException,
)


_ERRORS_ONLY = 3  # of the severities 0 to 4; real files cause a warning a weight, or one an image


def session_settings(threads: int = 1) -> onnxruntime.SessionOptions:
    """Return the settings of a session that uses `threads` threads on the CPU, and logs no warnings."""
    settings = onnxruntime.SessionOptions()
    settings.intra_op_num_threads = threads
    settings.inter_op_num_threads = 1
    settings.log_severity_level = _ERRORS_ONLY
    return settings


def session_options(threads: int) -> dict[str, object]:
    """Return keyword arguments of a session: its settings, and CUDA before the CPU where it can be had."""
    providers = [provider for provider in _PROVIDERS if provider in onnxruntime.get_available_providers()]
    if providers[0] == CUDA:
        onnxruntime.preload_dlls()  # CUDA's libraries may be those of Python packages, such as torch's
    options = [_PROVIDERS[provider] for provider in providers]
    return {"sess_options": session_settings(threads), "providers": providers, "provider_options": options}


def merged(network: Path | bytes) -> onnx.ModelProto:
    """Return a network with what ONNX Runtime computes ahead: batch norms are part of the convolution before them."""
    settings = session_settings()
    settings.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_BASIC
    with tempfile.TemporaryDirectory() as folder:
        settings.optimized_model_filepath = str(Path(folder, "network.onnx"))
        onnxruntime.InferenceSession(network, settings, providers=["CPUExecutionProvider"])
        return onnx.load(settings.optimized_model_filepath)


def log_session(model: ModelFile, session: onnxruntime.InferenceSession) -> None:
    """Say in the log on which device a network runs, how it could run on a GPU that is there, and if it runs slowly."""
    if CUDA in session.get_providers():
        place = "on a GPU"
    elif torch_has_gpu():
        place = "on the CPU; for the GPU, install onnxruntime-gpu in place of onnxruntime"
    else:
        place = "on the CPU"
    logger.info("%s: in ONNX Runtime, %s", model.path.name, place)
    weights = len(session.get_overridable_initializers())
    if weights:
        logger.info("%s: %d weights are listed among its inputs, which makes it slower", model.path.name, weights)


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
        return onnxruntime.InferenceSession(images_alone_as_input(model), **session_options(threads))
    except RUNTIME_ERRORS as error:
        reason = one_line((str(error).splitlines() or [type(error).__name__])[0])
        wrong = f"{expected} was expected, not a file that fails with {reason}"
        raise InputError(f"{model.path}: {instead_of(expected, model.path, wrong)}; {remedy}") from None


def images_alone_as_input(model: ModelFile) -> Path | bytes:
    """Return an ONNX file as it is, or its content without the weights that it lists among its inputs."""
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
    logger.info("%s: lists %d weights among its inputs, where they are not wanted", model.path.name, surplus)
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
