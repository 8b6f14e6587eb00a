"""Frozen graphs of TensorFlow 1 as ONNX, without TensorFlow: what convolutional detectors are made of.

A frozen graph is one protobuf message, a `GraphDef`, whose weights are constants. Only the fields that are needed here
are declared, with the numbers that TensorFlow's graph.proto, node_def.proto, attr_value.proto and tensor.proto give
them. Pictures are (batch, height, width, channels) there, and (batch, channels, height, width) in ONNX.
"""

from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from google.protobuf import descriptor_pb2, descriptor_pool, message_factory
from google.protobuf.message import DecodeError
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from castsearch.errors import InputError

_OPSET = 17
_IR_VERSION = 8  # what ONNX Runtime has read since 1.12
_FLOAT = 1  # number of the type of single precision

# Fields of messages: name, number and type; a type in brackets is repeated.
_BYTES, _INT, _SINGLE, _TEXT = (
    descriptor_pb2.FieldDescriptorProto.TYPE_BYTES,
    descriptor_pb2.FieldDescriptorProto.TYPE_INT64,
    descriptor_pb2.FieldDescriptorProto.TYPE_FLOAT,
    descriptor_pb2.FieldDescriptorProto.TYPE_STRING,
)
_MESSAGES: dict[str, list[tuple[str, int, Any]]] = {
    "Dim": [("size", 1, _INT)],
    "Shape": [("dim", 2, ["Dim"])],
    "Tensor": [("dtype", 1, _INT), ("shape", 2, "Shape"), ("content", 4, _BYTES), ("floats", 5, [_SINGLE])],
    "Numbers": [("i", 3, [_INT])],
    "Value": [("list", 1, "Numbers"), ("s", 2, _BYTES), ("f", 4, _SINGLE), ("tensor", 8, "Tensor")],
    "Attribute": [("key", 1, _TEXT), ("value", 2, "Value")],
    "Node": [("name", 1, _TEXT), ("op", 2, _TEXT), ("input", 3, [_TEXT]), ("attr", 5, ["Attribute"])],
    "Graph": [("node", 1, ["Node"])],
}


def to_onnx(path: Path, pictures: str, outputs: Sequence[str], remedy: str) -> bytes:
    """Return the part of a frozen graph between pictures and outputs as an ONNX file.

    Args:
        path: the frozen graph.
        pictures: name of the node that gives the pictures; the ONNX network takes (1, 3, height, width) in its place.
        outputs: names of the nodes that give the outputs, which have four dimensions.
        remedy: how to get the right file, for the message.

    Raises:
        InputError: the file is no frozen graph, lacks a node, or has operators that are not known here.
    """
    graph = _graph_type()()
    try:
        graph.ParseFromString(path.read_bytes())
        return _Converter({node.name: node for node in graph.node}, pictures).convert(outputs)
    except (DecodeError, LookupError, RecursionError, ValueError) as error:  # nodes in a circle recur
        raise InputError(f"{path}: not the frozen graph that was expected ({error}); {remedy}") from None


class _Converter:
    """Converts nodes, each after those that it reads."""

    def __init__(self, nodes: Mapping[str, Any], pictures: str):
        self._nodes, self._pictures = nodes, pictures
        self._done: dict[str, str] = {pictures: pictures}
        self._made: list[onnx.NodeProto] = []
        self._weights: list[TensorProto] = []

    def convert(self, outputs: Sequence[str]) -> bytes:
        values = [self._value(name) for name in outputs]
        graph = helper.make_graph(
            self._made,
            "frozen graph",
            [helper.make_tensor_value_info(self._pictures, TensorProto.FLOAT, [1, 3, "height", "width"])],
            [helper.make_tensor_value_info(value, TensorProto.FLOAT, [1, None, None, None]) for value in values],
            self._weights,
        )
        opset = [helper.make_opsetid("", _OPSET)]
        return helper.make_model(graph, opset_imports=opset, ir_version=_IR_VERSION).SerializeToString()

    def _value(self, name: str) -> str:
        """Name of the ONNX value of a node, which is converted if that has not been done yet."""
        if name not in self._done:
            node = self._nodes[name]
            self._done[name] = self._value(node.input[0]) if node.op == "Identity" else self._node(node)
        return self._done[name]

    def _node(self, node: Any) -> str:
        attributes = {entry.key: entry.value for entry in node.attr}
        if node.op in ("Conv2D", "DepthwiseConv2dNative"):
            weights = self._constant(node.input[1])
            depthwise = node.op != "Conv2D"  # its weights are (height, width, channels, outputs of each)
            self._add(
                "Conv",
                node,
                [weights.transpose((2, 3, 0, 1) if depthwise else (3, 2, 0, 1))],
                group=weights.shape[2] if depthwise else 1,
                strides=list(attributes["strides"].list.i)[1:3],
                auto_pad={b"SAME": "SAME_UPPER", b"VALID": "VALID"}[attributes["padding"].s],
            )
        elif node.op == "FusedBatchNorm":
            statistics = [self._constant(name) for name in node.input[1:5]]
            self._add("BatchNormalization", node, statistics, epsilon=attributes["epsilon"].f)
        elif node.op == "BiasAdd":
            self._add("Add", node, [self._constant(node.input[1]).reshape(1, -1, 1, 1)])
        elif node.op == "Relu6":
            self._add("Clip", node, [np.float32(0), np.float32(6)])
        elif node.op == "Add":
            self._made.append(helper.make_node("Add", [self._value(name) for name in node.input], [node.name]))
        else:
            raise ValueError(f"the operator {node.op} is not known")
        return node.name

    def _add(self, kind: str, node: Any, constants: Sequence[Any], **attributes: Any) -> None:
        """Add an ONNX node that reads a node's first input and constants."""
        names = [f"{node.name}/{number}" for number in range(len(constants))]
        self._weights += [
            numpy_helper.from_array(np.ascontiguousarray(constant), name)
            for constant, name in zip(constants, names, strict=True)
        ]
        self._made.append(helper.make_node(kind, [self._value(node.input[0]), *names], [node.name], **attributes))

    def _constant(self, name: str) -> NDArray[np.float32]:
        node = self._nodes[name]
        if node.op == "Identity":
            return self._constant(node.input[0])
        tensor = {entry.key: entry.value for entry in node.attr}["value"].tensor if node.op == "Const" else None
        if tensor is None or tensor.dtype != _FLOAT:
            raise ValueError(f"{name} is no constant in single precision")
        shape = [each.size for each in tensor.shape.dim]
        if tensor.content:
            return np.frombuffer(tensor.content, "<f4").reshape(shape)
        return np.broadcast_to(np.array(tensor.floats, np.float32), shape)


@cache
def _graph_type() -> Any:
    """The message type of a frozen graph."""
    file = descriptor_pb2.FileDescriptorProto(name="frozen_graph.proto", package="frozen", syntax="proto3")
    for name, fields in _MESSAGES.items():
        message = file.message_type.add(name=name)
        for field, number, kind in fields:
            [single] = kind if isinstance(kind, list) else [kind]
            repeated = isinstance(kind, list)
            described = message.field.add(name=field, number=number)
            described.label = described.LABEL_REPEATED if repeated else described.LABEL_OPTIONAL
            if isinstance(single, str):
                described.type, described.type_name = described.TYPE_MESSAGE, f".frozen.{single}"
            else:
                described.type = single
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    return message_factory.GetMessageClass(pool.FindMessageTypeByName("frozen.Graph"))
