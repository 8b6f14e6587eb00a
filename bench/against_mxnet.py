"""Seconds per crop of the reference system's image pyramid, in ONNX Runtime and in MXNet with as many threads.

    make mxnet
    python bench/against_mxnet.py                two crops, with 2 threads
    python bench/against_mxnet.py --threads 1    in seconds of the processor
    python bench/against_mxnet.py --sizes 3      without the two largest sizes, which take seven tenths of the time

RetinaFace-R50 with fixed weights, where ../shared has its graph, in turns: from its checkpoint in MXNet, and in ONNX
Runtime as imported ("direct") and as the engine rewrites it ("winograd"). MXNet binds its network anew whenever an
image has another size than the one before, and takes longer yet at a size that it has not met. Person boxes are hardly
ever of the same size, so the first row counts; the others are all sizes once more, in the same order, and each size
right after itself. A matrix product of torch, whose speed no convolution exceeds, gives the least seconds of each form.
"""

import argparse
import json
import os
import subprocess
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import onnx
import pandas as pd
import torch
from faces import SHARED, mxnet_checkpoints, teraflop
from tqdm import tqdm

from castsearch.faces.mxnet.importing import build_onnx
from castsearch.faces.mxnet.network_files import INPUT_SIZES
from castsearch.faces.networks.retinaface import REFERENCE_PYRAMID, pyramid_scales
from castsearch.onnx.runtime import merged
from castsearch.onnx.winograd import with_winograd

PYTHON = Path(__file__).parents[1] / ".venv-mxnet/bin/python"
CROPS = ((300, 700), (210, 430))


def write_detector(folder: Path) -> tuple[Path, dict[str, Path]]:
    """Checkpoint's prefix and ONNX files of RetinaFace-R50 with fixed weights."""
    graph, weights = mxnet_checkpoints().filled_checkpoint(SHARED / "golden", "R50")
    prefix = folder / "R50"
    Path(f"{prefix}-symbol.json").write_text(json.dumps(graph))
    named = {f"{'aux' if 'moving' in name else 'arg'}:{name}": array for name, array in weights.items()}
    mxnet_checkpoints().write_params(Path(f"{prefix}-0000.params"), named)
    networks = {form: folder / f"{form}.onnx" for form in ("direct", "winograd")}
    onnx.save(build_onnx(graph, weights, INPUT_SIZES["detector"]), networks["direct"])
    onnx.save(with_winograd(merged(networks["direct"])), networks["winograd"])
    return prefix, networks


def input_shapes(pyramid: Sequence[int]) -> list[list[int]]:
    """What the network sees of the crops, scale by scale."""
    return [
        [1, 3, round(height * scale), round(width * scale)]
        for width, height in CROPS
        for scale in pyramid_scales(height, width, pyramid)
    ]


def product_gflops(threads: int, size: int = 2048, times: int = 8) -> float:
    """Speed of a large matrix product: what the processor does where memory hardly matters."""
    torch.set_num_threads(threads)
    matrix = torch.rand(size, size)
    matrix @ matrix
    clock = time.process_time if threads == 1 else time.perf_counter
    start = clock()
    for _ in range(times):
        matrix @ matrix
    return times * 2 * size**3 / (clock() - start) / 1e9


def main() -> None:
    """Time both and print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--threads", type=int, default=2, help="of each of the two")
    parser.add_argument("--sizes", type=int, default=len(REFERENCE_PYRAMID), help="how many of the pyramid's")
    options = parser.parse_args()
    threads, pyramid = options.threads, REFERENCE_PYRAMID[: options.sizes]
    if not PYTHON.is_file() or not (SHARED / "graphs").is_dir():
        print("MXNet: skipped: it needs its own environment (`make mxnet`) and the graphs in ../shared/graphs")
        return
    sizes, rows = input_shapes(pyramid), []
    shapes = sizes + [size for size in sizes for _ in range(2)]
    with tempfile.TemporaryDirectory() as name:
        prefix, networks = write_detector(Path(name))
        crops = [np.zeros((height, width, 3), np.uint8) for width, height in CROPS]
        work = {
            form: 1e3 * np.mean([teraflop(file, crop, pyramid) for crop in crops]) for form, file in networks.items()
        }
        files = {form: str(file) for form, file in networks.items()}
        arguments = {"prefix": str(prefix), "onnx": files, "threads": threads, "shapes": shapes}
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
    speed = product_gflops(threads)
    for form in work:
        table[f"ratio, {form}"] = table["mxnet"] / table[form]
    print(f"\nSeconds per crop, mean of {len(CROPS)}, {threads} threads; ratio: how many times as long MXNet takes")
    print(f"A matrix product of torch: {speed:.0f} GFLOP/s, at which the operations of a crop take at least")
    for form, gigaflop in work.items():
        print(f"- {form}: {gigaflop:.0f} GFLOP, {gigaflop / speed:.2f} s")
    print()
    print(table.to_markdown(index=False, floatfmt=".2f"))


if __name__ == "__main__":
    main()
