"""What a GPU does for this project, tested and measured in eight minutes at most; one table is printed last.

    make gpu
    python bench/gpu.py --config mine.yaml    the engine of that configuration, too, with its own files
    python bench/gpu.py --rehearse            the same, small, on a machine without a GPU

In turn: the tests that need a GPU; the training loop (`bench/reid.py gpu`); detection and recognition by each engine
whose networks are here (`bench/faces.py`), in torch, and in ONNX Runtime if a wheel of onnxruntime-gpu can be had; and
k-reciprocal re-ranking of 32,511 images (`bench/rerank.py`), beside the CPU. Each part has its time; what does not end
in it is left out, and the table says so.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import NamedTuple

import pandas as pd
import torch

BENCH = Path(__file__).parent
WITHOUT_GPU = {"CUDA_VISIBLE_DEVICES": ""}


class Part(NamedTuple):
    """A program to run.

    Attributes:
        name: what it measures.
        arguments: of Python.
        seconds: that it may take.
        environment: variables in addition.
    """

    name: str
    arguments: Sequence[str | Path]
    seconds: int
    environment: Mapping[str, str] = {}


def parts(options: argparse.Namespace, runtime: Path | None) -> list[Part]:
    """What is to be run; `runtime` is a folder with onnxruntime-gpu."""
    faces = [BENCH / "faces.py", *(["--config", options.config] if options.config else [])]
    small = ["--device", "cpu", "--rehearse"] if options.rehearse else []
    training = [BENCH / "reid.py", "gpu", "--steps", "40", *small]
    rerank = [BENCH / "rerank.py", "--only", "ours", "2000" if options.rehearse else "32511"]
    return [
        Part("tests", ["-m", "pytest", "-q", "-m", "gpu", "tests/reid", "tests/search"], 80),
        Part("training", training, 140),
        Part("faces in torch", faces, 50),
        *([Part("faces in ONNX Runtime", faces, 50, {"PYTHONPATH": str(runtime)})] if runtime else []),
        Part("re-ranking", rerank, 30),
        Part("re-ranking on the CPU", rerank, 50, WITHOUT_GPU),
    ]


def run(part: Part) -> str:
    """Run a part, and return the lines that it printed last: its table, or why there is none."""
    paths = [part.environment.get("PYTHONPATH"), os.environ.get("PYTHONPATH")]
    environment = os.environ | part.environment | {"PYTHONPATH": os.pathsep.join(filter(None, paths))}
    command = [sys.executable, *map(str, part.arguments)]
    try:
        done = subprocess.run(
            command,
            env=environment,
            cwd=BENCH.parent,
            timeout=part.seconds,
            capture_output=True,
            text=True,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return f"left out: it took more than {part.seconds} s"
    print(done.stdout, done.stderr, sep="\n", flush=True)
    said = done.stdout.strip() or done.stderr.strip()
    if done.returncode:
        return f"failed: {said.splitlines()[-1]}"
    return said.rpartition("\n\n")[2]


def rows(part: str, said: str) -> list[dict[str, str]]:
    """The cells of a Markdown table, each by the first cell of its row; or numbers in JSON; or the last line."""
    lines = [
        [cell.strip() for cell in line.strip("|").split("|")] for line in said.splitlines() if line.startswith("|")
    ]
    if said.startswith("{"):
        return [
            {"part": part, "of": "", "what": what, "result": f"{value:.4g}"} for what, value in json.loads(said).items()
        ]
    if not lines:
        return [{"part": part, "of": "", "what": "", "result": said.splitlines()[-1]}]
    header, _, *body = lines
    return [
        {"part": part, "of": cells[0], "what": what, "result": value}
        for cells in body
        for what, value in zip(header[1:], cells[1:], strict=True)
    ]


def install_runtime(folder: Path) -> Path | None:
    """Put onnxruntime-gpu into a folder, whose name then takes the place of onnxruntime; None if there is no wheel."""
    wanted = f"onnxruntime-gpu=={version('onnxruntime')}"
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--target", str(folder), wanted]
    try:
        subprocess.run(command, timeout=60, check=True)
    except (subprocess.CalledProcessError, subprocess.TimeoutExpired):
        return None
    return folder


def main() -> None:
    """Run every part and print one table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--config", type=Path, help="a configuration with an engine whose files are here")
    parser.add_argument("--rehearse", action="store_true", help="run it small, without a GPU")
    options = parser.parse_args()
    if not (torch.cuda.is_available() or options.rehearse):
        sys.exit("No GPU: torch finds none on this machine, so there is nothing to measure")
    found: list[dict[str, str]] = []
    with tempfile.TemporaryDirectory() as folder:
        runtime = None if options.rehearse else install_runtime(Path(folder))
        for part in parts(options, runtime):
            found += rows(part.name, run(part))
    if runtime is None:
        found += rows("faces in ONNX Runtime", "left out: no wheel of onnxruntime-gpu could be had")
    device = torch.cuda.get_device_name() if torch.cuda.is_available() else "no GPU, so these numbers mean nothing"
    print(f"\n{device}, torch {torch.__version__}\n\n{pd.DataFrame(found).to_markdown(index=False)}")


if __name__ == "__main__":
    main()
