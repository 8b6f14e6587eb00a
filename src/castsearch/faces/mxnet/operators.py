"""MXNet's operators as ONNX nodes: those that face detectors and recognisers are made of.

An operator or an option that is not known is refused by name, so that a network is converted exactly or not at all.
"""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import helper

from castsearch.errors import InputError


class UnknownOptionError(Exception):
    """An operator has an option that is not converted."""


class Builder:
    """Collects ONNX nodes and initializers.

    Args:
        params: arrays by name.

    Attributes:
        nodes: as they were added.
        initializers: arrays by name.
        ranks: numbers of dimensions of the tensors, by name.
    """

    def __init__(self, params: Mapping[str, NDArray]):
        self.nodes: list[onnx.NodeProto] = []
        self.initializers: dict[str, NDArray] = {}
        self.ranks: dict[str, int] = {}
        self._params = params

    def node(self, op: str, inputs: Sequence[str], *outputs: str, rank: int | None = None, **attributes: Any) -> str:
        """Add a node, and return the name of its first output; `rank` defaults to that of its first input."""
        # The name starts with the operator, since other programs look there for what a network does.
        self.nodes.append(helper.make_node(op, inputs, outputs, f"{op}_{outputs[0]}", **attributes))
        self.ranks |= dict.fromkeys(outputs, self.ranks[inputs[0]] if rank is None else rank)
        return outputs[0]

    def constant(self, name: str, values: float | Sequence[float], dtype: type) -> str:
        """Add an initializer, and return its name."""
        self.initializers[name] = np.array(values, dtype)
        return name

    def parameter(self, name: str) -> NDArray[np.float32]:
        """Return a parameter of the checkpoint.

        Raises:
            InputError: it is missing.
        """
        if name not in self._params:
            raise InputError(f"the parameter {name} is missing")
        return self._params[name].astype(np.float32)

    def use(self, name: str, array: NDArray[np.float32] | None = None) -> str:
        """Make a parameter an initializer, by default as it is, and return its name."""
        self.initializers[name] = self.parameter(name) if array is None else array
        return name


def _expect(options: Mapping, **expected: object) -> None:
    for key, value in expected.items():
        if options.get(key, value) != value:
            raise UnknownOptionError(f"{key}={options[key]}")


def _expect_channels_first(options: Mapping) -> None:
    if options.get("layout") not in (None, "NCHW"):
        raise UnknownOptionError(f"layout={options['layout']}")


def _expect_rank(build: Builder, tensor: str, rank: int) -> None:
    if build.ranks[tensor] != rank:
        raise UnknownOptionError(f"an input of {build.ranks[tensor]} dimensions")


def _convolution(build: Builder, inputs: Sequence[str], options: Mapping, output: str) -> None:
    _expect_channels_first(options)
    data, *weights = inputs
    _expect_rank(build, data, 4)
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


def _batch_norm(build: Builder, inputs: Sequence[str], options: Mapping, output: str) -> None:
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


def _activation(build: Builder, inputs: Sequence[str], options: Mapping, output: str) -> None:
    _expect(options, act_type="relu")
    build.node("Relu", inputs, output)


def _prelu(build: Builder, inputs: Sequence[str], options: Mapping, output: str) -> None:
    if options.get("act_type", "leaky") != "prelu":
        raise UnknownOptionError(f"act_type={options.get('act_type', 'leaky')}")
    data, slope = inputs
    # One slope per channel: in a map, (C,) would be taken for the last axis.
    per_channel = build.parameter(slope).reshape(-1, *[1] * (build.ranks[data] - 2))
    build.node("PRelu", [data, build.use(slope, per_channel)], output)


def _pooling(build: Builder, inputs: Sequence[str], options: Mapping, output: str) -> None:
    _expect_channels_first(options)
    (data,) = inputs
    _expect_rank(build, data, 4)
    kind = options.get("pool_type", "max")
    if kind not in ("max", "avg"):
        raise UnknownOptionError(f"pool_type={kind}")
    if options.get("global_pool", False):
        _expect(options, pad=(0, 0))
        build.node("GlobalMaxPool" if kind == "max" else "GlobalAveragePool", inputs, output)
        return
    kernel, stride, pad = options["kernel"], options.get("stride", (1, 1)), options.get("pad", (0, 0))
    convention = options.get("pooling_convention", "valid")
    if convention not in ("valid", "full"):
        raise UnknownOptionError(f"pooling_convention={convention}")
    full = convention == "full"
    if full and any(p + s > k for p, s, k in zip(pad, stride, kernel, strict=True)):
        # The last window may lie outside the map; what MXNet gives for it is no number of the map.
        raise UnknownOptionError("pooling_convention=full, and windows that may lie in the padding alone,")
    # A stride less one, added to the end, is what rounding up the number of windows amounts to. Unlike ONNX's
    # ceil_mode it keeps every window that MXNet keeps.
    beyond = tuple(s - 1 for s in stride) if full else (0, 0)
    window = {"kernel_shape": kernel, "strides": stride}
    if kind == "max":
        build.node("MaxPool", [data], output, pads=(*pad, *map(sum, zip(pad, beyond, strict=True))), **window)
        return
    counted = options.get("count_include_pad", True)
    if counted and full and any(pad):
        # MXNet counts what is padded, but not what lies beyond.
        widths = build.constant(f"{output}:widths", (0, 0, *pad, 0, 0, *pad), np.int64)
        data, pad, counted = build.node("Pad", [data, widths], f"{output}:padded"), (0, 0), False
    build.node(
        "AveragePool",
        [data],
        output,
        pads=(*pad, *map(sum, zip(pad, beyond, strict=True))),
        count_include_pad=int(counted and not full),
        **window,
    )


def _flatten(build: Builder, inputs: Sequence[str], options: Mapping, output: str) -> None:
    build.node("Flatten", inputs, output, rank=2)


def _fully_connected(build: Builder, inputs: Sequence[str], options: Mapping, output: str) -> None:
    _expect(options, flatten=True)
    data, *weights = inputs
    flat = build.node("Flatten", [data], f"{output}:flat", rank=2)
    build.node("Gemm", [flat, *map(build.use, weights)], output, transB=1)


def _reshape(build: Builder, inputs: Sequence[str], options: Mapping, output: str) -> None:
    _expect(options, reverse=False)
    shape = options["shape"]
    if min(shape) < -1:  # 0 and -1 mean the same to both
        raise UnknownOptionError(f"shape={shape}")
    build.node("Reshape", [*inputs, build.constant(f"{output}:shape", shape, np.int64)], output, rank=len(shape))


def _softmax_activation(build: Builder, inputs: Sequence[str], options: Mapping, output: str) -> None:
    mode = options.get("mode", "instance")
    if mode != "channel" and build.ranks[inputs[0]] != 2:  # of two dimensions, the second is all there is
        raise UnknownOptionError(f"mode={mode}")
    build.node("Softmax", inputs, output, axis=1)


def _softmax_output(build: Builder, inputs: Sequence[str], options: Mapping, output: str) -> None:
    data, *_ = inputs  # the others are labels, for training
    if not options.get("multi_output", False):
        _expect_rank(build, data, 2)
    build.node("Softmax", [data], output, axis=1)


def _upsampling(build: Builder, inputs: Sequence[str], options: Mapping, output: str) -> None:
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


def _crop(build: Builder, inputs: Sequence[str], options: Mapping, output: str) -> None:
    _expect(options, num_args=2, offset=(0, 0), center_crop=False)
    data, like = inputs
    size = build.node("Shape", [like], f"{output}:size", rank=1, start=2)
    starts = build.constant(f"{output}:starts", (0, 0), np.int64)
    axes = build.constant(f"{output}:axes", (2, 3), np.int64)
    build.node("Slice", [data, starts, size, axes], output)


def _concat(build: Builder, inputs: Sequence[str], options: Mapping, output: str) -> None:
    build.node("Concat", inputs, output, axis=options.get("dim", 1))


def _split(build: Builder, inputs: Sequence[str], options: Mapping, *outputs: str) -> None:
    _expect(options, squeeze_axis=False)
    build.node("Split", inputs, *outputs, axis=options.get("axis", 1))


def _clip(build: Builder, inputs: Sequence[str], options: Mapping, output: str) -> None:
    bounds = [build.constant(f"{output}:{key}", options[key], np.float32) for key in ("a_min", "a_max")]
    build.node("Clip", [*inputs, *bounds], output)


def _scalar(op: str, build: Builder, inputs: Sequence[str], options: Mapping, output: str) -> None:
    build.node(op, [*inputs, build.constant(f"{output}:scalar", options["scalar"], np.float32)], output)


def _plain(op: str, build: Builder, inputs: Sequence[str], options: Mapping, output: str) -> None:
    build.node(op, inputs, output)


CONVERTERS: dict[str, Callable[..., None]] = {
    "Activation": _activation,
    "BatchNorm": _batch_norm,
    "Concat": _concat,
    "Convolution": _convolution,
    "Crop": _crop,
    "Dropout": partial(_plain, "Identity"),
    "ElementWiseSum": partial(_plain, "Sum"),
    "Flatten": _flatten,
    "FullyConnected": _fully_connected,
    "LeakyReLU": _prelu,
    "Pooling": _pooling,
    "Reshape": _reshape,
    "SliceChannel": _split,
    "SoftmaxActivation": _softmax_activation,
    "SoftmaxOutput": _softmax_output,
    "UpSampling": _upsampling,
    "_MinusScalar": partial(_scalar, "Sub"),
    "_MulScalar": partial(_scalar, "Mul"),
    "_Plus": partial(_plain, "Add"),
    "_copy": partial(_plain, "Identity"),
    "_minus_scalar": partial(_scalar, "Sub"),
    "_mul_scalar": partial(_scalar, "Mul"),
    "_plus": partial(_plain, "Add"),
    "add_n": partial(_plain, "Sum"),
    "clip": _clip,
    "elemwise_add": partial(_plain, "Add"),
    "flatten": _flatten,
    "split": _split,
}
"""How an operator becomes ONNX: called with the builder, the input tensors, the options, and the output tensors."""
