"""MXNet checkpoints for tests: real graphs filled with fixed weights, small ones, and files as MXNet writes them."""

import ast
import json
import struct
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path

import numpy as np

DTYPES = {"float32": 0, "float64": 1, "float16": 2, "uint8": 3, "int32": 4, "int8": 5, "int64": 6}
SHAPING = {"kernel", "stride", "num_filter", "num_group", "num_hidden"}


def filled_checkpoint(golden: Path, network: str, seed: int = 0) -> tuple[dict, dict[str, np.ndarray]]:
    """Graph of a real network, and its weights from the references' `fill.py`."""
    spec = spec_from_file_location("fill", golden / "fill.py")
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    graph = json.loads((golden.parent / "graphs" / f"{network}-symbol.json").read_text())
    return graph, {name: module.fill(name, shape, seed) for name, shape in parameter_shapes(graph).items()}


def parameter_shapes(graph: dict, channels: int = 3, side: int = 112) -> dict[str, tuple[int, ...]]:
    """Shape of every parameter; `side` matters where a dense layer follows."""
    nodes, shapes, sizes = graph["nodes"], {}, []
    for node in nodes:
        sources = [source for source, *_ in node["inputs"]]
        depth, width = sizes[sources[0]] if sources else (channels, side)
        options = {key: ast.literal_eval(value) for key, value in node.get("attrs", {}).items() if key in SHAPING}
        parameters = [nodes[source]["name"] for source in sources[1:]]
        match node["op"]:
            case "Convolution":
                filters = options["num_filter"]
                weight = (filters, depth // options.get("num_group", 1), *options["kernel"])
                shapes |= zip(parameters, [weight, (filters,)], strict=False)
                depth, width = filters, (width - 1) // options.get("stride", (1, 1))[0] + 1
            case "FullyConnected":
                hidden = options["num_hidden"]
                shapes |= zip(parameters, [(hidden, depth * width**2), (hidden,)], strict=False)
                depth = hidden
            case "BatchNorm" | "LeakyReLU":
                shapes |= dict.fromkeys(parameters, (depth,))
            case "Concat":
                depth = sum(sizes[source][0] for source in sources)
        sizes.append((depth, width))
    return shapes


def write_params(path: Path, arrays: dict[str, np.ndarray], version: int | None = 0xF993FAC9) -> None:
    """Write a params file; None is the first, unmarked version."""
    parts = [struct.pack("<QQQ", 0x112, 0, len(arrays))]
    for array in arrays.values():
        if version is None:
            parts.append(struct.pack(f"<I{array.ndim}I", array.ndim, *array.shape))
        else:
            storage = b"" if version == 0xF993FAC8 else struct.pack("<i", 0)
            parts.append(
                struct.pack("<I", version) + storage + struct.pack(f"<I{array.ndim}q", array.ndim, *array.shape)
            )
        parts.append(struct.pack("<iii", 1, 0, DTYPES[array.dtype.name]) + array.tobytes())
    parts.append(struct.pack("<Q", len(arrays)))
    parts += [struct.pack("<Q", len(name)) + name.encode() for name in arrays]
    path.write_bytes(b"".join(parts))


def symbol(*nodes: tuple[str, str, list[int], dict]) -> dict:
    """Graph of nodes (operator, name, sources, options), its output being the last one."""
    return {
        "nodes": [
            {"op": op, "name": name, "inputs": [[source, 0, 0] for source in sources], "attrs": options}
            for op, name, sources, options in nodes
        ],
        "arg_nodes": [index for index, (op, *_) in enumerate(nodes) if op == "null"],
        "heads": [[len(nodes) - 1, 0, 0]],
    }


def write_recogniser(folder: Path) -> tuple[Path, Path]:
    """Write a checkpoint of a small network of ArcFace's form, from 112x112 to 512 numbers."""
    graph = symbol(
        ("null", "data", [], {}),
        ("null", "conv_weight", [], {}),
        ("Convolution", "conv", [0, 1], {"kernel": "(8, 8)", "stride": "(8, 8)", "num_filter": "4", "no_bias": "True"}),
        ("null", "relu_gamma", [], {}),
        ("LeakyReLU", "relu", [2, 3], {"act_type": "prelu"}),
        ("null", "fc_weight", [], {}),
        ("null", "fc_bias", [], {}),
        ("FullyConnected", "fc", [4, 5, 6], {"num_hidden": "512"}),
    )
    rng = np.random.default_rng(0)
    params = {
        f"arg:{name}": rng.normal(size=shape).astype(np.float32) / shape[-1]
        for name, shape in parameter_shapes(graph).items()
    }
    (folder / "small-symbol.json").write_text(json.dumps(graph))
    write_params(folder / "small-0000.params", params)
    return folder / "small-symbol.json", folder / "small-0000.params"
