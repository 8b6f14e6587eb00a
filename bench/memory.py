"""The most memory that a job of each rule takes, against what the rule claims, by number and size of boxes.

    python bench/memory.py                      all of it
    python bench/memory.py networks films       parts of it, by their names

Small data of every kind are worked on by Snakemake itself; the script of each rule says its peak, see
`peaks/sitecustomize.py`. Pictures are of noise, which no codec makes small. In the searches of many boxes, faces and
bodies are drawn by `simulation`, and no network runs. The ratio is that of the claim to the peak and what Snakemake
takes when it starts the script in a cluster's job.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
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
from castsearch.demo.film import SCRIPT, write_film
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
TAKES = SCRIPT[:4]  # of the generated film

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
        {"rule": job.rule, "data": data, "peak": job.peak, "claim": job.claim}
        | {"ratio": job.claim / (job.peak + claims.SNAKEMAKE_MB)}
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
    for number, width, height in ((60, 200, 100), (165, 240, 320), (20, 3840, 2160)):
        yield from of_boxes(number, width, height, "embed_faces", "embed_bodies")


def crops() -> Iterator[Row]:
    """Measure the cropping of many boxes, and of many large ones."""
    for number, width, height in ((1456, 240, 320), (560, 2000, 1000)):
        yield from of_boxes(number, width, height, "crop")


def of_boxes(number: int, width: int, height: int, *until: str) -> list[Row]:
    """Measure the rules up to some of them on so many boxes."""
    with tempfile.TemporaryDirectory() as name:
        config = write_boxes(Path(name), number, width, height)
        return measured(Path(name), f"{number:,} boxes of {width}×{height}", config, "--until", *until)


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


def described(folder: Path, data: str, sizes: Sequence[tuple[int, int]], config: dict) -> list[Row]:
    """Write movies whose faces and bodies are taken as described, and measure how they are cropped."""
    write_search(folder, sizes)
    cut = measured(folder, data, config, "--until", "crop")
    measured(folder, data, config, "--touch", "--until", "embed_faces", "embed_bodies")
    return cut


def searches() -> Iterator[Row]:
    """Measure all that follows faces and bodies: of a small movie, of the challenge's largest, of several as one."""
    largest = max(simulation.SIZES + simulation.TEST_SIZES, key=lambda size: size[1])
    for scope, sizes in (("movie", [(CAST, 60)]), ("movie", [largest]), ("split", simulation.SIZES[::3])):
        with tempfile.TemporaryDirectory() as name:
            config = across.CONFIG | {"search": {"scope": scope}}
            data = f"{sum(boxes for _, boxes in sizes):,} boxes"
            data += f" of {len(sizes)} movies as one" if scope == "split" else ""
            described(Path(name), data, sizes, config)
            yield from measured(Path(name), data, config)


def large() -> Iterator[Row]:
    """Measure a search of 20,000 boxes by the default method."""
    with tempfile.TemporaryDirectory() as name:
        folder, config = Path(name), across.CONFIG | {"search": {"scope": "movie"}, "variants": [{"networks": []}]}
        yield from described(folder, "20,000 boxes of 8×16", [(CAST, 20_000)], config)
        yield from measured(folder, "20,000 boxes", config)


def pairs() -> Iterator[Row]:
    """Measure searches of 20,000 boxes that compare all pairs."""
    method = {"thresholds": [0.5, 0.4, 0.3, 0.25], "face_rerank": True, "body_rerank": True}
    compared = [{"method": "cascade", **method}, {"method": "propagation"}]
    with tempfile.TemporaryDirectory() as name:
        folder, config = Path(name), across.CONFIG | {"search": {"scope": "movie"}, "variants": compared}
        described(folder, "", [(CAST, 20_000)], config)
        yield from measured(folder, "20,000 boxes, all pairs", config, "--until", "fuse")


def training() -> Iterator[Row]:
    """Measure the demo's training for an epoch, of both kinds of networks."""
    demo = {"source": "demo", "demo": {"movies": {"train": 1, "val": 1, "test": 0}}, "search": ["val"]}
    with tempfile.TemporaryDirectory() as name:
        config = {"data": demo, "reid": {"recipe": {"epochs": 1}}}
        yield from measured(Path(name), "demo, 60 boxes a movie", config, "--until", "train_reid")


def imported() -> Iterator[Row]:
    """Measure networks of bodies that are not trained here: a small one and a large one of the reference system's."""
    for backbone in ("resnet50", "resnext101_32x8d"):
        with tempfile.TemporaryDirectory() as name:
            config = write_boxes(Path(name), 16, 240, 320)
            weights = Path(name, "weights.pth")
            torch.save(build("mgn", backbone, 0).state_dict(), weights)
            network = {"name": "body", "kind": "mgn", "backbone": backbone, "weights": str(weights)}
            config["reid"] = {"networks": [network]}
            yield from measured(Path(name), f"mgn on {backbone}", config, "--until", "embed_bodies")


def films() -> Iterator[Row]:
    """Measure the beginning of the generated film as it is, and its first seconds in 4K."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write_film(folder / "films/demo", script=TAKES)
        config = {"data": {"source": "films", "films": "films"}, "export": [*FORMATS]}
        yield from measured(folder, "film, 768×432", config)
        shorten(folder / "films/demo", 3840, 2160)
        yield from measured(folder, "film, 3840×2160", config)


def shorten(film: Path, width: int, height: int) -> None:
    """Keep the first seconds of a film, in another size, and no truth."""
    [video] = film.glob("*.mp4")
    scaled = ["-t", "2", "-vf", f"scale={width}:{height}", "-c:v", "libx264", "-preset", "veryfast"]
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
        write_film(folder / "films/demo", script=TAKES[:2])
        weights = folder / "detector.pth"
        torch.save(get_model(TORCHVISION, weights=None, weights_backbone=None).state_dict(), weights)
        options = {"torchvision": {"name": TORCHVISION, "file": str(weights)}, "ssdlite": {}}
        known = {"yolox": "yolox_nano.onnx", "nanodet": "nanodet_m.onnx"}
        found = {detector: SHARED / "models" / file for detector, file in known.items()}
        options |= {detector: {"file": str(file)} for detector, file in found.items() if file.exists()}
        for width, height in ((768, 432), (3840, 2160)):
            shorten(folder / "films/demo", width, height)
            for detector, own in options.items():
                shots = {"detector": "transnetv2"} if detector == "torchvision" else {}
                persons = {"detector": detector, "fps": 1} | ({detector: own} if own else {})
                config = {"data": {"source": "films", "films": "films"}, "film": {"persons": persons, "shots": shots}}
                for row in measured(folder, f"{detector}, {width}×{height}", config, "--until", "persons", "changes"):
                    if row["rule"] == "changes":
                        row["data"] = f"transnetv2, {width}×{height}"
                    if row["rule"] == "persons" or shots:
                        yield row


PARTS: dict[str, Callable[[], Iterator[Row]]] = {
    part.__name__: part
    for part in (crops, turned, networks, reference, imported, training, films, detectors, searches, large, pairs)
}


def table(rows: Sequence[Row]) -> str:
    """The rows as `docs/scaling.md` has them, in MB: of a rule's jobs that claim the same, the one that took most."""
    found = pd.DataFrame(rows)
    shown = found.loc[found.groupby(["rule", "claim"])["peak"].idxmax()]
    lines = ["| rule | data | peak | claim | ratio |", "| --- | --- | ---: | ---: | ---: |"]
    lines += [
        f"| `{row.rule}` | {row.data} | {row.peak:,.0f} | {row.claim:,.0f} | {row.ratio:.2f} |"
        for row in shown.itertuples()
    ]
    least, most = found["ratio"].min(), found["ratio"].max()
    return "\n".join(lines) + f"\n\nThe ratios of all {len(found)} lie between {least:.2f} and {most:.2f}."


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description="Compare the memory of jobs with what their rules claim.")
    parser.add_argument("parts", nargs="*", choices=[[], *PARTS], help="what is measured; all of it if none is named")
    rows: list[Row] = []
    for part in parser.parse_args().parts or PARTS:
        started = time.perf_counter()
        rows += PARTS[part]()
        print(f"{part}: {time.perf_counter() - started:.0f} seconds", file=sys.stderr)
    print(table(rows))


if __name__ == "__main__":
    main()
