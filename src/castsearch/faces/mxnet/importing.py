"""MXNet checkpoints as ONNX, without MXNet: a symbol file and a params file become one network.

Only what face detectors and recognisers of that time are made of is known; anything else is refused by name.
"""

import json
import textwrap
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from castsearch.errors import InputError, one_line
from castsearch.faces.mxnet.graph import INPUT, Node, Output, read_graph
from castsearch.faces.mxnet.operators import CONVERTERS, Builder, UnknownOptionError
from castsearch.faces.mxnet.params import read_params
from castsearch.files import file_digest, replacing
from castsearch.misnamed import instead_of
from castsearch.onnx.runtime import RUNTIME_ERRORS, session_settings

_OPSET = 17
_IR_VERSION = 8  # what ONNX Runtime has read since 1.12

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
        wrong = f"not an MXNet symbol file ({error})"
        raise InputError(f"{symbol}: {instead_of('JSON', symbol, wrong)}") from None
    if not isinstance(graph, dict) or not {"nodes", "heads"} <= graph.keys():
        raise InputError(f"{symbol}: not an MXNet symbol file, which has nodes and heads")
    try:
        model = build_onnx(graph, read_params(params), size)
    except InputError as error:
        raise InputError(one_line(f"{symbol} with {params.name}: {error}")) from None
    helper.set_model_props(model, {path.name: f"sha256 {file_digest(path)}" for path in (symbol, params)})
    with replacing(output) as temporary:
        onnx.save(model, temporary)
        _try_out(temporary, size or _SMALL, f"{symbol} with {params.name}")


def _try_out(path: Path, size: tuple[int, int], source: str) -> None:
    try:
        onnxruntime.InferenceSession(path, session_settings()).run(None, {INPUT: np.zeros((1, 3, *size), np.float32)})
    except RUNTIME_ERRORS as error:
        reason = " ".join(str(error).split())
        raise InputError(f"{source}: the parameters do not fit the graph ({reason})") from None


def build_onnx(graph: Mapping, params: Mapping[str, NDArray], size: tuple[int, int] | None = None) -> onnx.ModelProto:
    """Build an ONNX network from an MXNet graph and its parameters.

    Args:
        graph: the symbol file's content.
        params: arrays by name.
        size: height and width of the input; None for any.

    Returns:
        The network: input `data` (batch, 3, height, width) float32; an output per head, named as MXNet does,
        `{node}_output`. A network with one output names its nodes such that InsightFace's package gives it values
        of 0 to 255, which is what MXNet's networks take.

    Raises:
        InputError: the graph is malformed, a parameter is missing, or an operator or one of its options is not known.
    """
    nodes, heads = read_graph(graph)
    if size is None and any(node.op == "FullyConnected" for node in nodes):
        raise InputError("the network ends in a dense layer, so the size of its input must be given")
    builder, outputs = _convert(nodes, heads, params)
    if len(outputs) == 1:
        _show_own_normalisation(builder)
    height, width = size or ("height", "width")
    model = helper.make_model(
        helper.make_graph(
            builder.nodes,
            "mxnet",
            [helper.make_tensor_value_info(INPUT, TensorProto.FLOAT, ["batch", 3, height, width])],
            [helper.make_tensor_value_info(name, TensorProto.FLOAT, None) for name in outputs],
            # Not inputs as well: the runtime could then not fold them.
            [numpy_helper.from_array(array, name) for name, array in builder.initializers.items()],
        ),
        opset_imports=[helper.make_opsetid("", _OPSET)],
        ir_version=_IR_VERSION,
        producer_name="castsearch",
    )
    try:
        model = onnx.shape_inference.infer_shapes(model, strict_mode=True)
        onnx.checker.check_model(model)
    except (onnx.checker.ValidationError, onnx.shape_inference.InferenceError) as error:
        reason = textwrap.shorten(str(error), 200)
        raise InputError(f"the graph makes no valid network ({reason})") from None
    return model


def _convert(
    nodes: Sequence[Node], heads: Sequence[Output], params: Mapping[str, NDArray]
) -> tuple[Builder, list[str]]:
    """Convert the nodes one by one; returns also the names of the network's output tensors."""
    builder = Builder(params)
    builder.ranks[INPUT] = 4
    # Tensors are identified by the indices of their nodes, because the names of nodes need not be unique.
    tensors: dict[Output, str] = {}
    for index, (name, op, sources, options, number, implied) in enumerate(nodes):
        outputs = [Output(index, position) for position in range(number)]
        if op == "null":
            tensors |= dict.fromkeys(outputs, name)
            continue
        for output in outputs:
            suffix = output.position if number > 1 else ""
            tensors[output] = f"{name}_output{suffix}" if output in heads else f"{index}:{name}{suffix}"
        if op not in CONVERTERS:
            raise InputError(f"node {name}: the operator {op} is not known")
        inputs = [*(tensors[source] for source in sources), *implied]
        try:
            CONVERTERS[op](builder, inputs, options, *(tensors[output] for output in outputs))
        except UnknownOptionError as error:
            raise InputError(f"node {name}: {op} with {error} is not known") from None
        except (KeyError, TypeError, ValueError) as error:
            raise InputError(f"node {name}: {op} has other inputs or options than it needs ({error})") from None
    return builder, [tensors[head] for head in heads]


def _show_own_normalisation(builder: Builder) -> None:
    """Let the network begin with a subtraction and a multiplication, which change nothing where it has none.

    InsightFace's package tells by the names of the first eight nodes whether a recogniser normalises its input itself.
    MXNet's recognisers always do, some of them by a batch normalisation.
    """
    first = [node.op_type for node in builder.nodes[:8]]
    if "Sub" in first and "Mul" in first:
        return
    for node in builder.nodes:
        node.input[:] = [f"{INPUT}:same" if name == INPUT else name for name in node.input]
    added = Builder({})
    added.ranks[INPUT] = 4
    less_nothing = added.node("Sub", [INPUT, added.constant(f"{INPUT}:zero", 0, np.float32)], f"{INPUT}:less_nothing")
    added.node("Mul", [less_nothing, added.constant(f"{INPUT}:one", 1, np.float32)], f"{INPUT}:same")
    builder.nodes[:0] = added.nodes
    builder.initializers |= added.initializers
