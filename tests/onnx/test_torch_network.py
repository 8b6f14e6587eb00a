import numpy as np
import onnx
import onnxruntime
import pytest
from factories.mxnet_checkpoints import filled_checkpoint
from factories.onnx_models import save
from onnx import helper

from castsearch.errors import InputError
from castsearch.faces.mxnet.importing import build_onnx
from castsearch.faces.networks import retinaface
from castsearch.model_files import model_file
from castsearch.onnx import network as onnx_network
from castsearch.onnx import torch_network

NETWORKS = {"M25": None, "R50": None, "arcface": (112, 112)}


@pytest.fixture
def filled(golden, tmp_path):
    """Write a network with fixed weights."""

    def write(network):
        path = tmp_path / f"{network}.onnx"
        onnx.save(build_onnx(*filled_checkpoint(golden, network), NETWORKS[network]), path)
        return path

    return write


def open_in_torch(path, precision):
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    return torch_network.open_torch_network(path, session, 1, precision)


def errors(outputs, reference):
    expected = [reference[f"output_{index}"] for index in range(len(outputs))]
    assert [a.shape for a in outputs] == [b.shape for b in expected]
    return [np.abs(a - b).max() / np.abs(b).max() for a, b in zip(outputs, expected, strict=True)]


@pytest.mark.slow
@pytest.mark.parametrize("network", NETWORKS)
def test_network_equals_the_reference(golden, filled, network):
    reference = np.load(golden / f"network_{network}.npz")
    outputs = open_in_torch(filled(network), "float32")(reference["data"].astype(np.float32))
    assert max(errors(outputs, reference)) < 1e-4


def test_bfloat16_is_near_the_reference_but_not_it(golden, filled):
    reference = np.load(golden / "network_M25.npz")
    outputs = open_in_torch(filled("M25"), "bfloat16")(reference["data"].astype(np.float32))
    assert 1e-4 < max(errors(outputs, reference)) < 0.05


@pytest.mark.parametrize("opset", [11, 13])
def test_probabilities_of_bfloat16_are_no_multiples_of_a_256th(tmp_path, opset):
    nodes = [
        helper.make_node("Conv", ["image", "kernel"], ["logits"], kernel_shape=[1, 1]),
        helper.make_node("Softmax", ["logits"], ["probabilities"], axis=1),
    ]
    kernel, shape = np.eye(4, dtype=np.float32).reshape(4, 4, 1, 1), [1, 4, 1, 1]
    save(tmp_path / "a.onnx", nodes, {"kernel": kernel}, {"image": shape}, {"probabilities": shape}, opset)
    logits = np.float32([0, 1, 2, 3]).reshape(shape)
    (found,) = open_in_torch(tmp_path / "a.onnx", "bfloat16")(logits)
    np.testing.assert_allclose(found, np.exp(logits) / np.exp(logits).sum(), rtol=1e-5)


@pytest.mark.parametrize(
    ("precision", "gpu", "in_torch"), [("float32", False, False), ("float32", True, True), ("bfloat16", False, True)]
)
def test_torch_takes_what_onnx_runtime_cannot(filled, monkeypatch, precision, gpu, in_torch):
    monkeypatch.setattr(onnx_network, "torch_has_gpu", lambda: gpu)
    channels = retinaface.OUTPUT_CHANNELS
    monkeypatch.setattr(torch_network, "open_torch_network", lambda *_: lambda _: ["in torch"] * len(channels))
    model = model_file(filled("M25"), "")
    network = onnx_network.open_network(model, 1, "a detector", channels, remedy="", precision=precision)
    assert isinstance(network(np.zeros((1, 3, 64, 64), np.float32))[0], str) == in_torch


UNKNOWN = ("Hardmax", {})
OTHERWISE = ("Resize", {"mode": "linear", "coordinate_transformation_mode": "asymmetric"})


def write_operator(path, operator, options):
    """Write a network of one operator, which onnx2torch does not know or takes for another."""
    inputs, weights = ["image"], {}
    if operator == "Resize":
        inputs, weights = ["image", "", "scales"], {"scales": np.float32([1, 1, 2, 2])}
    node = helper.make_node(operator, inputs, ["output"], **options)
    shape = ["batch", 3, "height", "width"]
    save(path, [node], weights, {"image": shape}, {"output": ["batch", 3, "rows", "columns"]})
    return model_file(path, "")


@pytest.mark.parametrize("operator", [UNKNOWN, OTHERWISE])
def test_bfloat16_of_what_torch_cannot_compute_is_refused(tmp_path, operator):
    model = write_operator(tmp_path / "a.onnx", *operator)
    with pytest.raises(InputError, match=r"a\.onnx: torch cannot run this network \(.*\); set precision: float32"):
        onnx_network.open_network(model, 1, "a detector", [3], remedy="", precision="bfloat16")


@pytest.mark.parametrize("operator", [UNKNOWN, OTHERWISE])
def test_what_torch_cannot_compute_stays_in_onnx_runtime(tmp_path, monkeypatch, caplog, operator):
    caplog.set_level("INFO")
    monkeypatch.setattr(onnx_network, "torch_has_gpu", lambda: True)
    model = write_operator(tmp_path / "a.onnx", *operator)
    images = np.random.default_rng(0).normal(size=(1, 3, 5, 7)).astype(np.float32)
    (found,) = onnx_network.open_network(model, 1, "a detector", [3], remedy="")(images)
    session = onnxruntime.InferenceSession(model.path, providers=["CPUExecutionProvider"])
    np.testing.assert_array_equal(found, session.run(None, {"image": images})[0])
    assert "a.onnx: torch cannot run this network" in caplog.text
