"""Convolutions by Winograd's minimal filtering, as ONNX operators: ONNX Runtime's CPU kernels compute them directly."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import helper, numpy_helper

# F(4x4, 3x3) of Lavin and Gray, "Fast Algorithms for Convolutional Neural Networks", CVPR 2016, section 4.2: an output
# tile of 4x4 pixels is A^T [(G g G^T) * (B^T d B)] A of a kernel g of 3x3 and an input tile d of 6x6, so that a pair of
# channels costs 36 multiplications a tile in place of 144.
_INPUT = np.array(  # B^T
    [
        [4, 0, -5, 0, 1, 0],
        [0, -4, -4, 1, 1, 0],
        [0, 4, -4, -1, 1, 0],
        [0, -2, -1, 2, 1, 0],
        [0, 2, -1, -2, 1, 0],
        [0, 4, 0, -5, 0, 1],
    ]
)
_KERNEL = np.array([[6, 0, 0], [-4, -4, -4], [-4, 4, -4], [1, 2, 4], [1, -2, 4], [0, 0, 24]]) / 24  # G
_OUTPUT = np.array([[1, 1, 1, 1, 1, 0], [0, 1, -1, 2, -2, 0], [0, 1, 1, 4, 4, 0], [0, 1, -1, 8, -8, 1]])  # A^T
_TILE, _POINTS = len(_OUTPUT), len(_INPUT) ** 2

_LEAST_CHANNELS = 128  # with 64, the transformations cost all that the multiplications save
_LEAST_OPSET = 15  # for "Shape" of some axes
_REWRITTEN = {"kernel_shape": [3, 3], "strides": [1, 1], "pads": [1, 1, 1, 1], "dilations": [1, 1], "group": 1}


def with_winograd(network: onnx.ModelProto) -> onnx.ModelProto:
    """Rewrite the 3x3 convolutions of stride 1 that have many channels, so that they take a quarter of the products.

    The results differ from a direct convolution's by rounding. The rewritten kernels take four times the memory, and
    what a layer keeps between its steps more than twice as much as its maps, so this is for large maps, where time
    matters more.

    Args:
        network: whose batch norms have been merged into the convolutions, where that can be done.

    Returns:
        A new model, or the given one where its operators are older than those that take a convolution's place.
    """
    if any(opset.domain in ("", "ai.onnx") and opset.version < _LEAST_OPSET for opset in network.opset_import):
        return network
    weights = {tensor.name: numpy_helper.to_array(tensor) for tensor in network.graph.initializer}
    nodes: list[onnx.NodeProto] = []
    added: dict[str, NDArray] = {}
    replaced: set[str] = set()
    for node in network.graph.node:
        if _is_meant(node, weights):
            nodes.extend(_tiled(node, weights, added))
            replaced.update(node.input[1:])
        else:
            nodes.append(node)
    replaced.difference_update(name for node in nodes for name in node.input)
    rewritten = onnx.ModelProto()
    rewritten.CopyFrom(network)
    graph = rewritten.graph
    for field in ("node", "initializer", "value_info"):
        graph.ClearField(field)
    graph.node.extend(nodes)
    graph.initializer.extend(tensor for tensor in network.graph.initializer if tensor.name not in replaced)
    graph.initializer.extend(numpy_helper.from_array(array, name) for name, array in added.items())
    return rewritten


def _is_meant(node: onnx.NodeProto, weights: dict[str, NDArray]) -> bool:
    if node.op_type != "Conv" or not all(name in weights for name in node.input[1:]):
        return False
    options = {attribute.name: helper.get_attribute_value(attribute) for attribute in node.attribute}
    if options.pop("auto_pad", b"NOTSET") != b"NOTSET" or "pads" not in options:
        return False
    kernel = weights[node.input[1]]
    return (
        kernel.dtype == np.float32
        and kernel.shape[2:] == (3, 3)
        and min(kernel.shape[:2]) >= _LEAST_CHANNELS
        and all(value == _REWRITTEN[name] for name, value in options.items())
    )


def _tiled(node: onnx.NodeProto, weights: dict[str, NDArray], added: dict[str, NDArray]) -> Iterator[onnx.NodeProto]:
    """The operators that take the place of a convolution; the arrays that they need are added to `added`."""
    source, name = node.input[0], node.output[0]
    kernel, *bias = (weights[part] for part in node.input[1:])
    outputs, inputs = kernel.shape[:2]

    def constant(label: str, array: NDArray) -> str:
        added[label] = np.ascontiguousarray(array)
        return label

    def shared(part: str, array: NDArray) -> str:  # by layers, of which ONNX Runtime merges what has the same arguments
        return constant(f"winograd.{part}", array)

    def numbers(*values: int) -> str:
        return shared("numbers" + "".join(f".{value}" for value in values), np.array(values, np.int64))

    def step(operator: str, arguments: list[str], part: str, **options: Any) -> onnx.NodeProto:
        return helper.make_node(operator, arguments, [f"{name}.{part}"], **options)

    # Of every channel, the tiles with their edges, transformed: a convolution with 36 kernels and a stride of 4.
    to_points = np.tile(np.kron(_INPUT, _INPUT).reshape(_POINTS, 1, 6, 6), (inputs, 1, 1, 1)).astype(np.float32)
    around = [1, 1, _TILE, _TILE]  # enough behind the last pixel for any length; what is too much is cut off below
    arguments = [source, shared(f"to_points.{inputs}", to_points)]
    yield step("Conv", arguments, "by_channel", strides=[_TILE] * 2, pads=around, group=inputs)
    yield step("Shape", [f"{name}.by_channel"], "tiles", start=2)
    yield step("Reshape", [f"{name}.by_channel", numbers(0, inputs, _POINTS, -1)], "points_of_channel")
    yield step("Transpose", [f"{name}.points_of_channel"], "points", perm=[0, 2, 1, 3])
    # At each of the 36 points, all channels are mixed.
    transformed = np.kron(_KERNEL, _KERNEL) @ kernel.reshape(-1, 9).T
    mixing = constant(f"{name}.kernel", transformed.reshape(_POINTS, outputs, inputs).astype(np.float32))
    yield step("MatMul", [mixing, f"{name}.points"], "mixed")
    # Back from 36 points to 16 pixels, and from tiles to a map.
    yield step("Reshape", [f"{name}.mixed", numbers(0, _POINTS, -1)], "mixed_points")
    to_pixels = shared("to_pixels", np.kron(_OUTPUT, _OUTPUT).astype(np.float32))
    yield step("MatMul", [to_pixels, f"{name}.mixed_points"], "pixels")
    yield step("Concat", [numbers(0, _TILE**2 * outputs), f"{name}.tiles"], "map_shape", axis=0)
    yield step("Reshape", [f"{name}.pixels", f"{name}.map_shape"], "map")
    yield step("DepthToSpace", [f"{name}.map"], "whole_tiles", blocksize=_TILE, mode="DCR")
    yield step("Shape", [source], "size", start=2)
    cut = [f"{name}.whole_tiles", numbers(0, 0), f"{name}.size", numbers(2, 3)]
    yield step("Slice", cut, "without_bias")
    offset = bias[0] if bias else np.zeros(outputs, np.float32)
    yield helper.make_node("Add", [f"{name}.without_bias", constant(f"{name}.bias", offset.reshape(-1, 1, 1))], [name])
