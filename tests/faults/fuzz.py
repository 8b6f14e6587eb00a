"""Mutated files for every reader of what users supply: each must be read, or refused by an InputError.

    python tests/faults/fuzz.py [--seconds 30] [--seed 0] [--readers images config]

A case is a valid file of which some bytes, or some values of its JSON, were changed by a generator that was seeded with
the number of the case. Each reader runs in a process of its own, so that another library that crashes is counted too.
Prints a table; a trace is shown with its case, which `--seed` makes again.
"""

import argparse
import json
import multiprocessing
import os
import random
import shutil
import signal
import sys
import tempfile
import time
import traceback
from collections import Counter
from collections.abc import Callable, Mapping
from fractions import Fraction
from pathlib import Path

import numpy as np
import pandas as pd

from castsearch.errors import InputError

Read = Callable[[Path], object]
SECONDS_A_CASE = 60
ODD = (None, True, 0, -1, 2**70, 1e308, float("nan"), "", "x", "\ud800", "\n", "../x", "a" * 300, [], [[]], {})
NUMBERS = (b"\x00", b"\xff", b"\x7f", b"\x80", b"\xff" * 4, b"\x00" * 4, b"\x7f\xff\xff\xff", b"-", b"9" * 30)


def mutate_bytes(data: bytes, rng: random.Random) -> bytes:
    """Change, insert, remove, repeat or cut off some bytes."""
    changed = bytearray(data)
    for _ in range(rng.choice((1, 1, 2, 4, 16))):
        place = rng.randrange(len(changed) + 1)
        # Headers decide on most, and are small.
        place = min(place, rng.randrange(200)) if rng.random() < 0.5 else place
        kind = rng.randrange(6)
        if kind == 0:
            changed[place : place + 1] = bytes([rng.randrange(256)])
        elif kind == 1:
            changed[place : place + 4] = rng.choice(NUMBERS)
        elif kind == 2:
            changed[place:place] = rng.choice(NUMBERS)
        elif kind == 3:
            del changed[place : place + rng.choice((1, 4, 64))]
        elif kind == 4:
            changed[place:place] = changed[place : place + rng.choice((4, 64))]
        else:
            del changed[max(1, place) :]
    return bytes(changed)


def mutate_json(value: object, rng: random.Random) -> object:
    """Put odd values in the place of some of a JSON value, or remove some."""
    places: list[tuple] = []

    def walk(node: object) -> None:
        for key in node if isinstance(node, dict) else range(len(node)) if isinstance(node, list) else ():
            places.append((node, key))
            walk(node[key])

    walk(value)
    for node, key in rng.sample(places, min(len(places), rng.choice((1, 1, 2, 3)))):
        try:
            if rng.random() < 0.15:
                del node[key]
            elif isinstance(node, dict) and rng.random() < 0.1:
                node[rng.choice(("x", "", "\n"))] = node.pop(key)
            else:
                node[key] = rng.choice((*ODD, *(other[last] for other, last in rng.sample(places, 1))))
        except (KeyError, IndexError, RecursionError):
            continue  # what was changed before had it
    return value


def json_text(value: object) -> bytes:
    """Return JSON as users' programs write it, NaN included."""
    try:
        return json.dumps(value).encode("utf-8", "surrogatepass")
    except ValueError:  # a value that contains itself
        return b"{}"


def case(valid: bytes, rng: random.Random) -> bytes:
    """Return a mutated file."""
    if valid[:1] in (b"{", b"[") and rng.random() < 0.7:
        return json_text(mutate_json(json.loads(valid), rng))
    return mutate_bytes(valid, rng)


# ---- The readers: for each, a function that writes valid files into a folder and returns the names of those that are
# ---- mutated, and how the folder is read.


def annotations(folder: Path) -> tuple[list[str], Read]:
    """Annotations of a split, down to the records."""
    from castsearch.data.challenge import load_annotations, movie_digest, parse_movie

    person = {"id": "nm1", "img": "tt1/portrait.jpg", "label": "nm1"}
    box = {"id": "tt1_0", "img": "tt1/1.jpg", "bbox": [1, 2, 3.5, 4], "label": "others"}
    entry = {"cast": [person], "candidates": [box, {**box, "id": "tt1_1"}]}
    (folder / "val.json").write_bytes(json_text({"tt1": entry, "tt2": {"cast": [], "candidates": []}}))

    def read(path: Path) -> None:
        for movie, found in load_annotations(path).items():
            movie_digest(found)
            parse_movie(found, f"{path}: movie {movie}")

    return ["val.json"], read


def labels(folder: Path) -> tuple[list[str], Read]:
    """Labels of a split."""
    from castsearch.data.challenge import load_labels

    (folder / "label.json").write_bytes(json_text({"nm1": ["tt1_0", "tt1_1"], "nm2": []}))
    return ["label.json"], load_labels


def submissions(folder: Path) -> tuple[list[str], Read]:
    """An answer, checked against a split and scored."""
    from castsearch.evaluation.submission_scores import score_submission

    annotations(folder)
    (folder / "label.json").write_bytes(json_text({"nm1": ["tt1_0", "tt1_1"]}))
    entry = json.loads((folder / "val.json").read_bytes())
    (folder / "val.json").write_bytes(json_text({"tt1": entry["tt1"]}))
    (folder / "answer.txt").write_bytes(b"nm1 tt1_1,tt1_0\n")
    return ["answer.txt"], lambda path: score_submission(folder / "label.json", path, folder / "val.json", False)


def corrections(folder: Path) -> tuple[list[str], Read]:
    """A file of corrections."""
    from castsearch.data.corrections import COLUMNS, read_corrections

    rows = ["\t".join(COLUMNS), "tt1\ttt1_0\tada\tyes", "tt1\ttrack 3\tbo\tno"]
    (folder / "corrections.tsv").write_text("\n".join(rows))
    return ["corrections.tsv"], lambda path: read_corrections(path, ["tt1", "tt2"])


def cvat(folder: Path) -> tuple[list[str], Read]:
    """Annotations that CVAT exports."""
    from castsearch.export import cvat
    from castsearch.export.film_timeline import Appearance, Box, FilmTimeline

    boxes = [Box(0, 10, 20, 30, 80), Box(5, 12, 20, 32, 80)]
    seen = [Appearance(0.0, 0.2, 1, "ada", 0.9, boxes), Appearance(0.2, 0.4, 2, "unknown", 0.1, [Box(6, 0, 0, 9, 9)])]
    timeline = FilmTimeline("m", folder / "m.mp4", (640, 360), np.arange(10) / 25, Fraction(25), True, seen)
    [text] = cvat.render(timeline).values()
    (folder / "annotations.xml").write_text(text)
    return ["annotations.xml"], lambda path: cvat.corrections(path, timeline)


def truth(folder: Path) -> tuple[list[str], Read]:
    """The truth of a film."""
    from castsearch.evaluation.film_truth import read_truth

    frame = {"time": 0.5, "shot": 1, "boxes": [{"box": [1, 2, 3, 4], "person": "ada"}]}
    (folder / "truth.json").write_bytes(json_text({"changes": [[1.0, 1.2]], "frames": [frame, frame]}))
    return ["truth.json"], read_truth


def mxnet_symbol(folder: Path) -> tuple[list[str], Read]:
    """The graph of an MXNet checkpoint."""
    return _mxnet(folder, 0)


def mxnet_params(folder: Path) -> tuple[list[str], Read]:
    """The parameters of an MXNet checkpoint."""
    return _mxnet(folder, 1)


def _mxnet(folder: Path, number: int) -> tuple[list[str], Read]:
    from factories.mxnet_checkpoints import write_recogniser

    from castsearch.faces.mxnet.importing import import_checkpoint

    files = list(write_recogniser(folder))

    def read(path: Path) -> None:
        given = [path if place == number else file for place, file in enumerate(files)]
        import_checkpoint(*given, folder / "out.onnx", (112, 112))

    return [files[number].name], read


def images(folder: Path) -> tuple[list[str], Read]:
    """Pictures of all formats."""
    import numpy as np
    from PIL import Image

    from castsearch.data.images import read_rgb

    picture = Image.fromarray(np.random.default_rng(0).integers(0, 255, (24, 32, 3), np.uint8))
    exif = Image.Exif()
    exif[0x0112] = 6
    for suffix in ("jpg", "png", "webp", "avif", "bmp", "tif", "gif"):
        picture.save(folder / f"a.{suffix}", **({"exif": exif} if suffix in ("jpg", "png", "webp") else {}))
    picture.convert("P").save(folder / "p.png", transparency=0)
    picture.convert("LA").save(folder / "la.tif", compression="tiff_lzw")
    picture.save(folder / "progressive.jpg", progressive=True)
    names = sorted(path.name for path in folder.iterdir())
    return names, read_rgb


def weights(folder: Path) -> tuple[list[str], Read]:
    """ReID weights, as safetensors and as torch's state dict."""
    import torch

    from castsearch.reid.networks import build, load_weights, save_weights

    network = build("triplet", "mobilenet_v2", 2)
    save_weights(network, folder / "w.safetensors")
    torch.save(network.state_dict(), folder / "w.pth")
    return ["w.safetensors", "w.pth"], lambda path: load_weights(path, "triplet", "mobilenet_v2")


def pack(folder: Path) -> tuple[list[str], Read]:
    """The detector of an InsightFace pack, opened and run."""
    import numpy as np
    from factories.onnx_models import write_pack

    from castsearch.faces.engines import insightface

    write_pack(folder / "pack")
    shutil.copyfile(folder / "pack/det_10g.onnx", folder / "det_10g.onnx")
    picture = np.zeros((96, 96, 3), np.uint8)

    def read(path: Path) -> None:
        shutil.copyfile(path, folder / "pack/det_10g.onnx")
        files = insightface.plan({"pack": str(folder / "pack"), "side": 64, "recogniser": None}, str(folder))
        list(insightface.make(files.detection).detect([picture]))

    return ["det_10g.onnx"], read


def config(folder: Path) -> tuple[list[str], Read]:
    """The configuration."""
    import yaml

    from castsearch.workflow.configuration import check_keys, validate_config

    root = Path(__file__).parents[2]
    schema = yaml.safe_load((root / "schemas/config.schema.yaml").read_text())
    given = yaml.safe_load((root / "config.yaml").read_text())
    (folder / "config.json").write_bytes(json_text(given))
    (folder / "config.yaml").write_bytes((root / "config.yaml").read_bytes())

    def read(path: Path) -> None:
        check_keys(path)
        try:
            config = yaml.safe_load(path.read_text(encoding="utf-8-sig"))
        except (yaml.YAMLError, ValueError):  # which Snakemake itself says, who reads it
            return
        if isinstance(config, dict):
            validate_config(config, schema)

    return ["config.json", "config.yaml"], read


def films(folder: Path) -> tuple[list[str], Read]:
    """Films of several containers: opened, and ten frames decoded."""
    import itertools

    import av
    import numpy as np

    from castsearch.film.decode import Film

    for suffix in ("mp4", "mkv", "avi", "ts"):
        with av.open(str(folder / f"f.{suffix}"), "w") as container:
            stream = container.add_stream("mpeg4", rate=25)
            stream.width, stream.height = 64, 48
            rng = np.random.default_rng(0)
            for _ in range(12):
                frame = av.VideoFrame.from_ndarray(rng.integers(0, 255, (48, 64, 3), np.uint8))
                container.mux(stream.encode(frame))
            container.mux(stream.encode())

    def read(path: Path) -> None:
        with Film(path) as film:
            for frame in itertools.islice(film.frames(), 10):
                frame.rgb(64)

    return sorted(path.name for path in folder.iterdir()), read


READERS: Mapping[str, Callable[[Path], tuple[list[str], Read]]] = {
    each.__name__: each
    for each in (
        annotations, labels, submissions, corrections, cvat, truth, config,
        mxnet_symbol, mxnet_params, weights, pack, images, films,
    )
}  # fmt: skip


def run(name: str, first: int, seconds: float, told: multiprocessing.Queue) -> None:
    """Read cases until the time is over; tell of each its number before, and afterwards how it ended."""
    sys.path.insert(0, str(Path(__file__).parents[1]))  # for the tests' factories
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    for stream in (1, 2):  # libraries have much to say of such files
        os.dup2(os.open(os.devnull, os.O_WRONLY), stream)
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        files, read = READERS[name](folder)
        valid = {file: (folder / file).read_bytes() for file in files}
        for file in files:
            read(folder / file)  # what is not mutated is taken
        deadline, number = time.monotonic() + seconds, first
        while time.monotonic() < deadline:
            rng = random.Random(f"{name} {number}")
            file = rng.choice(files)
            path = folder / f"mutated{Path(file).suffix}"
            path.write_bytes(case(valid[file], rng))
            told.put((number, "began", ""))
            signal.alarm(SECONDS_A_CASE)
            try:
                read(path)
                told.put((number, "taken", ""))
            except InputError as error:
                printable = all(map(str.isprintable, str(error).split("\n")))
                told.put((number, "refused", "") if printable else (number, "unprintable", ascii(str(error))))
            except Exception:
                told.put((number, "trace", traceback.format_exc(limit=-4)))
            signal.alarm(0)
            number += 1


def fuzz(name: str, first: int, seconds: float) -> dict[str, object]:
    """Fuzz one reader."""
    context = multiprocessing.get_context("spawn")
    counts: Counter[str] = Counter()
    traces: dict[str, str] = {}
    number, deadline = first, time.monotonic() + seconds
    while (left := deadline - time.monotonic()) > 0:
        told = context.SimpleQueue()
        process = context.Process(target=run, args=(name, number, left, told))
        process.start()
        how = "set up"
        while process.is_alive() or not told.empty():
            if told.empty():
                process.join(0.01)
                continue
            number, how, trace = told.get()
            if how != "began":
                counts[how] += 1
            if trace:
                traces.setdefault(trace.strip().rpartition("\n")[2][:80], f"{name}: case {number}\n{trace}")
        number += 1
        if process.exitcode != 0:
            if how != "began":
                raise SystemExit(f"{name}: failed outside of a case")
            ended = "hangs" if process.exitcode == -signal.SIGALRM else "crashes"
            counts[ended] += 1
            traces[f"{ended} {number - 1}"] = f"{name}: case {number - 1} {ended} ({process.exitcode})"
    for text in traces.values():
        print(text)
    cases = f"{first} to {number - 1}"
    ends = ("taken", "refused", "unprintable", "trace", "crashes", "hangs")
    return {"reader": name, "cases": cases} | {end: counts[end] for end in ends}


def main() -> None:
    """Fuzz the readers one after the other, and print a table."""
    parser = argparse.ArgumentParser(description="Read mutated files.")
    parser.add_argument("--seconds", type=float, default=30, help="for each reader (default: 30)")
    parser.add_argument("--seed", type=int, default=0, help="number of the first case (default: 0)")
    parser.add_argument("--readers", nargs="+", choices=READERS, default=list(READERS))
    options = parser.parse_args()
    rows = [fuzz(name, options.seed, options.seconds) for name in options.readers]
    print(pd.DataFrame(rows).to_markdown(index=False))


if __name__ == "__main__":
    main()
