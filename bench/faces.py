"""Seconds per crop of face detection and embedding, for each engine whose networks are here.

    python bench/faces.py                       one crop each, with 2 threads
    python bench/faces.py --crops 5 --threads 8
    python bench/faces.py --config mine.yaml    and the engine of that configuration, with its own files

The reference system's networks are timed with fixed weights where ../shared has their graphs: the time does not
depend on the weights, as long as they find few faces. The crop is a photograph, resized to a person box's usual
300x700 pixels, and every further one is wider by 10, since hardly two boxes of a film have the same shape and a new
one costs more. With a CUDA device, or a processor that multiplies bfloat16, they are timed in that precision, too.
TFLOP/s are those of the detector's convolutions.
"""

import argparse
import importlib.util
import tempfile
import time
from collections.abc import Iterator, Sequence
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType

import cv2
import numpy as np
import onnx
import pandas as pd
import torch
import yaml
from onnxruntime.tools.symbolic_shape_infer import SymbolicShapeInference

from castsearch.errors import InputError
from castsearch.faces import engines as face_engines
from castsearch.faces.engine import Engine, Face, Image
from castsearch.faces.mxnet.importing import build_onnx
from castsearch.faces.mxnet.network_files import INPUT_SIZES
from castsearch.faces.networks.retinaface import REFERENCE_PYRAMID, pyramid_scales
from castsearch.onnx.runtime import session_options
from castsearch.workflow import planning

SHARED = Path(__file__).parents[2] / "shared"
CROP = (300, 700)
BATCH = 16  # faces that a recogniser takes at once
EYES_TO_MOUTH = np.array([(120, 140), (180, 140), (150, 175), (125, 205), (175, 205)], np.float32)


def crops_of_many_shapes(number: int) -> list[Image]:
    """Person boxes of about the usual size with a face in each."""
    folder = find_spec("skimage").submodule_search_locations[0]
    photograph = cv2.imread(str(Path(folder, "data/astronaut.png")), cv2.IMREAD_COLOR_RGB)[:, 115:335]
    width, height = CROP
    return [cv2.resize(photograph, (width + 10 * extra, height)) for extra in range(number)]


def mxnet_checkpoints() -> ModuleType:
    """What the tests make checkpoints with."""
    tests = Path(__file__).parents[1] / "tests/factories/mxnet_checkpoints.py"
    spec = importlib.util.spec_from_file_location("mxnet_checkpoints", tests)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def filled_networks(folder: Path) -> dict[str, str]:
    """The reference system's two networks, with fixed weights for trained ones."""
    files = {}
    for part, network in (("detector", "R50"), ("recogniser", "arcface")):
        graph, weights = mxnet_checkpoints().filled_checkpoint(SHARED / "golden", network)
        files[part] = str(folder / f"{network}.onnx")
        onnx.save(build_onnx(graph, weights, INPUT_SIZES[part]), files[part])
    return files


def engines(folder: Path, config: Path | None) -> Iterator[tuple[str, str, dict]]:
    """Label, name and options of each engine to time."""
    yield "yunet_sface", "yunet_sface", {}
    if (SHARED / "graphs").is_dir() and (SHARED / "golden/fill.py").is_file():
        files = filled_networks(folder)
        reduced = torch.cuda.is_available() or torch.ops.mkldnn._is_mkldnn_bf16_supported()
        for precision in ("float32", "bfloat16") if reduced else ("float32",):
            for label, sizes in (("all five sizes", 5), ("first three sizes", 3), ("first size", 1)):
                options = {"pyramid": REFERENCE_PYRAMID[:sizes], "precision": precision}
                yield f"retinaface_arcface, {label}, {precision}", "retinaface_arcface", files | options
    else:
        print("retinaface_arcface: skipped: the graphs in ../shared/graphs are missing; --config takes your own files")
    if config is None:
        print("insightface: skipped: it needs trained networks; --config takes yours")
        return
    faces = yaml.safe_load(config.read_text())["faces"]
    default = yaml.safe_load((Path(__file__).parents[1] / "config.yaml").read_text())["faces"]
    name = faces["engine"]
    options = default.get(name, {}) | faces.get(name, {})
    files = planning.plan_engine({"faces": {name: options}}, name, "results/models")
    yield f"{name}, {config.name}", name, dict(files.embedding)


def teraflop(detector: str | Path, crop: Image, pyramid: Sequence[float]) -> float:
    """Floating-point operations of a RetinaFace's convolutions on a crop's pyramid, in units of 1e12.

    Those that are rewritten as matrix products of weights, as `castsearch.onnx.winograd` does it, count as they are.
    """
    height, width, _ = crop.shape
    total, model = 0, onnx.load(detector)
    for scale in pyramid_scales(height, width, pyramid):
        shape = [1, 3, round(height * scale), round(width * scale)]
        for dimension, length in zip(model.graph.input[0].type.tensor_type.shape.dim, shape, strict=True):
            dimension.dim_value = length
        # Not by onnx.shape_inference, which leaves open what is cut to the size of another map.
        graph = SymbolicShapeInference.infer_shapes(model, auto_merge=True).graph
        weights = {tensor.name: tensor.dims for tensor in graph.initializer}
        sizes = {
            value.name: [dimension.dim_value for dimension in value.type.tensor_type.shape.dim]
            for value in [*graph.value_info, *graph.output]
        }
        for node in graph.node:
            if node.op_type == "Conv":
                total += 2 * np.prod(sizes[node.output[0]]) * np.prod(weights[node.input[1]][1:])
            elif node.op_type == "MatMul":
                total += 2 * np.prod(sizes[node.output[0]]) * weights[node.input[0]][-1]
    return total / 1e12


def seconds(engine: Engine, crops: Sequence[Image]) -> tuple[float, float]:
    """Seconds per crop of detection and of embedding, each after a first call that loads the networks."""
    face = Face(np.array([90, 80, 210, 240], np.float32), EYES_TO_MOUTH)
    next(engine.detect([cv2.resize(crops[0], (60, 150))]))
    list(engine.embed([(crops[0], face)] * BATCH))
    start = time.perf_counter()
    list(engine.detect(crops))
    middle = time.perf_counter()
    samples = [(crop, face) for crop in crops for _ in range(BATCH)]
    list(engine.embed(samples))
    return (middle - start) / len(crops), (time.perf_counter() - middle) / len(samples)


def main() -> None:
    """Time every engine and print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--crops", type=int, default=1, help="how many crops to detect in")
    parser.add_argument("--threads", type=int, default=2, help="that a network may use")
    parser.add_argument("--config", type=Path, help="a configuration with an engine whose files are here")
    options = parser.parse_args()
    rows, crops = [], crops_of_many_shapes(options.crops)
    with tempfile.TemporaryDirectory() as folder:
        for label, name, arguments in engines(Path(folder), options.config):
            try:
                engine = face_engines.load(name).make(arguments, options.threads)
                detection, embedding = seconds(engine, crops)
            except InputError as error:
                print(f"{label}: skipped: {error}")
                continue
            row = {"engine": label, "detect [s/crop]": detection, "embed [s/crop]": embedding}
            if "pyramid" in arguments:
                work = np.mean([teraflop(arguments["detector"], crop, arguments["pyramid"]) for crop in crops])
                row["detect [TFLOP/s]"] = work / detection
            rows.append(row)
    provider = session_options(1)["providers"][0]
    device = torch.cuda.get_device_name() if torch.cuda.is_available() else f"{options.threads} threads"
    print(f"\nA crop of {CROP[0]}x{CROP[1]} pixels, {device}, ONNX Runtime with {provider}:\n")
    print(pd.DataFrame(rows).to_markdown(index=False, floatfmt=".4f"))


if __name__ == "__main__":
    main()
