"""Face networks in torch: in bfloat16, and on a GPU where ONNX Runtime has no CUDA."""

import logging
import warnings
from functools import partial
from pathlib import Path

import numpy as np
import onnx2torch
import onnxruntime
import torch
from numpy.typing import NDArray
from onnx2torch.node_converters.activations import OnnxSoftmaxV1V11
from torch import nn

from castsearch.errors import InputError
from castsearch.float_precision import FloatPrecision
from castsearch.hardware import torch_has_gpu
from castsearch.onnx import Network
from castsearch.onnx.runtime import merged

logger = logging.getLogger(__name__)

_TOLERANCE = 1e-3  # of an output's largest value: far more than rounding, far less than another meaning
_SIDES = (75, 61)  # of the image that a network of any size is tried on: small, and no multiple of a stride

# What onnx2torch and the modules that it makes raise where they do not know an operator, or one of its options.
_CONVERSION_ERRORS = (AssertionError, AttributeError, IndexError, KeyError, RuntimeError, TypeError, ValueError)


def open_torch_network(
    path: Path, session: onnxruntime.InferenceSession, threads: int, precision: FloatPrecision
) -> Network:
    """Convert an ONNX network to torch, on a CUDA device where there is one, and check that it computes the same.

    Args:
        path: of the ONNX file.
        session: the same in ONNX Runtime, as `castsearch.onnx.network` has checked it.
        threads: that torch may use on the CPU.
        precision: "float32", without TF32; or "bfloat16" for autocast of all but the probabilities, which would
            otherwise come in steps of 1/256: thresholds would move, and ties decide which of several boxes stays.

    Raises:
        InputError: the network has an operator or an option that onnx2torch does not know or takes for another.
    """
    device = torch.device("cuda" if torch_has_gpu() else "cpu")
    reduced = precision == "bfloat16"
    if reduced and device.type == "cpu" and not torch.ops.mkldnn._is_mkldnn_bf16_supported():
        logger.warning("precision bfloat16: this processor has no such arithmetic, and is slower by far with it")
    torch.set_num_threads(threads)
    torch.backends.cudnn.allow_tf32 = torch.backends.cuda.matmul.allow_tf32 = False
    try:
        with warnings.catch_warnings(action="ignore"):  # of results that may differ, which is checked
            network = onnx2torch.convert(merged(path)).eval().to(device, memory_format=torch.channels_last)
        _check_outputs(partial(_run, network, device, False), session)
    except _CONVERSION_ERRORS as error:
        reason = " ".join(str(error).split())
        raise InputError(f"{path}: torch cannot run this network ({reason})") from None
    if reduced:
        for name, module in list(network.named_modules()):
            if isinstance(module, nn.Softmax | OnnxSoftmaxV1V11):
                network.set_submodule(name, _SinglePrecision(module))
    place = "a GPU" if device.type == "cuda" else "the CPU"
    logger.info("%s: in torch, on %s, in %s", path.name, place, precision)
    return partial(_run, network, device, reduced)


def _run(
    network: nn.Module, device: torch.device, reduced: bool, images: NDArray[np.float32]
) -> list[NDArray[np.float32]]:
    batch = torch.from_numpy(images).to(device, memory_format=torch.channels_last)
    with warnings.catch_warnings(), torch.inference_mode(), torch.autocast(device.type, torch.bfloat16, reduced):
        warnings.filterwarnings("ignore", "Using a non-tuple sequence")  # onnx2torch's Slice
        outputs = network(batch)
    outputs = [outputs] if isinstance(outputs, torch.Tensor) else outputs
    return [output.float().cpu().numpy() for output in outputs]


def _check_outputs(network: Network, session: onnxruntime.InferenceSession) -> None:
    """Raise a ValueError unless a network gives what a session gives for a small image."""
    (image,) = session.get_inputs()
    wanted = zip(image.shape, (1, 3, *_SIDES), strict=True)
    shape = [length if isinstance(length, int) and length > 0 else default for length, default in wanted]
    images = np.random.default_rng(0).uniform(0, 255, shape).astype(np.float32)
    names = [output.name for output in session.get_outputs()]
    for name, found, expected in zip(names, network(images), session.run(names, {image.name: images}), strict=True):
        allowed = _TOLERANCE * np.abs(expected).max()
        if found.shape != expected.shape or not np.abs(found - expected).max() <= allowed:  # NaN is refused, too
            raise ValueError(f"its output {name} is not what ONNX Runtime gives")


class _SinglePrecision(nn.Module):
    """A module that computes in single precision, whatever those around it do."""

    def __init__(self, module: nn.Module):
        super().__init__()
        self._module = module

    def forward(self, values: torch.Tensor) -> torch.Tensor:
        with torch.autocast(values.device.type, enabled=False):
            return self._module(values.float())
