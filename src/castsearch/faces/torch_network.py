"""Face networks in torch: in bfloat16, and on a GPU where ONNX Runtime has no CUDA."""

import sys
import tempfile
import warnings
from pathlib import Path

import numpy as np
import onnx
import onnx2torch
import onnxruntime
import torch
from numpy.typing import NDArray
from onnx2torch.node_converters.activations import OnnxSoftmaxV1V11
from torch import nn

from castsearch.faces.onnx_network import Network, Precision


def open_network(path: Path, threads: int, precision: Precision) -> Network:
    """Load an ONNX network that `castsearch.faces.onnx_network` has checked, on a CUDA device where there is one.

    Args:
        path: of the ONNX file.
        threads: that torch may use on the CPU.
        precision: "float32", without TF32; or "bfloat16" for autocast of all but the probabilities, which would
            otherwise come in steps of 1/256: thresholds would move, and ties decide which of several boxes stays.
    """
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    reduced = precision == "bfloat16"
    if reduced and device.type == "cpu" and not torch.ops.mkldnn._is_mkldnn_bf16_supported():
        print(
            "precision bfloat16: this processor has no such arithmetic, and is slower by far with it", file=sys.stderr
        )
    torch.set_num_threads(threads)
    torch.backends.cudnn.allow_tf32 = torch.backends.cuda.matmul.allow_tf32 = False
    network = onnx2torch.convert(_simplified(path)).eval().to(device, memory_format=torch.channels_last)
    if reduced:
        for name, module in list(network.named_modules()):
            if isinstance(module, nn.Softmax | OnnxSoftmaxV1V11):
                network.set_submodule(name, _SinglePrecision(module))

    def run(images: NDArray[np.float32]) -> list[NDArray[np.float32]]:
        batch = torch.from_numpy(images).to(device, memory_format=torch.channels_last)
        with warnings.catch_warnings(), torch.inference_mode(), torch.autocast(device.type, torch.bfloat16, reduced):
            warnings.filterwarnings("ignore", "Using a non-tuple sequence")  # onnx2torch's Slice
            outputs = network(batch)
        outputs = [outputs] if isinstance(outputs, torch.Tensor) else outputs
        return [output.float().cpu().numpy() for output in outputs]

    return run


class _SinglePrecision(nn.Module):
    """A module that computes in single precision, whatever those around it do."""

    def __init__(self, module: nn.Module):
        super().__init__()
        self._module = module

    def forward(self, values: torch.Tensor) -> torch.Tensor:
        with torch.autocast(values.device.type, enabled=False):
            return self._module(values.float())


def _simplified(path: Path) -> onnx.ModelProto:
    """The network with what ONNX Runtime computes ahead: batch norms become part of the convolution before them."""
    settings = onnxruntime.SessionOptions()
    settings.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_BASIC
    with tempfile.TemporaryDirectory() as folder:
        settings.optimized_model_filepath = str(Path(folder, "network.onnx"))
        onnxruntime.InferenceSession(path, settings, providers=["CPUExecutionProvider"])
        return onnx.load(settings.optimized_model_filepath)
