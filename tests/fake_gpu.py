"""Run what runs on a GPU on torch's fake tensors of one, where tensors have a device and a shape but no values.

    python tests/fake_gpu.py

Prints a line for each case. A tensor on the wrong device raises, as does one that reaches NumPy without `cpu()`.
It is a process of its own and ends without cleaning up: torch 2.14 crashed in some runs that freed such networks.
"""

import gc
import os
import sys
import tempfile
import traceback
from dataclasses import replace
from functools import partial
from itertools import product
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import onnx
import pyarrow as pa
import torch
from factories.crops import people_rows
from onnx import TensorProto, helper
from torch import nn
from torch._subclasses.fake_tensor import FakeTensorMode, unset_fake_temporarily

from castsearch.onnx import torch_network
from castsearch.reid import networks
from castsearch.reid.features import extract
from castsearch.reid.recipe import Recipe
from castsearch.reid.torch_features import describer
from castsearch.reid.trainer import Learner
from castsearch.reid.validation import validate
from castsearch.search import neighbors

SIZE = (64, 32)
RECIPE = Recipe("triplet", "mobilenet_v2", people=2, images=2, height=SIZE[0], width=SIZE[1])
OPTIONS = (
    {},
    {"kind": "mgn"},
    {"precision": "bfloat16"},
    {"margin": 0.3, "mining": "uniform", "metric": "sqeuclidean"},
    {"mining": "adaptive", "metric": "cosine"},
    {"metric": "cosine", "label_smoothing": 0.1},
    {"kind": "mgn", "pooling": "gem", "neck": "bnneck"},
)
KEPT = []


def build(kind: str, **options: str) -> nn.Module:
    """A network on the CPU."""
    with unset_fake_temporarily():
        KEPT.append(networks.build(kind, "mobilenet_v2", 2, input_size=SIZE, **options))
    return KEPT[-1]


def move(module: nn.Module, *place: object, **layout: object) -> nn.Module:
    """`nn.Module.to`, which cannot put fake tensors into parameters that are there already."""
    for part in module.modules() if place else ():
        for name, parameter in list(part.named_parameters(recurse=False)):
            setattr(part, name, nn.Parameter(parameter.detach().to(*place)))
        for name, buffer in list(part.named_buffers(recurse=False)):
            setattr(part, name, buffer.to(*place))
    return module


def to_numpy(tensor: torch.Tensor) -> np.ndarray:
    """Zeros of a tensor's shape, if it is on the CPU."""
    if tensor.device.type != "cpu":
        raise TypeError(f"a tensor of {tensor.device} cannot become an array")
    return np.zeros(tuple(tensor.shape), str(tensor.dtype).removeprefix("torch."))


def train(options: dict) -> None:
    """One training step. The gradients' own pass is left out: torch runs it in threads of the driver."""
    recipe = replace(RECIPE, **options)
    network = build(recipe.kind, pooling=recipe.pooling, neck=recipe.neck).to("cuda")

    def backward(loss: torch.Tensor) -> None:
        assert loss.device.type == "cuda"
        for parameter in network.parameters():
            parameter.grad = torch.zeros_like(parameter)

    torch.Tensor.backward = backward
    images, labels = torch.zeros(4, *SIZE, 3, dtype=torch.uint8), torch.tensor([0, 0, 1, 1])
    with torch.no_grad():
        KEPT.append(Learner(network, recipe, [len(labels)]))
        assert KEPT[-1].step(images, labels).device.type == "cuda"


def gallery() -> pa.Table:
    """Two images of each of two people."""
    rows = people_rows(["a", "b"], 2)
    columns = {"id": [row["id"] for row in rows], "image": pa.array([row["image"] for row in rows], pa.binary())}
    return pa.table(columns | {"movie": ["m"] * 4, "frame": list("abcd"), "person": list("aabb")})


def describe(kind: str, precision: str) -> None:
    """Features of bodies."""
    features = extract(describer(build(kind), device="cuda", precision=precision), gallery())
    assert features.shape == (4, 1280 * {"triplet": 1, "mgn": 4}[kind])


def validation() -> None:
    """Validation of a network in training."""
    assert validate(build("triplet"), gallery(), device="cuda", precision="float32")["queries"] == 4


def rerank() -> None:
    """The nearest neighbours of many images."""
    neighbors.torch_has_gpu = lambda: True
    features = np.random.default_rng(0).standard_normal((neighbors.GPU_ROWS, 4)).astype(np.float32)
    indices, cosines, lowest = neighbors.nearest_neighbors(features, 3)
    assert (indices.shape, cosines.shape, lowest.shape) == ((4000, 3), (4000, 3), (4000,))
    assert not cosines.any()  # the CPU would have found some


def run_face_network(precision: str) -> None:
    """A face network in torch."""
    nodes = [
        helper.make_node("Conv", ["data", "weights"], ["planes"], kernel_shape=[3, 3]),
        helper.make_node("Softmax", ["planes"], ["scores"], axis=1),
    ]
    data = helper.make_tensor_value_info("data", TensorProto.FLOAT, [1, 3, 16, 16])
    scores = helper.make_tensor_value_info("scores", TensorProto.FLOAT, [1, 2, 14, 14])
    weights = onnx.numpy_helper.from_array(np.ones((2, 3, 3, 3), np.float32), "weights")
    model = helper.make_model(
        helper.make_graph(nodes, "network", [data], [scores], [weights]), opset_imports=[helper.make_opsetid("", 13)]
    )
    session = SimpleNamespace(  # which gives what the fake GPU does
        get_inputs=lambda: [SimpleNamespace(name="data", shape=[1, 3, 16, 16])],
        get_outputs=lambda: [SimpleNamespace(name="scores")],
        run=lambda names, feed: [np.zeros((1, 2, 14, 14), np.float32)],
    )
    answers = iter([True])  # when it is asked where to run; the fake tensors ask, too
    torch.cuda.is_available = lambda: next(answers, False)
    with tempfile.TemporaryDirectory() as folder:
        onnx.save(model, Path(folder, "network.onnx"))
        run = torch_network.open_torch_network(Path(folder, "network.onnx"), session, 1, precision)
    KEPT.append(run)
    (output,) = run(np.zeros((1, 3, 16, 16), np.float32))
    assert output.shape == (1, 2, 14, 14)


CASES = {
    **{f"train {options}": partial(train, options) for options in OPTIONS},
    **{
        f"describe {kind} {precision}": partial(describe, kind, precision)
        for kind, precision in product(("triplet", "mgn"), ("float32", "bfloat16"))
    },
    "validate": validation,
    "rerank": rerank,
    **{f"face network {precision}": partial(run_face_network, precision) for precision in ("float32", "bfloat16")},
}


def main() -> None:
    """Run every case."""
    gc.disable()
    torch.Tensor.numpy, nn.Module.to = to_numpy, move
    failed = False
    with FakeTensorMode(allow_non_fake_inputs=True):
        for name, case in CASES.items():
            try:
                case()
                print(f"{name}: ran", flush=True)
            except Exception:
                failed = True
                print(f"{name}: {traceback.format_exc()}", flush=True)
    sys.stdout.flush()
    os._exit(failed)


if __name__ == "__main__":
    main()
