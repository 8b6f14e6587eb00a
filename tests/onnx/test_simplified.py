import numpy as np
import pytest
from onnx import TensorProto, helper, numpy_helper
from onnx.reference import ReferenceEvaluator

from castsearch.onnx.simplified import simplify


def network(nodes, weights, inputs=()):
    """A network from `image` to `result` whose `inputs` are listed beside the image."""
    image = helper.make_tensor_value_info("image", TensorProto.FLOAT, [1, 3, 4, 4])
    result = helper.make_tensor_value_info("result", TensorProto.FLOAT, None)
    listed = [helper.make_tensor_value_info(name, TensorProto.FLOAT, None) for name in inputs]
    tensors = [numpy_helper.from_array(value, name) for name, value in weights.items()]
    graph = helper.make_graph(nodes, "network", [image, *listed], [result], tensors)
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 21)])


def run(model, batch=1, side=4):
    images = np.random.default_rng(0).normal(size=(batch, 3, side, side)).astype(np.float32)
    return ReferenceEvaluator(model).run(None, {"image": images})[0]


def operators(model):
    return [node.op_type for node in model.graph.node]


PRELU = network(
    [helper.make_node("PRelu", ["image", "slope"], ["result"])],
    {"slope": np.array([-0.5, 0.25, 1.5], np.float32).reshape(3, 1, 1)},
)


def test_prelu_becomes_parts_that_compute_the_same():
    assert "PRelu" not in operators(simplify(PRELU))
    np.testing.assert_allclose(run(simplify(PRELU)), run(PRELU), atol=1e-6)


def test_batch_height_and_width_are_free():
    assert run(simplify(PRELU), batch=3, side=7).shape == (3, 3, 7, 7)


def test_the_model_that_is_given_stays_as_it_is():
    before = PRELU.SerializeToString()
    simplify(PRELU)
    assert PRELU.SerializeToString() == before


def test_weights_are_no_inputs_whether_they_are_read_or_not():
    model = network(
        [helper.make_node("Mul", ["image", "factor"], ["result"])],
        {"factor": np.array(2, np.float32)},
        inputs=("factor", "unread"),
    )
    assert [value.name for value in simplify(model).graph.input] == ["image"]
    np.testing.assert_array_equal(run(simplify(model)), run(network(model.graph.node, {"factor": np.float32(2)})))


@pytest.mark.parametrize(
    ("scale", "options"),
    [
        (np.array(0.5, np.float32), {}),
        (np.array([0.5, 2, 4], np.float32), {"axis": 0}),
        (np.array([[1, 2], [3, 4], [5, 6]], np.float32), {"axis": 1, "block_size": 3}),
    ],
    ids=["one scale", "a scale per channel", "a scale per block, the last cut off"],
)
def test_weights_of_eight_bits_become_numbers(scale, options):
    stored = np.arange(-7, 8, dtype=np.int8).reshape(3, 5)
    zero = np.ones(scale.shape, np.int8)
    nodes = [
        helper.make_node("DequantizeLinear", ["stored", "scale", "zero"], ["weight"], **options),
        helper.make_node("Reshape", ["weight", "shape"], ["shaped"]),
        helper.make_node("Conv", ["image", "shaped"], ["result"]),
    ]
    shape = np.array([5, 3, 1, 1])
    simple = simplify(network(nodes, {"stored": stored, "scale": scale, "zero": zero, "shape": shape}))
    assert operators(simple) == ["Reshape", "Conv"]
    spread = scale.reshape(-1, 1) if scale.ndim == 1 else np.repeat(scale, 3, 1)[:, :5] if scale.ndim else scale
    (weight,) = [numpy_helper.to_array(tensor) for tensor in simple.graph.initializer if tensor.name == "weight"]
    np.testing.assert_array_equal(weight, (stored - 1.0) * spread)


def test_what_depends_on_the_image_is_left_alone():
    nodes = [
        helper.make_node("QuantizeLinear", ["image", "scale"], ["small"]),
        helper.make_node("DequantizeLinear", ["small", "scale"], ["result"]),
    ]
    model = network(nodes, {"scale": np.array(0.1, np.float32)})
    assert operators(simplify(model)) == ["QuantizeLinear", "DequantizeLinear"]
