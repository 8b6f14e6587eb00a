"""Small MXNet graphs in the dialects of several versions, and what MXNet 1.9.1 computes for them.

`.venv-mxnet/bin/python tests/factories/mxnet_dialects.py` (after `make mxnet`) writes `OUTPUTS` anew: the outputs of
every graph, for the images and the parameters below.
"""

import json
from itertools import product
from pathlib import Path

import numpy as np

OUTPUTS = Path(__file__).parents[1] / "faces/data/mxnet_dialects.npz"
DATA = {"op": "null", "name": "data", "inputs": []}
PARAMS = {
    name: np.random.RandomState(index).uniform(0.5, 1.5, shape).astype(np.float32)
    for index, (name, shape) in enumerate(
        {
            "bn_gamma": (3,),
            "bn_beta": (3,),
            "bn_moving_mean": (3,),
            "bn_moving_var": (3,),
            "conv_weight": (4, 3, 3, 3),
            "fc_weight": (5, 3 * 7 * 8),
            "fc_bias": (5,),
            "relu_gamma": (5,),
        }.items()
    )
}


def images(height: int = 7, width: int = 8) -> np.ndarray:
    """Images (2, 3, height, width)."""
    return np.random.RandomState(0).uniform(-2, 2, (2, 3, height, width)).astype(np.float32)


def graph(*nodes: dict, heads: list | None = None) -> dict:
    """Symbol file of nodes after the input; its output is the last one."""
    nodes = [DATA, *nodes]
    return {
        "nodes": nodes,
        "arg_nodes": [index for index, node in enumerate(nodes) if node["op"] == "null"],
        "heads": heads or [[len(nodes) - 1, 0]],
    }


def node(op: str, name: str, *sources: int, key: str = "attrs", **options: str) -> dict:
    """A node that takes the first output of each of the sources."""
    return {"op": op, "name": name, "inputs": [[source, 0] for source in sources], key: options}


def variable(name: str) -> dict:
    return {"op": "null", "name": name, "inputs": []}


def pooling(**options: str) -> dict:
    return graph(node("Pooling", "pool", 0, **options))


FULLY_CONNECTED = [variable("fc_weight"), variable("fc_bias"), node("FullyConnected", "fc", 0, 1, 2, num_hidden="5")]

GRAPHS = {
    "statistics that are not listed": graph(
        variable("bn_gamma"),
        variable("bn_beta"),
        node("BatchNorm", "bn", 0, 1, 2, key="param", fix_gamma="False", eps="0.01"),
    ),
    "layout None": graph(
        variable("conv_weight"),
        node("Convolution", "conv", 0, 1, kernel="(3, 3)", num_filter="4", no_bias="True", layout="None"),
    ),
    "integers of Python 2": graph(
        variable("conv_weight"),
        node("Convolution", "conv", 0, 1, kernel="(3L, 3L)", stride="(2L, 1L)", num_filter="4", no_bias="1"),
    ),
    "offset as a list": graph(
        node("Pooling", "small", 0, kernel="(2, 2)", stride="(2, 2)"),
        node("Crop", "crop", 0, 1, offset="[0, 0]", num_args="2"),
    ),
    "sum of three": graph(node("_mul_scalar", "twice", 0, scalar="2"), node("add_n", "sum", 0, 1, 0, num_args="3")),
    "plus of old": graph(node("_mul_scalar", "twice", 0, scalar="2"), node("_Plus", "sum", 0, 1)),
    "scalars of old": graph(node("_MinusScalar", "less", 0, scalar="0.5"), node("_MulScalar", "twice", 1, scalar="2")),
    "flatten": graph(node("Flatten", "flat", 0)),
    "slopes of a vector": graph(
        *FULLY_CONNECTED, variable("relu_gamma"), node("LeakyReLU", "relu", 3, 4, act_type="prelu")
    ),
    "softmax of a vector": graph(*FULLY_CONNECTED, variable("label"), node("SoftmaxOutput", "prob", 3, 4)),
    "softmax of the channels": graph(variable("label"), node("SoftmaxOutput", "prob", 0, 1, multi_output="True")),
    "activation of a vector": graph(*FULLY_CONNECTED, node("SoftmaxActivation", "prob", 3)),
    "clip": graph(node("clip", "clip", 0, a_min="-0.5", a_max="1.0")),
    "several outputs": graph(
        node("SliceChannel", "slice", 0, num_outputs="3"),
        {"op": "elemwise_add", "name": "sum", "inputs": [[1, 2], [1, 0]], "attrs": {}},
    ),
    "several outputs at the end": graph(node("SliceChannel", "slice", 0, num_outputs="3"), heads=[[1, 2], [1, 0]]),
    "mean of a map": pooling(pool_type="avg", global_pool="True", kernel="(1, 1)"),
    "largest of a map": pooling(pool_type="max", global_pool="True", kernel="(1, 1)"),
} | {
    f"{kind} pooling, {kernel}, {stride}, {pad}, {convention}, {counted}": pooling(
        pool_type=kind,
        kernel=f"({kernel}, {kernel})",
        stride=f"({stride}, {stride})",
        pad=f"({pad}, {pad})",
        pooling_convention=convention,
        count_include_pad=counted,
    )
    for kind, kernel, stride, pad, convention, counted in product(
        ("max", "avg"), (2, 3), (1, 2, 3), (0, 1), ("valid", "full"), ("True", "False")
    )
    if counted == "True" or (kind == "avg" and pad)
}


def main() -> None:
    """Write what MXNet computes."""
    import mxnet  # noqa: PLC0415

    found = {}
    for name, content in GRAPHS.items():
        symbol = mxnet.sym.load_json(json.dumps(content))
        bound = symbol.simple_bind(mxnet.cpu(), grad_req="null", data=images().shape)
        arrays = {name: mxnet.nd.array(array) for name, array in PARAMS.items()}
        bound.copy_params_from(arrays, arrays, allow_extra_params=True)
        outputs = bound.forward(is_train=False, data=mxnet.nd.array(images()))
        for output, array in zip(symbol.list_outputs(), outputs, strict=True):
            found[f"{name}/{output}"] = array.asnumpy()
    np.savez_compressed(OUTPUTS, **found)


if __name__ == "__main__":
    main()
