"""The most memory that a stage's job takes, against what its rule claims, by number and size of boxes.

    python bench/memory.py [--most 20000]

The script of each rule runs in a process of its own, without Snakemake; the peak is what the system counted for it.
Boxes to crop are of noise, which no codec makes small. Features are those of `simulation`, of 8 portraits and with
bodies of 2,048 numbers, as ResNet-50's.
"""

import argparse
import json
import os
import runpy
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pyarrow as pa
import simulation
from PIL import Image

from castsearch import files
from castsearch.data.crops import crop_table
from castsearch.search import variant
from castsearch.workflow import claims

SCRIPTS = Path(__file__).parents[1] / "src/scripts"
BODY = 2048  # numbers of a body's features
CAST = 8
RERANK = {"method": "k_reciprocal", "k1": 20, "k2": 6, "lambda_value": 0.3}
SEARCHES = {
    "cascade": variant.Variant("v", "simulation", ("body",), "cascade", thresholds=(0.5, 0.4, 0.3, 0.25)),
    "cascade, re-ranked": variant.Variant(
        "v", "simulation", ("body",), "cascade", RERANK, RERANK, thresholds=(0.5, 0.4, 0.3, 0.25)
    ),
    "propagation": variant.Variant("v", "simulation", ("body",), "propagation"),
    "propagation, re-ranked": variant.Variant("v", "simulation", ("body",), "propagation", RERANK, RERANK),
    "diffusion": variant.Variant("v", "simulation", ("body",), "diffusion"),
}
BOXES = ((60, 200, 100), (1456, 240, 320), (20_000, 80, 120), (300, 2000, 1000), (560, 2000, 1000), (60, 3840, 2160))
NUMBERS = (60, 1456, 5000, 12_000, 20_000)


def write_frames(folder: Path, number: int, width: int, height: int) -> None:
    """Write an annotation and frames of noise with four boxes each."""
    noise = np.random.default_rng(0).integers(0, 256, (height + 3, width + 3, 3), np.uint8)
    Image.fromarray(noise).save(folder / "frame.jpg", quality=90)
    boxes = [
        {"id": f"b{box}", "img": "frame.jpg", "bbox": [box % 4, box % 3, width, height], "label": "others"}
        for box in range(number)
    ]
    for box in boxes:  # a frame of its own for every four
        name = f"{int(box['id'][1:]) // 4}.jpg"
        if not (folder / name).exists():
            (folder / name).symlink_to("frame.jpg")
        box["img"] = name
    files.write_json(folder / "movie.json", {"movie": {"cast": [], "candidates": boxes}})


def write_movie(folder: Path, number: int) -> None:
    """Write crops without images, faces and bodies of a simulated movie."""
    drawn = simulation.movie(CAST, number, seed=0)
    rows = len(drawn.face)
    ids = [f"c{row}" for row in range(CAST)] + [f"b{row}" for row in range(number)]
    frames = ["portrait"] * CAST + drawn.frames
    people = [
        {"id": one, "role": "cast" if row < CAST else "candidate", "label": one if row < CAST else "others"}
        | {"frame": frame, "x": 0, "y": 0, "width": 8, "height": 16, "image": b"-"}
        for row, (one, frame) in enumerate(zip(ids, frames, strict=True))
    ]
    files.write_table(folder / "crops.arrow", crop_table("val", "movie", people))
    seen = [True] * CAST + drawn.has_face.tolist()
    ones = np.ones(rows, np.float32)
    features = pa.FixedSizeListArray.from_arrays(drawn.face.astype(np.float32).ravel(), drawn.face.shape[1])
    faces = {"id": ids, "detected": seen, "selected": seen, "score": ones, "size": ones, "num_faces": ones}
    files.write_table(folder / "faces.arrow", pa.table(faces | {"feature": features}))
    body = np.zeros((number, BODY), np.float32)
    body[:, : drawn.body.shape[1]] = drawn.body
    files.write_array(folder / "bodies.npy", body)


class Output(list[str]):
    """A script's only output, by number or by any name."""

    def __getattr__(self, name: str) -> str:
        return self[0]


def result(stage: str, folder: Path) -> Path:
    """Where a stage leaves its result."""
    return folder / ("rerank.npz" if stage == "rerank" else stage)


def job(stage: str, folder: Path, search: variant.Variant | None) -> dict[str, object]:
    """What Snakemake gives to the script of a stage."""
    features = {"crops": [f"{folder}/crops.arrow"], "faces": [f"{folder}/faces.arrow"]}
    features["bodies"] = [f"{folder}/bodies.npy"]
    inputs, params = features, {"engines": ["simulation"], "networks": ["body"], "on_unclear": "skip"}
    if stage == "crop":
        inputs, params = {"annotations": f"{folder}/movie.json"}, {"images": str(folder), "on_bad_image": "stop"}
    elif stage == "rerank":
        params |= {"similarities": variant.to_json(variant.reranked_similarities([search]))}
    elif stage == "fuse":
        inputs = inputs | {"reranked": f"{folder}/rerank.npz"}
        params |= {"variants": variant.to_json([search]), "corrections": []}
    elif stage == "names":
        inputs, params = inputs | {"rankings": f"{folder}/fuse"}, {"variant": "v", "min_confidence": 0.5}
    else:
        inputs, params = inputs | {"names": f"{folder}/names"}, params | {"engine": "simulation"}
    return (
        {"log": [f"{folder}/log"], "resources": {}}
        | {"input": inputs, "params": params, "wildcards": {"split": "val", "movie": "movie"}}
        | {"output": str(result(stage, folder))}
    )


def run_script(stage: str, given: dict) -> None:
    """Run the script of a rule in this process."""
    spaces = {name: SimpleNamespace(**given[name]) for name in ("input", "params", "wildcards")}
    spaces["output"] = Output([given["output"]])
    runpy.run_path(str(SCRIPTS / f"{stage}.py"), init_globals={"snakemake": SimpleNamespace(**given | spaces)})


def measured(stage: str, folder: Path, search: variant.Variant | None = None) -> dict[str, object]:
    """Run the script of a stage in a process of its own; return what it took and left."""
    given = json.dumps(job(stage, folder, search))
    process = subprocess.Popen([sys.executable, __file__, "--job", stage, given])
    _, status, usage = os.wait4(process.pid, 0)
    if status != 0:
        raise SystemExit(f"{stage} failed: {(folder / 'log').read_text()}")
    return {
        "peak, MB": usage.ru_maxrss / 1024,
        "result, MB": result(stage, folder).stat().st_size / 2**20,
        "processor seconds": usage.ru_utime + usage.ru_stime,
    }


def crop_rows() -> Iterator[dict[str, object]]:
    """Measure cropping."""
    for number, width, height in BOXES:
        with tempfile.TemporaryDirectory() as name:
            write_frames(Path(name), number, width, height)
            size = {"stage": "crop", "boxes": number, "of pixels": f"{width}×{height}"}
            yield size | measured("crop", Path(name)) | {"claim, MB": claims.CROP_MB}


def search_rows(most: int) -> Iterator[dict[str, object]]:
    """Measure the stages of the search."""
    for number in (each for each in NUMBERS if each <= most):
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            subprocess.run([sys.executable, __file__, "--movie", name, str(number)], check=True)
            for title, search in SEARCHES.items():
                claim = {"claim, MB": claims.search_mb(number, CAST, 1, [search])}
                if search.face_rerank or not result("rerank", folder).exists():
                    size = {"stage": f"rerank: {title}", "boxes": number}
                    yield size | measured("rerank", folder, search) | claim
                yield {"stage": f"fuse: {title}", "boxes": number} | measured("fuse", folder, search) | claim
            for stage in ("names", "groups"):
                networks, searches = (0, [search]) if stage == "names" else (1, [])
                claim = {"claim, MB": claims.search_mb(number, CAST, networks, searches)}
                yield {"stage": stage, "boxes": number} | measured(stage, folder) | claim


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description="Compare the memory of stages with what their rules claim.")
    parser.add_argument("--most", type=int, default=NUMBERS[-1], help="boxes of the largest movie that is searched")
    parser.add_argument("--job", nargs=2, help=argparse.SUPPRESS)
    parser.add_argument("--movie", nargs=2, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.job:
        run_script(options.job[0], json.loads(options.job[1]))
    elif options.movie:
        write_movie(Path(options.movie[0]), int(options.movie[1]))
    else:
        table = pd.DataFrame([*crop_rows(), *search_rows(options.most)]).fillna("")
        print(table.to_markdown(index=False, floatfmt=".0f"))


if __name__ == "__main__":
    main()
