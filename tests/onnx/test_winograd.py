import numpy as np
import pytest
from factories.onnx_models import save
from onnx import TensorProto, helper, numpy_helper
from onnxruntime import InferenceSession

from castsearch.model_files import model_file
from castsearch.onnx.network import open_network
from castsearch.onnx.winograd import with_winograd

MANY = 128
DIRECT = {"kernel_shape": [3, 3], "pads": [1, 1, 1, 1]}


def convolution(inputs=MANY, outputs=MANY, bias=True, opset=17, **options):
    """A network of one convolution, from `image` to `result`, with an image of any size."""
    rng = np.random.default_rng(0)
    weights = {"kernel": rng.normal(size=(outputs, inputs // options.get("group", 1), 3, 3)) / np.sqrt(9 * inputs)}
    weights |= {"bias": rng.normal(size=outputs)} if bias else {}
    image = helper.make_tensor_value_info("image", TensorProto.FLOAT, ["batch", inputs, "height", "width"])
    result = helper.make_tensor_value_info("result", TensorProto.FLOAT, None)
    tensors = [numpy_helper.from_array(value.astype(np.float32), name) for name, value in weights.items()]
    node = helper.make_node("Conv", ["image", *weights], ["result"], **(DIRECT | options))
    graph = helper.make_graph([node], "network", [image], [result], tensors)
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=8)


def run(model, images):
    return InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"]).run(None, {"image": images})


def images(batch, height, width, channels=MANY):
    return np.random.default_rng(1).normal(size=(batch, channels, height, width)).astype(np.float32)


@pytest.mark.parametrize("shape", [(1, 12, 8), (1, 13, 7), (2, 6, 9), (1, 1, 1)], ids=str)
@pytest.mark.parametrize("bias", [True, False], ids=["bias", "no-bias"])
def test_results_are_those_of_the_convolution(shape, bias):
    model = convolution(bias=bias)
    (expected,), (found,) = run(model, images(*shape)), run(with_winograd(model), images(*shape))
    np.testing.assert_allclose(found, expected, atol=3e-5 * np.abs(expected).max())


@pytest.mark.parametrize(
    "options",
    [
        {"strides": [2, 2]},
        {"dilations": [2, 2]},
        {"pads": [0, 0, 0, 0]},
        {"group": 2},
        {"inputs": 64},
        {"outputs": 64},
        {"opset": 13},
    ],
    ids=str,
)
def test_other_convolutions_stay(options):
    model = convolution(**options)
    assert with_winograd(model).graph == model.graph


def test_network_of_large_maps_gives_the_same_by_other_sums(tmp_path):
    rng, path = np.random.default_rng(2), tmp_path / "network.onnx"
    weights = {
        name: rng.normal(size=(MANY, inputs, 3, 3)).astype(np.float32) for name, inputs in (("a", 3), ("b", MANY))
    }
    nodes = [helper.make_node("Conv", ["image", "a"], ["map"], **DIRECT)]
    nodes += [helper.make_node("Conv", ["map", "b"], ["result"], **DIRECT)]
    save(path, nodes, weights, {"image": [1, 3, "height", "width"]}, {"result": [1, MANY, "height", "width"]})
    plain, rewritten = (
        open_network(model_file(path, ""), 1, "a network", [MANY], remedy="", large_maps=large)(images(1, 20, 11, 3))[0]
        for large in (False, True)
    )
    np.testing.assert_allclose(rewritten, plain, atol=3e-5 * np.abs(plain).max())
    assert not np.array_equal(rewritten, plain)
