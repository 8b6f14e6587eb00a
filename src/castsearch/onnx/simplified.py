"""ONNX networks rewritten before they run: the same numbers, in a form that every runtime takes and that is faster."""

from collections.abc import Iterator, Sequence

import numpy as np
import onnx
import onnxruntime
from google.protobuf.message import DecodeError
from numpy.typing import NDArray
from onnx import helper, numpy_helper

from castsearch.errors import InputError, one_line
from castsearch.misnamed import instead_of
from castsearch.model_files import ModelFile
from castsearch.onnx import Network
from castsearch.onnx.runtime import RUNTIME_ERRORS, check_self_contained, log_session, session_options


def open_simplified(
    model: ModelFile,
    threads: int,
    *,
    outputs: Sequence[str] | None,
    trial: Sequence[int],
    shapes: Sequence[Sequence[int | None]],
    expected: str,
    remedy: str,
) -> Network:
    """Load a network, simplified, and try it.

    Args:
        model: the ONNX file.
        threads: that the runtime may use on the CPU.
        outputs: their names, in the order in which they are wanted; None for the file's own.
        trial: the shape of an input to try.
        shapes: that the outputs must have then; None for any length.
        expected: what the file should be, for the message.
        remedy: how to get the right file, for the message.

    Raises:
        InputError: the file is no ONNX network, keeps its weights in other files, or gives something else.
    """
    check_self_contained(model)
    try:
        network = simplify(onnx.load(model.path))
        session = onnxruntime.InferenceSession(network.SerializeToString(), **session_options(threads))
        name = session.get_inputs()[0].name
        found = [output.shape for output in session.run(outputs, {name: np.zeros(trial, np.float32)})]
    except (*RUNTIME_ERRORS, DecodeError, ValueError, LookupError) as error:
        reason = one_line((str(error).splitlines() or [type(error).__name__])[0])
        wrong = f"{expected} was expected, not a file that fails with {reason}"
        raise InputError(f"{model.path}: {instead_of(expected, model.path, wrong)}; {remedy}") from None
    if not _fit(found, shapes):
        raise InputError(f"{model.path}: {expected} was expected, with outputs of {shapes}, not {found}; {remedy}")
    log_session(model, session)
    return lambda images: session.run(outputs, {name: images})


def _fit(found: Sequence[Sequence[int]], wanted: Sequence[Sequence[int | None]]) -> bool:
    return len(found) == len(wanted) and all(
        len(shape) == len(form) and all(length in (None, size) for size, length in zip(shape, form, strict=True))
        for shape, form in zip(found, wanted, strict=True)
    )


def simplify(model: onnx.ModelProto) -> onnx.ModelProto:
    """Rewrite a network without changing what it computes.

    - Weights are no inputs. Older files list them there, and some list weights that no layer reads, without which no
      runtime runs them; and what may be replaced from outside cannot be merged into the layer before.
    - Weights that are stored in 8 bits are turned into numbers once, not at every run.
    - PReLU(x) becomes x + (1 − a)·ReLU(−x): ONNX Runtime computes PReLU one value at a time, and takes its
      convolutions out of their fast layout for it.
    - Batch, height and width of the input are free.

    Args:
        model: with one input that is no weight, (batch, channels, height, width).

    Returns:
        A new model.

    Raises:
        ValueError: weights are not stored as the ONNX operator DequantizeLinear wants them.
    """
    weights = {tensor.name: tensor for tensor in model.graph.initializer}
    nodes: list[onnx.NodeProto] = []
    for node in model.graph.node:
        if node.op_type == "DequantizeLinear" and all(name in weights for name in node.input):
            name = node.output[0]
            weights[name] = numpy_helper.from_array(_dequantised(node, weights), name)
        elif node.op_type == "PRelu" and node.input[1] in weights:
            nodes.extend(_without_prelu(node, weights))
        else:
            nodes.append(node)
    read = {name for node in nodes for name in node.input}
    simple = onnx.ModelProto()
    simple.CopyFrom(model)
    graph = simple.graph
    for field in ("node", "initializer", "input", "value_info"):
        graph.ClearField(field)
    graph.node.extend(nodes)
    graph.initializer.extend(tensor for name, tensor in weights.items() if name in read)
    graph.input.extend(value for value in model.graph.input if value.name in read and value.name not in weights)
    for value in graph.input:
        for axis, length in enumerate(value.type.tensor_type.shape.dim):
            if axis != 1:
                length.dim_param = f"length {axis}"
    for value in graph.output:  # their sizes follow from the input's
        value.type.tensor_type.ClearField("shape")
    return simple


def _dequantised(node: onnx.NodeProto, weights: dict[str, onnx.TensorProto]) -> NDArray[np.float32]:
    """(stored − zero) · scale, where scale and zero are single, per index of an axis, or per block of indices of it."""
    stored, scale, *zero = (numpy_helper.to_array(weights[name]) for name in node.input)
    options = {attribute.name: attribute.i for attribute in node.attribute}
    axis, block = options.get("axis", 1), options.get("block_size", 0)

    def spread(values: NDArray) -> NDArray[np.float32]:
        values = values.astype(np.float32)
        if block:
            return np.repeat(values, block, axis).take(np.arange(stored.shape[axis]), axis)
        if values.ndim == 1 and stored.ndim > 1:
            return np.expand_dims(values, tuple(other for other in range(stored.ndim) if other != axis % stored.ndim))
        return values

    centred = stored.astype(np.float32) - (spread(zero[0]) if zero else 0)
    return np.asarray(centred * spread(scale), np.float32)


def _without_prelu(node: onnx.NodeProto, weights: dict[str, onnx.TensorProto]) -> Iterator[onnx.NodeProto]:
    """PReLU by its parts; the slopes that they need are added to the weights.

    What x lacks below 0 is (1 - a)·ReLU(-x), in which ONNX Runtime merges the multiplication with the ReLU.
    """
    (value, slope), name = node.input, node.output[0]
    lacking = 1 - numpy_helper.to_array(weights[slope])
    factors = {"scale": -np.abs(lacking), "sign": np.sign(lacking)}
    for part, numbers in factors.items():
        weights[f"{name}.{part}"] = numpy_helper.from_array(numbers, f"{name}.{part}")
    below = f"{name}.below"
    yield helper.make_node("Mul", [value, f"{name}.scale"], [f"{name}.scaled"])
    yield helper.make_node("Relu", [f"{name}.scaled"], [below])
    if (lacking < 0).any():
        yield helper.make_node("Mul", [below, f"{name}.sign"], [f"{name}.signed"])
        below = f"{name}.signed"
    yield helper.make_node("Add", [value, below], [name])
