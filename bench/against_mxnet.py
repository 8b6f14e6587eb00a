"""Seconds per crop of the reference system's image pyramid, in ONNX Runtime and in MXNet with as many threads.

    make mxnet
    python bench/against_mxnet.py                two crops, with 2 threads
    python bench/against_mxnet.py --threads 1

RetinaFace-R50 with fixed weights, where ../shared has its graph, from its checkpoint in MXNet and as imported in ONNX
Runtime, in turns. MXNet binds its network anew whenever an image has another size than the one before, and takes longer
yet at a size that it has not met. Person boxes are hardly ever of the same size, so the first row counts; the others
are all sizes once more, in the same order, and each size right after itself. The speed of a matrix product of torch is
given for comparison.
"""

import argparse
import json
import os
import subprocess
import tempfile
import time
from pathlib import Path

import onnx
import pandas as pd
import torch
from faces import SHARED, mxnet_checkpoints, teraflop
from tqdm import tqdm

from castsearch.faces.mxnet.importing import build_onnx
from castsearch.faces.mxnet.network_files import INPUT_SIZES
from castsearch.faces.networks.retinaface import REFERENCE_PYRAMID, pyramid_scales

PYTHON = Path(__file__).parents[1] / ".venv-mxnet/bin/python"
CROPS = ((300, 700), (210, 430))


def write_detector(folder: Path) -> tuple[Path, Path]:
    """Checkpoint's prefix and ONNX file of RetinaFace-R50 with fixed weights."""
    graph, weights = mxnet_checkpoints().filled_checkpoint(SHARED / "golden", "R50")
    prefix = folder / "R50"
    Path(f"{prefix}-symbol.json").write_text(json.dumps(graph))
    named = {f"{'aux' if 'moving' in name else 'arg'}:{name}": array for name, array in weights.items()}
    mxnet_checkpoints().write_params(Path(f"{prefix}-0000.params"), named)
    onnx.save(build_onnx(graph, weights, INPUT_SIZES["detector"]), folder / "R50.onnx")
    return prefix, folder / "R50.onnx"


def input_shapes() -> list[list[int]]:
    """What the network sees of the crops, scale by scale."""
    return [
        [1, 3, round(height * scale), round(width * scale)]
        for width, height in CROPS
        for scale in pyramid_scales(height, width)
    ]


def product_gflops(threads: int, size: int = 2048, times: int = 8) -> float:
    """Speed of a large matrix product: what the processor does where memory hardly matters."""
    torch.set_num_threads(threads)
    matrix = torch.rand(size, size)
    matrix @ matrix
    start = time.perf_counter()
    for _ in range(times):
        matrix @ matrix
    return times * 2 * size**3 / (time.perf_counter() - start) / 1e9


def main() -> None:
    """Time both and print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--threads", type=int, default=2, help="of each of the two")
    threads = parser.parse_args().threads
    if not PYTHON.is_file() or not (SHARED / "graphs").is_dir():
        print("MXNet: skipped: it needs its own environment (`make mxnet`) and the graphs in ../shared/graphs")
        return
    sizes, rows = input_shapes(), []
    shapes = sizes + [size for size in sizes for _ in range(2)]
    with tempfile.TemporaryDirectory() as name:
        prefix, network = write_detector(Path(name))
        work = 1e3 * sum(teraflop(network, crop, REFERENCE_PYRAMID) for crop in CROPS) / len(CROPS)
        arguments = {"prefix": str(prefix), "onnx": str(network), "threads": threads, "shapes": shapes}
        program = Path(__file__).parent / "prepare/mxnet_seconds.py"
        command = [str(PYTHON), "-P", str(program), json.dumps(arguments)]
        environment = os.environ | {"OMP_NUM_THREADS": str(threads)}
        with (
            tempfile.TemporaryFile("w+") as said,  # of which MXNet has much to say even where all is well
            subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=said, text=True) as process,
        ):
            for line in tqdm(process.stdout, total=len(shapes), desc="scales"):
                rows.append(json.loads(line))
            if process.wait() != 0:
                said.seek(0)
                raise SystemExit(f"{said.read()}{' '.join(command[:3])} failed with exit code {process.returncode}")
    first, again = rows[: len(sizes)], rows[len(sizes) :]
    parts = {"met for the first time": first, "met before": again[0::2], "the one before": again[1::2]}
    table = pd.DataFrame({"sizes": label, **pd.DataFrame(part).sum().div(len(CROPS))} for label, part in parts.items())
    table["ratio"] = table["mxnet"] / table["onnxruntime"]
    table["GFLOP/s of onnxruntime"] = work / table["onnxruntime"]
    print(f"\nSeconds per crop, mean of {len(CROPS)}, {threads} threads; ratio: how many times as long MXNet takes")
    print(f"A matrix product of torch: {product_gflops(threads):.0f} GFLOP/s\n")
    print(table.to_markdown(index=False, floatfmt=".2f"))


if __name__ == "__main__":
    main()
