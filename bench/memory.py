"""The most memory that a job of each rule takes, against what the rule claims, by number and size of boxes.

    python bench/memory.py                      all of it
    python bench/memory.py networks films       parts of it, by their names

Small data of every kind are worked on by Snakemake itself; the script of each rule says its peak, see
`peaks/sitecustomize.py`. Pictures are of noise, which no codec makes small. In the searches of many boxes, faces and
bodies are drawn by `simulation`, and no network runs.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import across
import numpy as np
import pandas as pd
import simulation
import torch
import yaml
from faces import SHARED, mxnet_checkpoints
from PIL import ExifTags, Image
from torchvision.models import get_model

from castsearch import files
from castsearch.demo.film import write_film
from castsearch.export.formats import FORMATS
from castsearch.faces.networks.retinaface import REFERENCE_PYRAMID
from castsearch.reid.networks import build
from castsearch.workflow import claims

ROOT = Path(__file__).parents[1]
PEAKS = Path(__file__).parent / "peaks"
MXNET = ROOT / ".venv-mxnet/bin/python"
BODY = 2048  # numbers of a body's features, as ResNet-50's
CAST = 8
TORCHVISION = "fasterrcnn_resnet50_fpn_v2"

Row = dict[str, object]


def measured(folder: Path, data: str, config: dict, *arguments: str) -> list[Row]:
    """Run the workflow in `folder`; return a row for each rule that ran, of the job that took most."""
    files.write_text(folder / "config.yaml", yaml.safe_dump(config))
    with tempfile.TemporaryDirectory() as said:
        paths = os.pathsep.join(filter(None, [str(PEAKS), os.environ.get("PYTHONPATH")]))
        command = [sys.executable, "-m", "snakemake", "--snakefile", str(ROOT / "Snakefile"), "--cores", "2"]
        command += ["--directory", str(folder), "--configfile", str(folder / "config.yaml"), *arguments]
        done = subprocess.run(
            command,
            env=os.environ | {"PYTHONPATH": paths, "PEAKS": said},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        if done.returncode != 0:
            sys.exit(done.stdout)
        jobs = pd.DataFrame(json.loads(path.read_text()) for path in Path(said).iterdir())
    largest = jobs.loc[jobs.groupby("rule", sort=True)["peak"].idxmax()] if len(jobs) else jobs
    return [
        {"rule": job.rule, "data": data, "peak, MB": job.peak, "claim, MB": job.claim}
        | {"claim over peak": job.claim / (job.peak + claims.SNAKEMAKE_MB)}
        for job in largest.itertuples()
    ]


def write_boxes(folder: Path, number: int, width: int, height: int) -> dict:
    """Write frames of noise, each with a box, and a portrait; return the configuration of their search."""
    noise = np.random.default_rng(0).integers(0, 256, (height + 3, width + 3, 3), np.uint8)
    (folder / "images").mkdir()
    Image.fromarray(noise).save(folder / "images/frame.jpg", quality=90)
    boxes = [
        {"id": f"b{box}", "img": f"{box}.jpg", "bbox": [box % 4, box % 3, width, height], "label": "others"}
        for box in range(number)
    ]
    for box in boxes:
        os.link(folder / "images/frame.jpg", folder / "images" / str(box["img"]))
    portrait = {"id": "c0", "img": "frame.jpg", "label": "c"}
    files.write_json(folder / "val.json", {"movie": {"cast": [portrait], "candidates": boxes}})
    data = {"source": "files", "files": {"val": {"annotations": "val.json", "images": "images"}}}
    return {"data": data | {"train": [], "search": ["val"]}}


def networks() -> Iterator[Row]:
    """Measure what works on pictures: cropping, faces and bodies."""
    for number, width, height in ((60, 200, 100), (165, 240, 320), (1456, 240, 320), (60, 3840, 2160)):
        with tempfile.TemporaryDirectory() as name:
            config = write_boxes(Path(name), number, width, height)
            data = f"{number:,} boxes of {width}×{height}"
            yield from measured(Path(name), data, config, "--until", "embed_faces", "embed_bodies")


def crops() -> Iterator[Row]:
    """Measure the cropping of many boxes, and of many large ones."""
    for number, width, height in ((20_000, 80, 120), (560, 2000, 1000)):
        with tempfile.TemporaryDirectory() as name:
            config = write_boxes(Path(name), number, width, height)
            data = f"{number:,} boxes of {width}×{height}"
            yield from measured(Path(name), data, config, "--until", "crop")


def turned() -> Iterator[Row]:
    """Measure the cropping of a picture of nearly as many pixels as are read, which is turned."""
    with tempfile.TemporaryDirectory() as name:
        config = write_boxes(Path(name), 1, 1000, 1000)
        exif = Image.Exif()
        exif[ExifTags.Base.Orientation] = 6
        frame = Image.effect_noise((15_000, 11_000), 50).convert("RGB")
        frame.save(Path(name, "images/0.jpg"), exif=exif, quality=75)
        boxes = json.loads(Path(name, "val.json").read_text())
        boxes["movie"]["candidates"].append({"id": "last", "img": "0.jpg", "bbox": [10_500, 14_500, 500, 500]})
        files.write_json(Path(name, "val.json"), boxes)
        yield from measured(Path(name), "a frame of 11,000×15,000, turned", config, "--until", "crop")


def reference() -> Iterator[Row]:
    """Measure the reference system's face networks, filled with fixed numbers, at its five sizes; needs ../shared.

    They are compared with MXNet where `make mxnet` has set that up.
    """
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        config = write_boxes(folder, 2, 200, 500)
        networks = {}
        for part, network in (("detector", "R50"), ("recogniser", "arcface")):
            graph, weights = mxnet_checkpoints().filled_checkpoint(SHARED / "golden", network)
            files.write_json(folder / f"{network}-symbol.json", graph)
            mxnet_checkpoints().write_params(folder / f"{network}-0000.params", weights)
            networks[part] = {"prefix": network, "epoch": 0}
        sizes = {"pyramid": list(REFERENCE_PYRAMID), "adaptive": False}
        config["faces"] = {"engine": "retinaface_arcface", "retinaface_arcface": networks | sizes}
        config["faces"]["mxnet"] = {"verify": MXNET.exists(), "python": str(MXNET)}
        yield from measured(folder, "retinaface_arcface, boxes of 200×500", config, "--until", "embed_faces")


def write_search(folder: Path, sizes: Sequence[tuple[int, int]]) -> None:
    """Write movies of such numbers of cast and candidates, and their features, in which bodies are padded."""
    annotations, labels = {}, {}
    for number, size in enumerate(sizes):
        drawn = simulation.movie(*size, seed=number)
        padded = np.zeros((len(drawn.body), BODY), np.float32)
        padded[:, : drawn.body.shape[1]] = drawn.body
        drawn = replace(drawn, body=padded)
        name = f"sim{number:02d}"
        actors = range(100 * number, 100 * number + size[0])
        annotations[name], relevant = across.write_movie(folder, name, drawn, actors)
        labels |= relevant
    files.write_json(folder / "val.json", annotations)
    files.write_json(folder / "val_label.json", labels)
    for path in ("weights.safetensors", "results/reid/body/weights.safetensors"):
        files.write_text(folder / path, "")


def searched(data: str, sizes: Sequence[tuple[int, int]], **config: object) -> Iterator[Row]:
    """Measure all that follows faces and bodies."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write_search(folder, sizes)
        config = across.CONFIG | {"search": {"scope": "movie"}} | config
        cut = measured(folder, data, config, "--until", "crop")
        measured(folder, data, config, "--touch", "--until", "embed_faces", "embed_bodies")
        yield from cut
        yield from measured(folder, data, config)


def searches() -> Iterator[Row]:
    """Measure searches of one movie, and of the challenge's largest one."""
    for number in (60, 1456):
        yield from searched(f"{number:,} boxes", [(CAST, number)])


def large() -> Iterator[Row]:
    """Measure searches of 20,000 boxes, by the default method and by those that compare all pairs."""
    method = {"thresholds": [0.5, 0.4, 0.3, 0.25], "face_rerank": True, "body_rerank": True}
    pairs = [{"method": "cascade", **method}, {"method": "propagation"}]
    yield from searched("20,000 boxes, diffusion", [(CAST, 20_000)], variants=[{"networks": []}])
    yield from searched("20,000 boxes, all pairs", [(CAST, 20_000)], variants=pairs)


def training() -> Iterator[Row]:
    """Measure the demo for an epoch, with both kinds of networks."""
    demo = {"source": "demo", "demo": {"movies": {"train": 1, "val": 1, "test": 0}}, "search": ["val"]}
    with tempfile.TemporaryDirectory() as name:
        yield from measured(Path(name), "the demo's movies", {"data": demo, "reid": {"recipe": {"epochs": 1}}})


def imported() -> Iterator[Row]:
    """Measure networks of bodies that are not trained here: a small one and a large one of the reference system's."""
    for backbone in ("resnet50", "resnext101_32x8d"):
        with tempfile.TemporaryDirectory() as name:
            config = write_boxes(Path(name), 16, 240, 320)
            weights = Path(name, "weights.pth")
            torch.save(build("mgn", backbone, 0).state_dict(), weights)
            network = {"name": "body", "kind": "mgn", "backbone": backbone, "weights": str(weights)}
            config["reid"] = {"networks": [network]}
            yield from measured(Path(name), f"mgn on {backbone}", config, "--until", "import_reid", "embed_bodies")


def films() -> Iterator[Row]:
    """Measure the generated film as it is, and its first seconds in 4K."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write_film(folder / "films/demo")
        config = {"data": {"source": "films", "films": "films"}, "export": [*FORMATS]}
        yield from measured(folder, "film, 768×432", config)
        shorten(folder / "films/demo", 3840, 2160)
        yield from measured(folder, "film, 3840×2160", config)


def shorten(film: Path, width: int, height: int) -> None:
    """Keep the first seconds of a film, in another size, and no truth."""
    [video] = film.glob("*.mp4")
    scaled = ["-t", "4", "-vf", f"scale={width}:{height}", "-c:v", "libx264", "-preset", "veryfast"]
    whole = video.rename(film.parent / "whole.mp4")
    subprocess.run(["ffmpeg", "-v", "error", "-i", whole, *scaled, video], check=True)
    whole.unlink()
    (film / "truth.json").unlink(missing_ok=True)


def detectors() -> Iterator[Row]:
    """Measure other detectors of persons and of shots, on the first seconds of the generated film, small and in 4K.

    Of torchvision's, the one that needs most, with random weights. Others are measured where ../shared has a file.
    """
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write_film(folder / "films/demo")
        weights = folder / "detector.pth"
        torch.save(get_model(TORCHVISION, weights=None, weights_backbone=None).state_dict(), weights)
        options = {"torchvision": {"name": TORCHVISION, "file": str(weights)}}
        known = {"yolox": "yolox_nano.onnx", "nanodet": "nanodet_m.onnx"}
        found = {detector: SHARED / "models" / file for detector, file in known.items()}
        options |= {detector: {"file": str(file)} for detector, file in found.items() if file.exists()}
        for width, height in ((768, 432), (3840, 2160)):
            shorten(folder / "films/demo", width, height)
            for detector, own in options.items():
                shots = {"detector": "transnetv2"} if detector == "torchvision" else {}
                film = {"persons": {"detector": detector, "fps": 1, detector: own}, "shots": shots}
                config = {"data": {"source": "films", "films": "films"}, "film": film}
                for row in measured(folder, f"{detector}, {width}×{height}", config, "--until", "persons", "changes"):
                    if row["rule"] == "changes":
                        row["data"] = f"transnetv2, {width}×{height}"
                    if row["rule"] == "persons" or shots:
                        yield row


PARTS: dict[str, Callable[[], Iterator[Row]]] = {
    part.__name__: part
    for part in (crops, turned, networks, reference, imported, training, films, detectors, searches, large)
}


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description="Compare the memory of jobs with what their rules claim.")
    parser.add_argument("parts", nargs="*", choices=[[], *PARTS], help="what is measured; all of it if none is named")
    rows: list[Row] = []
    for part in parser.parse_args().parts or PARTS:
        rows += PARTS[part]()
    table = pd.DataFrame(rows).sort_values("rule", kind="stable")
    print(table.to_markdown(index=False, floatfmt=("", "", ".0f", ".0f", ".2f")))


if __name__ == "__main__":
    main()
