"""How long Snakemake takes to plan a run, and to find that a finished one has nothing left to do.

    python bench/dag.py                     20 and 200 movies, and the challenge's 192 with 18 networks
    python bench/dag.py --largest 2000      and 2,000 movies

Movies have one portrait and one box: planning opens no image. A finished run is one whose files are there and have been
touched by `snakemake --touch`, so that Snakemake knows with which parameters and code they would have been made.
"""

import argparse
import json
import re
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pandas as pd
import yaml

ROOT = Path(__file__).parents[1]
CHALLENGE = {"train": 115, "val": 19, "test": 58}
SIZES = (20, 200, 2000)
BACKBONES = ["resnet50", "resnet101", "resnet152", "resnext50_32x4d", "resnext101_32x8d"]
BACKBONES += ["densenet121", "densenet161", "densenet169", "densenet201"]


def annotations(split: str, movies: int) -> dict:
    """A split in the challenge's format, of movies that are as small as a movie can be."""
    ids = [f"{split}{number:05d}" for number in range(movies)]
    return {
        movie: {
            "cast": [{"id": f"{movie}_a", "img": f"{movie}/a.jpg", "label": "a"}],
            "candidates": [{"id": f"{movie}_1", "img": f"{movie}/1.jpg", "bbox": [0, 0, 50, 100], "label": "a"}],
        }
        for movie in ids
    }


def configuration(folder: Path, movies: dict[str, int], networks: int) -> dict:
    """Write the data of a run to `folder` and return its configuration."""
    (folder / "images").mkdir()
    files = {}
    for split, number in movies.items():
        written = annotations(split, number)
        (folder / f"{split}.json").write_text(json.dumps(written))
        labels = {f"{movie}_a": [f"{movie}_1"] for movie in written}
        (folder / f"{split}_label.json").write_text(json.dumps(labels))
        files[split] = {"annotations": f"{split}.json", "images": "images"}
        files[split] |= {"labels": f"{split}_label.json"} if split == "val" else {}
    (folder / "weights.pth").touch()
    trained = [
        {"name": f"{kind}_{backbone}", "kind": kind, "backbone": backbone, "imagenet": "weights.pth"}
        for kind in ("triplet", "mgn")
        for backbone in BACKBONES
    ][:networks]
    search = [split for split in movies if split != "train"]
    data = {"source": "files", "files": files, "train": ["train"], "search": search}
    return {"data": data, "reid": {"networks": trained}}


def snakemake(folder: Path, *arguments: str) -> tuple[float, str]:
    """Run Snakemake in `folder`; return the seconds that it took and what it said."""
    command = [sys.executable, "-m", "snakemake", "--snakefile", str(ROOT / "Snakefile"), "--cores", "2"]
    command += ["--directory", str(folder), "--configfile", str(folder / "config.yaml"), *arguments]
    start = time.perf_counter()
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    if done.returncode != 0:
        sys.exit(done.stdout)
    return time.perf_counter() - start, done.stdout


def row(movies: dict[str, int], networks: int) -> dict[str, float]:
    """Measure one size."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "config.yaml").write_text(yaml.safe_dump(configuration(folder, movies, networks)))
        planning, said = snakemake(folder, "--dry-run", "--quiet", "rules")
        jobs = int(re.search(r"^total\s+(\d+)$", said, re.MULTILINE)[1])
        outputs = snakemake(folder, "--summary")[1].splitlines()
        outputs = [line.split("\t")[0] for line in outputs if line.startswith("results/")]
        for path in (folder / output for output in outputs):
            path.parent.mkdir(parents=True, exist_ok=True)
            path.touch()
        snakemake(folder, "--touch", "--forceall")
        finished, said = snakemake(folder)
        if "Nothing to be done" not in said:
            sys.exit(said)
    return {
        "movies": sum(movies.values()),
        "networks": networks,
        "jobs": jobs,
        "result files": len(outputs),
        "plan s": planning,
        "nothing to be done s": finished,
        "plan, ms a job": 1000 * planning / jobs,
    }


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description="Time Snakemake's planning over the number of movies.")
    parser.add_argument("--largest", type=int, default=SIZES[1], help="largest number of movies")
    options = parser.parse_args()
    rows = [row(CHALLENGE, 18)]
    for size in (size for size in SIZES if size <= options.largest):
        rows.append(row({"train": size // 2, "val": size - size // 2}, 2))
        print(pd.DataFrame(rows).to_markdown(index=False, floatfmt=".1f"), flush=True)


if __name__ == "__main__":
    main()
