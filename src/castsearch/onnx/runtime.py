"""ONNX Runtime: how its sessions are opened, and what they raise."""

import tempfile
from pathlib import Path

import onnx
import onnxruntime
from onnxruntime.capi import onnxruntime_pybind11_state as errors

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
