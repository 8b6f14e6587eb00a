"""A search of each portrait in all 58 movies of the challenge's test split at once, through the workflow's own rules.

    python bench/across.py                                       32,511 candidates and 373 portraits
    python bench/across.py --movies 192 --candidates 127206      as many as the largest such data set, CSM, has

Features are those that `simulation` draws; a fifth of the cast are in another movie, too. No photograph is behind them,
so the stages that make crops and features are taken as done, and all frames are grey. What runs is all that follows:
re-ranking, ranking, submission, names, evaluation and report, with `search.scope: split`.
"""

import argparse
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from itertools import cycle, islice
from pathlib import Path

import numpy as np
import pyarrow as pa
import simulation
import yaml
from PIL import Image
from stages import main as print_stages

from castsearch import files
from castsearch.data.challenge import load_annotations
from castsearch.data.cutting import crop_movie

GREY = Image.new("L", (8, 16), 128)
ROOT = Path(__file__).parents[1]
FRONTAL = [2, 2, 6, 2, 4, 4, 2, 6, 6, 6]  # x and y of eyes, nose and corners of the mouth
SHARED = 0.2  # of a movie's cast, who are in an earlier one's, too
NETWORK = {"name": "body", "kind": "triplet", "backbone": "mobilenet_v2", "weights": "weights.safetensors"}
CONFIG = {
    "data": {
        "source": "files",
        "files": {"val": {"annotations": "val.json", "images": "images", "labels": "val_label.json"}},
        "train": [],
        "search": ["val"],
    },
    "reid": {"networks": [NETWORK]},
    "search": {"scope": "split"},
}


def write_movie(folder: Path, name: str, drawn: simulation.SimulatedMovie, actors: Sequence[int]) -> tuple[dict, dict]:
    """Write a movie's frames, its features and its place in every file between; return its annotation and labels."""
    n, rows = len(drawn.identity), len(drawn.face)
    cast = [f"{name}_c{number}" for number in range(rows - n)]
    candidates = [f"{name}_{number:04d}" for number in range(n)]
    frames = [f"{name}/{frame}.jpg" for frame in ["portrait"] * len(cast) + drawn.frames]
    (folder / "images" / name).mkdir(parents=True)
    for frame in set(frames):
        GREY.save(folder / "images" / frame)
    people = [
        {
            "id": one,
            "img": frame,
            "bbox": [0, 0, *GREY.size],
            "label": f"actor{actors[identity]}" if identity < len(cast) else f"{name}_extra{identity}",
        }
        for one, frame, identity in zip(
            cast + candidates, frames, [*range(len(cast)), *drawn.identity.tolist()], strict=True
        )
    ]
    features = pa.FixedSizeListArray.from_arrays(drawn.face.astype(np.float32).ravel(), drawn.face.shape[1])
    seen = [True] * len(cast) + drawn.has_face.tolist()
    ones = np.ones(rows, np.float32)
    faces = {"id": cast + candidates, "detected": seen, "selected": seen, "score": ones, "size": ones}
    faces = pa.table(
        faces
        | {"num_faces": np.array(seen, np.int32), "turn": np.zeros(rows, np.int16)}
        | {"landmarks": pa.array([FRONTAL] * rows, pa.list_(pa.float32(), 10)), "feature": features}
    )
    engine = json.dumps({"engine": "simulation", "licence": "none", "models": []})
    results = folder / "results"
    files.write_table(
        results / f"faces/yunet_sface/val/{name}.arrow", faces.replace_schema_metadata({"engine": engine})
    )
    files.write_array(results / f"bodies/body/val/{name}.npy", drawn.body)
    files.write_text(results / f"detections/yunet_sface/val/{name}.arrow", "")
    relevant = {one: [candidates[row] for row in np.flatnonzero(drawn.identity == i)] for i, one in enumerate(cast)}
    return {"cast": people[: len(cast)], "candidates": people[len(cast) :]}, relevant


def sizes_of(movies: int, candidates: int | None) -> list[tuple[int, int]]:
    """Cast and candidates of each movie: those of the test split, or as many times more as make so many in all."""
    sizes = list(islice(cycle(simulation.TEST_SIZES), movies))
    if candidates is None:
        return sizes
    ends = np.cumsum([0, *(n for _, n in sizes)]) * candidates // sum(n for _, n in sizes)
    return [(num_cast, int(n)) for (num_cast, _), n in zip(sizes, np.diff(ends), strict=True)]


def write_run(folder: Path, sizes: Sequence[tuple[int, int]]) -> None:
    """Write the data of a run, and the results that stand before re-ranking."""
    annotations, labels = {}, {}
    drawn = simulation.split(sizes, seed=0, shared=SHARED)
    for number, (movie, actors) in enumerate(drawn):
        name = f"sim{number:02d}"
        annotations[name], relevant = write_movie(folder, name, movie, actors)
        labels |= relevant
    files.write_json(folder / "val.json", annotations)
    files.write_json(folder / "val_label.json", labels)
    for name, movie in load_annotations(folder / "val.json").items():
        to = folder / f"results/crops/val/{name}.arrow"
        crop_movie(to, "val", name, movie, source=name, images=folder / "images", on_bad_image="stop")
    for path in ("weights.safetensors", "results/reid/body/weights.safetensors"):
        files.write_text(folder / path, "")
    files.write_text(folder / "config.yaml", yaml.safe_dump(CONFIG))


def snakemake(folder: Path, *arguments: str) -> None:
    """Run the workflow in `folder`."""
    command = [sys.executable, "-m", "snakemake", "--snakefile", str(ROOT / "Snakefile"), "--directory", str(folder)]
    command += ["--cores", "all", "--configfile", str(folder / "config.yaml"), *arguments]
    subprocess.run(command, stdout=subprocess.DEVNULL, check=True)


def main() -> None:
    """Run it, and print the scores and what each stage cost."""
    parser = argparse.ArgumentParser(description="Search all movies of a split at once, through the workflow's rules.")
    parser.add_argument(
        "--movies", type=int, default=len(simulation.TEST_SIZES), help="how many, of the sizes of the 58"
    )
    parser.add_argument("--candidates", type=int, help="of all movies, in place of what the 58 have")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write_run(folder, sizes_of(options.movies, options.candidates))
        snakemake(folder, "--touch", "--until", "embed_faces", "embed_bodies")
        started = time.perf_counter()
        snakemake(folder, "--quiet", "rules", "--until", "names", "submission", "evaluate")
        print(f"From re-ranking to names, submission and scores: {time.perf_counter() - started:.0f} seconds\n")
        snakemake(folder, "--quiet", "rules")
        print((folder / "results/tables/ablation.md").read_text())
        sys.argv[1:] = [str(folder / "results")]
        print_stages()


if __name__ == "__main__":
    main()
