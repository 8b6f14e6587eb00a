"""What Snakemake takes to plan a run, and to find that a finished one has nothing left to do.

    python bench/dag.py                           the challenge's 192 movies, with 18 networks
    python bench/dag.py --movies 200 2000         so many movies, half of them to train, with two networks
    python bench/dag.py --tree OTHER              another checkout of this workflow, with the same Python

Movies have one portrait and one box: planning opens no image. A finished run is one whose files are there and have
been touched by `snakemake --touch`, so that Snakemake knows with which parameters and code they would have been made.
Seconds are the processor's. Each size is planned for one machine and with `profiles/slurm`.
"""

import argparse
import json
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

import pandas as pd
import yaml

ROOT = Path(__file__).parents[1]
CHALLENGE = {"train": 115, "val": 19, "test": 58}
BACKBONES = ["resnet50", "resnet101", "resnet152", "resnext50_32x4d", "resnext101_32x8d"]
BACKBONES += ["densenet121", "densenet161", "densenet169", "densenet201"]
# Snakemake waits for a tenth of a second before it touches the files of a job: 15 minutes for 9,000 jobs.
HURRIED = """
from snakemake.cli import main
from snakemake.executors import touch
touch.Executor.SLEEPING_TIME = 0
main()
"""


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


def processor_seconds() -> float:
    """What all child processes have taken that have ended."""
    times = os.times()
    return times.children_user + times.children_system


def snakemake(
    tree: Path, folder: Path, *arguments: str, cores: str = "2", program: Sequence[str] = ("-m", "snakemake")
) -> tuple[float, str]:
    """Run Snakemake in `folder`; return the processor seconds that it took and what it said."""
    command = [sys.executable, *program, "--snakefile", str(tree / "Snakefile")]
    command += ["--directory", str(folder), "--configfile", str(folder / "config.yaml"), "--cores", cores, *arguments]
    start = processor_seconds()
    paths = [str(tree / "src"), os.environ.get("PYTHONPATH", "")]
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, paths))}
    done = subprocess.run(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False, env=environment
    )
    if done.returncode != 0:
        sys.exit(done.stdout)
    return processor_seconds() - start, done.stdout


def filled_profile(tree: Path, folder: Path) -> Path:
    """The profile for SLURM as somebody has filled it in, on a cluster that needs neither account nor partition."""
    profile = folder / "profile/config.yaml"
    profile.parent.mkdir()
    profile.write_text((tree / "profiles/slurm/config.yaml").read_text().replace("SET_ME", "null"))
    return profile.parent


def finish(tree: Path, folder: Path) -> int:
    """Make a run look finished; return how many files it has made."""
    outputs = snakemake(tree, folder, "--summary")[1].splitlines()
    outputs = [line.split("\t")[0] for line in outputs if line.startswith("results/")]
    for path in (folder / output for output in outputs):
        is_folder = not path.suffix and path.name != "Snakefile"
        (path if is_folder else path.parent).mkdir(parents=True, exist_ok=True)
        if not is_folder:
            path.touch()
    # With so many cores, all that is ready at a time.
    snakemake(tree, folder, "--touch", "--forceall", cores="1000", program=("-c", HURRIED))
    return len(outputs)


def rows(tree: Path, movies: dict[str, int], networks: int) -> list[dict[str, object]]:
    """Measure one size, on one machine and with the profile."""
    measured = []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "config.yaml").write_text(yaml.safe_dump(configuration(folder, movies, networks)))
        places = {"one machine": [], "profiles/slurm": ["--workflow-profile", str(filled_profile(tree, folder))]}
        for place, arguments in places.items():
            planning, said = snakemake(tree, folder, *arguments, "--dry-run", "--quiet", "rules")
            jobs = int(re.search(r"^total\s+(\d+)$", said, re.MULTILINE)[1])
            measured.append({"movies": sum(movies.values()), "networks": networks, "place": place, "jobs": jobs})
            measured[-1] |= {"plan, s": planning, "plan, ms a job": 1000 * planning / jobs}
        written = finish(tree, folder)
        for row, arguments in zip(measured, places.values(), strict=True):
            finished, said = snakemake(tree, folder, *arguments, "--dry-run")
            if "Nothing to be done" not in said:
                sys.exit(said)
            row |= {"result files": written, "nothing to be done, s": finished}
    return measured


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description="Measure Snakemake's planning over the number of movies.")
    parser.add_argument("--movies", type=int, nargs="+", default=[], help="numbers of movies")
    parser.add_argument("--tree", type=Path, default=ROOT, help="the checkout that is measured")
    options = parser.parse_args()
    sizes = [({"train": size // 2, "val": size - size // 2}, 2) for size in options.movies] or [(CHALLENGE, 18)]
    measured = []
    for movies, networks in sizes:
        measured += rows(options.tree, movies, networks)
        print(pd.DataFrame(measured).to_markdown(index=False, floatfmt=".1f"), flush=True)


if __name__ == "__main__":
    main()
