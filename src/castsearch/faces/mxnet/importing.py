"""MXNet checkpoints as ONNX, without MXNet: a symbol file and a params file become one network.

Only what face detectors and recognisers of that time are made of is known; anything else is refused by name.
"""

import ast
import json
import math
import os
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import BinaryIO, NamedTuple

import numpy as np
import onnx
import onnxruntime
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from castsearch.errors import InputError
from castsearch.faces.networks.runtime import RUNTIME_ERRORS, session_settings
from castsearch.files import file_digest, replacing

_OPSET = 17
_IR_VERSION = 8  # what ONNX Runtime has read since 1.12

_LIST_MAGIC = 0x112
_V1, _V2, _V3 = 0xF993FAC8, 0xF993FAC9, 0xF993FACA  # 64-bit shapes; then with a storage type; then NumPy's empty shapes
_DTYPES = {0: "<f4", 1: "<f8", 2: "<f2", 3: "u1", 4: "<i4", 5: "i1", 6: "<i8"}

_INPUT = "data"
_SMALL = (64, 64)  # enough for a trial


def import_checkpoint(
    symbol: str | Path, params: str | Path, output: str | Path, size: tuple[int, int] | None = None
) -> None:
    """Write an MXNet checkpoint as an ONNX file that takes any batch.

    The file's metadata name the two sources with their checksums.

    Args:
        symbol: `prefix-symbol.json`.
        params: `prefix-0000.params`.
        output: the ONNX file.
        size: height and width of the input; None takes any, which a network that ends in a dense layer cannot.

    Raises:
        InputError: a file is cut off or of another kind, the two do not fit, or an operator is not known.
    """
    symbol, params = Path(symbol), Path(params)
    try:
        graph = json.loads(symbol.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise InputError(f"{symbol}: the symbol file of the MXNet checkpoint is missing") from None
    except ValueError as error:  # not UTF-8, or not JSON
        raise InputError(f"{symbol}: not an MXNet symbol file ({error})") from None
    if not isinstance(graph, dict) or not {"nodes", "heads"} <= graph.keys():
        raise InputError(f"{symbol}: not an MXNet symbol file, which has nodes and heads")
    try:
        model = build_onnx(graph, read_params(params), size)
    except InputError as error:
        raise InputError(f"{symbol} with {params.name}: {error}") from None
    helper.set_model_props(model, {path.name: f"sha256 {file_digest(path)}" for path in (symbol, params)})
    with replacing(output) as temporary:
        onnx.save(model, temporary)
        _try_out(temporary, size or _SMALL, f"{symbol} with {params.name}")


def _try_out(path: Path, size: tuple[int, int], source: str) -> None:
    try:
        onnxruntime.InferenceSession(path, session_settings()).run(None, {_INPUT: np.zeros((1, 3, *size), np.float32)})
    except RUNTIME_ERRORS as error:
        reason = " ".join(str(error).split())
        raise InputError(f"{source}: the parameters do not fit the graph ({reason})") from None


def read_params(path: str | Path) -> dict[str, NDArray]:
    """Read the arrays of an MXNet params file (`NDArray::Save` of a list, all its versions since 0.8).

    Returns:
        Arrays by name, without the prefix `arg:` or `aux:`.

    Raises:
        InputError: the file is missing, cut off or of another kind, or has numbers that are not finite.
    """
    path = Path(path)
    if not path.is_file():
        raise InputError(f"{path}: the params file of the MXNet checkpoint is missing")
    with path.open("rb") as stream:
        try:
            magic, _ = _read(stream, "<u8", 2)
            if magic != _LIST_MAGIC:
                raise InputError(f"{path}: not an MXNet params file, which starts with 0x112")
            arrays = [_read_array(stream) for _ in range(_read_one(stream, "<u8"))]
            names = [_read_name(stream) for _ in range(_read_one(stream, "<u8"))]
        except EOFError:
            raise InputError(f"{path}: the params file is cut off") from None
        except ValueError as error:
            raise InputError(f"{path}: {error}") from None
    if len(names) != len(arrays):
        raise InputError(f"{path}: {len(arrays)} arrays and {len(names)} names")
    for name, array in zip(names, arrays, strict=True):
        if not np.isfinite(array).all():
            raise InputError(f"{path}: the parameter {name} has numbers that are not finite; get the file anew")
    return {name.split(":", 1)[-1]: array for name, array in zip(names, arrays, strict=True)}


def _read_name(stream: BinaryIO) -> str:
    return _read(stream, "u1", _read_one(stream, "<u8")).tobytes().decode()


def _read_array(stream: BinaryIO) -> NDArray:
    version = _read_one(stream, "<u4")
    if version in (_V2, _V3):
        storage = _read_one(stream, "<i4")
        if storage != 0:
            raise ValueError(f"an array of storage type {storage} is sparse; only dense ones are read")
    if version in (_V1, _V2, _V3):
        shape = _read(stream, "<i8", _read_one(stream, "<u4"))
    else:  # before versions were marked, the number of dimensions stood here
        shape = _read(stream, "<u4", version)
    if len(shape) == 0 and version != _V3:
        raise ValueError("an array has no shape")
    _read(stream, "<i4", 2)  # the device that it was on
    dtype = _read_one(stream, "<i4")
    if dtype not in _DTYPES:
        raise ValueError(f"an array has the unknown type {dtype}")
    return _read(stream, _DTYPES[dtype], math.prod(shape.tolist())).reshape(shape)


def _read(stream: BinaryIO, dtype: str, count: int) -> NDArray:
    size = np.dtype(dtype).itemsize * count
    if not 0 <= size <= os.fstat(stream.fileno()).st_size - stream.tell():  # before memory is taken for it
        raise EOFError
    return np.frombuffer(stream.read(size), dtype)


def _read_one(stream: BinaryIO, dtype: str) -> int:
    return int(_read(stream, dtype, 1)[0])


def build_onnx(graph: Mapping, params: Mapping[str, NDArray], size: tuple[int, int] | None = None) -> onnx.ModelProto:
    """Build an ONNX network from an MXNet graph and its parameters.

    Args:
        graph: the symbol file's content.
        params: arrays by name.
        size: height and width of the input; None for any.

    Returns:
        The network: input `data` (batch, 3, height, width) float32; an output per head, named as MXNet does,
        `{node}_output`.

    Raises:
        InputError: the graph is malformed, a parameter is missing, or an operator or one of its options is not known.
    """
    nodes, heads = _read_graph(graph)
    if size is None and any(node.op == "FullyConnected" for node in nodes):
        raise InputError("the network ends in a dense layer, so the size of its input must be given")
    builder = _Builder(nodes, heads, params)
    height, width = size or ("height", "width")
    model = helper.make_model(
        helper.make_graph(
            builder.nodes,
            "mxnet",
            [helper.make_tensor_value_info(_INPUT, TensorProto.FLOAT, ["batch", 3, height, width])],
            [helper.make_tensor_value_info(name, TensorProto.FLOAT, None) for name in builder.outputs],
            # Not inputs as well: the runtime could then not fold them.
            [numpy_helper.from_array(array, name) for name, array in builder.initializers.items()],
        ),
        opset_imports=[helper.make_opsetid("", _OPSET)],
        ir_version=_IR_VERSION,
        producer_name="castsearch",
    )
    try:
        model = onnx.shape_inference.infer_shapes(model)
        onnx.checker.check_model(model)
    except (onnx.checker.ValidationError, onnx.shape_inference.InferenceError) as error:
        reason = " ".join(str(error).split())
        raise InputError(f"the graph makes no valid network ({reason})") from None
    return model


class _Node(NamedTuple):
    """A node of an MXNet graph; variables, which are the input and the parameters, have the operator "null"."""

    name: str
    op: str
    sources: list[int]
    options: dict[str, object]


def _read_graph(graph: Mapping) -> tuple[list[_Node], list[int]]:
    """The nodes of a symbol file, each after those that it takes its inputs from, and the indices of the outputs."""
    try:
        nodes = [_read_node(node, index) for index, node in enumerate(graph["nodes"])]
        heads = [_source("an output", entry, len(nodes)) for entry in graph["heads"]]
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise InputError(f"not the graph of an MXNet symbol file ({type(error).__name__}: {error})") from None
    if not heads or len(set(heads)) < len(heads) or any(nodes[index].op == "null" for index in heads):
        raise InputError("its outputs must be nodes, each once, and no variables")
    if not any(node == (_INPUT, "null", [], node.options) for node in nodes):
        raise InputError(f"its input is not named {_INPUT}")
    return nodes, heads


def _read_node(node: Mapping, index: int) -> _Node:
    name = node["name"]
    # Before MXNet 1.0, options stood under `param`, and later under `attr`.
    options = [node.get(key) or {} for key in ("param", "attr", "attrs")]
    return _Node(
        name,
        node["op"],
        [_source(f"node {name}", entry, index) for entry in node["inputs"]],
        {key: _literal(value) for part in options for key, value in part.items()},
    )


def _source(taker: str, entry: Sequence[int], before: int) -> int:
    """The index of the node that an entry, of a node's inputs or of the outputs, refers to."""
    index, position, *_ = entry
    if index not in range(before):
        raise InputError(f"{taker}: node {index} is not among the {before} before it")
    if position != 0:
        raise InputError(f"{taker}: takes a further output of a node; only the first is known")
    return index


class _Builder:
    """Walks an MXNet graph, collecting ONNX nodes and initializers.

    Tensors are identified by node index, because node names need not be unique.
    """

    def __init__(self, nodes: Sequence[_Node], heads: Sequence[int], params: Mapping[str, NDArray]):
        self.nodes: list[onnx.NodeProto] = []
        self.initializers: dict[str, NDArray] = {}
        self._params = params
        tensors: list[str] = []
        for index, (name, op, sources, options) in enumerate(nodes):
            if op == "null":
                tensors.append(name)
                continue
            tensor = f"{name}_output" if index in heads else f"{index}:{name}"
            if op not in _CONVERTERS:
                raise InputError(f"node {name}: the operator {op} is not known")
            try:
                _CONVERTERS[op](self, tensor, [tensors[source] for source in sources], options)
            except _UnknownOptionError as error:
                raise InputError(f"node {name}: {op} with {error} is not known") from None
            except (KeyError, TypeError, ValueError) as error:
                raise InputError(f"node {name}: {op} has other inputs or options than it needs ({error})") from None
            tensors.append(tensor)
        self.outputs = [tensors[index] for index in heads]

    def node(self, op: str, inputs: Sequence[str], output: str, **attributes: object) -> str:
        self.nodes.append(helper.make_node(op, inputs, [output], output, **attributes))
        return output

    def constant(self, name: str, values: Sequence[float], dtype: type) -> str:
        self.initializers[name] = np.array(values, dtype)
        return name

    def parameter(self, name: str) -> NDArray[np.float32]:
        if name not in self._params:
            raise InputError(f"the parameter {name} is missing")
        return self._params[name].astype(np.float32)

    def use(self, name: str, array: NDArray[np.float32] | None = None) -> str:
        """Make a parameter an initializer, by default as it is."""
        self.initializers[name] = self.parameter(name) if array is None else array
        return name


class _UnknownOptionError(Exception):
    """An operator has an option that is not converted."""


def _literal(value: str) -> object:
    if value in ("true", "false"):  # which MXNet takes as well as "True", "False", "1" and "0"
        return value == "true"
    try:
        return ast.literal_eval(value)
    except (ValueError, SyntaxError):  # a word, such as "relu"
        return value


def _expect(options: Mapping, **expected: object) -> None:
    for key, value in expected.items():
        if options.get(key, value) != value:
            raise _UnknownOptionError(f"{key}={options[key]}")


def _convolution(build: _Builder, output: str, inputs: Sequence[str], options: Mapping) -> None:
    _expect(options, layout="NCHW")
    data, *weights = inputs
    build.node(
        "Conv",
        [data, *map(build.use, weights)],
        output,
        kernel_shape=options["kernel"],
        strides=options.get("stride", (1, 1)),
        pads=2 * options.get("pad", (0, 0)),
        dilations=options.get("dilate", (1, 1)),
        group=options.get("num_group", 1),
    )


def _batch_norm(build: _Builder, output: str, inputs: Sequence[str], options: Mapping) -> None:
    _expect(options, axis=1)
    data, gamma, *others = inputs
    scale = build.parameter(gamma)
    if options.get("fix_gamma", True):  # then MXNet takes 1, whatever the file holds
        scale = np.ones_like(scale)
    build.node(
        "BatchNormalization",
        [data, build.use(gamma, scale), *map(build.use, others)],
        output,
        epsilon=options.get("eps", 1e-3),
    )


def _activation(build: _Builder, output: str, inputs: Sequence[str], options: Mapping) -> None:
    _expect(options, act_type="relu")
    build.node("Relu", inputs, output)


def _prelu(build: _Builder, output: str, inputs: Sequence[str], options: Mapping) -> None:
    if options.get("act_type", "leaky") != "prelu":
        raise _UnknownOptionError(f"act_type={options.get('act_type', 'leaky')}")
    data, slope = inputs
    # One slope per channel: (C,) would be taken for the last axis.
    build.node("PRelu", [data, build.use(slope, build.parameter(slope).reshape(-1, 1, 1))], output)


def _pooling(build: _Builder, output: str, inputs: Sequence[str], options: Mapping) -> None:
    _expect(options, pool_type="max", global_pool=False, pooling_convention="valid")
    build.node(
        "MaxPool",
        inputs,
        output,
        kernel_shape=options["kernel"],
        strides=options.get("stride", (1, 1)),
        pads=2 * options.get("pad", (0, 0)),
    )


def _fully_connected(build: _Builder, output: str, inputs: Sequence[str], options: Mapping) -> None:
    _expect(options, flatten=True)
    data, *weights = inputs
    flat = build.node("Flatten", [data], f"{output}:flat")
    build.node("Gemm", [flat, *map(build.use, weights)], output, transB=1)


def _reshape(build: _Builder, output: str, inputs: Sequence[str], options: Mapping) -> None:
    _expect(options, reverse=False)
    shape = options["shape"]
    if min(shape) < -1:  # 0 and -1 mean the same to both
        raise _UnknownOptionError(f"shape={shape}")
    build.node("Reshape", [*inputs, build.constant(f"{output}:shape", shape, np.int64)], output)


def _softmax(build: _Builder, output: str, inputs: Sequence[str], options: Mapping) -> None:
    if options.get("mode", "instance") != "channel":
        raise _UnknownOptionError(f"mode={options.get('mode', 'instance')}")
    build.node("Softmax", inputs, output, axis=1)


def _upsampling(build: _Builder, output: str, inputs: Sequence[str], options: Mapping) -> None:
    _expect(options, sample_type="nearest", num_args=1)
    scales = build.constant(f"{output}:scales", (1, 1, options["scale"], options["scale"]), np.float32)
    build.node(
        "Resize",
        [*inputs, "", scales],
        output,
        mode="nearest",
        coordinate_transformation_mode="asymmetric",
        nearest_mode="floor",
    )


def _crop(build: _Builder, output: str, inputs: Sequence[str], options: Mapping) -> None:
    _expect(options, num_args=2, offset=(0, 0), center_crop=False)
    data, like = inputs
    size = build.node("Shape", [like], f"{output}:size", start=2)
    starts = build.constant(f"{output}:starts", (0, 0), np.int64)
    axes = build.constant(f"{output}:axes", (2, 3), np.int64)
    build.node("Slice", [data, starts, size, axes], output)


def _concat(build: _Builder, output: str, inputs: Sequence[str], options: Mapping) -> None:
    build.node("Concat", inputs, output, axis=options.get("dim", 1))


def _scalar(op: str, build: _Builder, output: str, inputs: Sequence[str], options: Mapping) -> None:
    build.node(op, [*inputs, build.constant(f"{output}:scalar", options["scalar"], np.float32)], output)


def _plain(op: str, build: _Builder, output: str, inputs: Sequence[str], options: Mapping) -> None:
    build.node(op, inputs, output)


_CONVERTERS: dict[str, Callable[[_Builder, str, Sequence[str], Mapping], None]] = {
    "Activation": _activation,
    "BatchNorm": _batch_norm,
    "Concat": _concat,
    "Convolution": _convolution,
    "Crop": _crop,
    "Dropout": partial(_plain, "Identity"),
    "FullyConnected": _fully_connected,
    "LeakyReLU": _prelu,
    "Pooling": _pooling,
    "Reshape": _reshape,
    "SoftmaxActivation": _softmax,
    "UpSampling": _upsampling,
    "_copy": partial(_plain, "Identity"),
    "_minus_scalar": partial(_scalar, "Sub"),
    "_mul_scalar": partial(_scalar, "Mul"),
    "elemwise_add": partial(_plain, "Add"),
}
