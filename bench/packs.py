"""The engine `insightface` against InsightFace's own loop, with the same files and the same crops of real people.

    python bench/packs.py DATA PACK
    python bench/packs.py DATA PACK --recogniser FILE …

DATA has `val.json` and the pictures in `val/`, as the challenge has them; PACK is a folder with a detector, and each
FILE a recogniser in ONNX. InsightFace's loop is `SCRFD.detect` and `ArcFaceONNX.get`, a crop at a time, on 640x640
pixels, as `FaceAnalysis` is usually asked to. Milliseconds are the processor's, on one thread, in turns on each crop.

"Same" is the share of crops in which the engine selects the same face, with an overlap above 0.5, or none: as it
does when it looks at the whole square of 640 pixels, and as the selection does among the faces of InsightFace's loop.
"""

import argparse
import os
import tempfile
import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import TypeVar

os.environ["OMP_NUM_THREADS"] = "1"

import cv2
import numpy as np
import pandas as pd
from insightface.app.common import Face as PackageFace
from insightface.model_zoo import ArcFaceONNX
from insightface.model_zoo.scrfd import SCRFD
from numpy.typing import NDArray
from onnxruntime import InferenceSession

from castsearch.boxes import overlap
from castsearch.data.challenge import load_annotations
from castsearch.data.crops import decode_rgb, read_crops
from castsearch.data.cutting import crop_movie
from castsearch.faces.engine import Face, Faces, Image
from castsearch.faces.engines.insightface import InsightFaceEngine, surround
from castsearch.faces.packs.reading import read_pack
from castsearch.faces.selection import select_candidate_face, select_cast_face
from castsearch.onnx.runtime import session_options

SIDES = (640, 320)
SAME = 0.5

_Sample, _Result = TypeVar("_Sample"), TypeVar("_Result")


def read_people(data: Path) -> list[tuple[Image, bool]]:
    """Every person's crop, and whether it is a portrait."""
    people = []
    for movie, entry in load_annotations(data / "val.json").items():
        with tempfile.TemporaryDirectory() as folder:
            table = Path(folder, "crops.arrow")
            crop_movie(table, "val", movie, entry, source=movie, images=data / "val", on_bad_image="stop")
            crops = read_crops(table)
        people += [(decode_rgb(image.as_py()), row < len(crops.cast)) for row, image in enumerate(crops.images)]
    return people


def timed(
    ways: Sequence[Callable[[Sequence[_Sample]], Sequence[_Result]]], samples: Sequence[_Sample], at_once: int
) -> tuple[list[float], list[list[_Result]]]:
    """The processor's milliseconds per sample of each way, in turns on the same few, and what each gives."""
    seconds: list[float] = [0] * len(ways)
    results: list[list[_Result]] = [[] for _ in ways]
    for way in ways:  # which loads the networks
        way(samples[:1])
    for start in range(0, len(samples), at_once):
        for index, way in enumerate(ways):
            before = time.process_time()
            results[index] += way(samples[start : start + at_once])
            seconds[index] += time.process_time() - before
    return [1000 * spent / len(samples) for spent in seconds], results


def select(
    engine: InsightFaceEngine, people: Sequence[tuple[Image, bool]], found: Sequence[Faces]
) -> list[Face | None]:
    """The face that is each person's own."""
    chosen: list[Face | None] = []
    for (image, portrait), faces in zip(people, found, strict=True):
        good = faces.scores >= engine.selection.min_score
        boxes, landmarks = faces.boxes[good], faces.landmarks[good]
        rule = select_cast_face if portrait else select_candidate_face
        index = rule(image.shape[1], image.shape[0], boxes, faces.scores[good], engine.selection)
        chosen.append(None if index is None else Face(boxes[index], landmarks[index]))
    return chosen


def share_of_same(first: Sequence[Face | None], second: Sequence[Face | None]) -> float:
    """The share of people with the same face in both, or none."""
    return float(
        np.mean(
            [
                one is other if one is None or other is None else overlap(one.box[None], other.box[None])[0, 0] > SAME
                for one, other in zip(first, second, strict=True)
            ]
        )
    )


def detection(pack: Path, people: Sequence[tuple[Image, bool]]) -> tuple[pd.DataFrame, list[Face | None]]:
    """A row for InsightFace's loop and for each side of the engine; and the faces that the engine selects."""
    path = str(read_pack(pack).detector.path)
    package = SCRFD(path, session=InferenceSession(path, **session_options(1)))
    package.prepare(0, input_size=(SIDES[0], SIDES[0]), det_thresh=0.5)

    def loop(images: Sequence[Image], fit: bool) -> list[Faces]:
        found = []
        for image in images:
            shown, scale, offset = surround(image, SIDES[0], whole=True) if fit else (image, np.ones(2), np.zeros(2))
            boxes, points = package.detect(np.ascontiguousarray(shown[:, :, ::-1]))
            found.append(Faces((boxes[:, :4] - np.tile(offset, 2)) / np.tile(scale, 2), boxes[:, 4], points))
        return found

    engines = [InsightFaceEngine(pack, side=side) for side in SIDES]
    ways = {"InsightFace's loop": partial(loop, fit=False), "the whole square": partial(loop, fit=True)}
    ways |= {
        f"the engine, side {side}": lambda images, engine=engine: list(engine.detect(images))
        for side, engine in zip(SIDES, engines, strict=True)
    }
    milliseconds, found = timed(list(ways.values()), [image for image, _ in people], at_once=1)
    selected = [select(engines[0], people, faces) for faces in found]
    rows = [
        {
            "detection": name,
            "ms a crop": spent,
            "times faster": milliseconds[0] / spent,
            "faces": sum(face is not None for face in faces),
            "same as with the whole square": share_of_same(faces, selected[1]),
            "same as in InsightFace's loop": share_of_same(faces, selected[0]),
        }
        for name, spent, faces in zip(ways, milliseconds, selected, strict=True)
    ]
    return pd.DataFrame(rows), selected[2]


def recognition(pack: Path, files: Sequence[Path], samples: Sequence[tuple[Image, Face]]) -> pd.DataFrame:
    """A row for each recogniser, as InsightFace's loop runs it and as the engine does."""
    rows = []
    for file in files:
        package = ArcFaceONNX(str(file), session=InferenceSession(str(file), **session_options(1)))
        size, mean, scale = package.input_size[0], package.input_mean, 1 / package.input_std
        own = {"file": str(file), "size": size, "channels": "rgb", "mean": mean, "scale": scale}
        engine = InsightFaceEngine(pack, recogniser=own)

        def loop(samples: Sequence[tuple[Image, Face]], package: ArcFaceONNX = package) -> list[NDArray]:
            swapped = [(np.ascontiguousarray(image[:, :, ::-1]), face) for image, face in samples]
            return [package.get(image, PackageFace(kps=face.landmarks)) for image, face in swapped]

        ways = [loop, lambda samples, engine=engine: list(engine.embed(samples))]
        (before, now), features = timed(ways, samples, at_once=16)
        first, second = (np.array(each) / np.linalg.norm(each, axis=1, keepdims=True) for each in features)
        times = {"InsightFace's loop, ms a face": before, "the engine": now, "times faster": before / now}
        rows.append({"recogniser": file.stem} | times | {"least cosine": (first * second).sum(axis=1).min()})
    return pd.DataFrame(rows)


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path, help="folder with val.json and val/")
    parser.add_argument("pack", type=Path, help="folder with a detector")
    parser.add_argument("--recogniser", type=Path, nargs="*", default=[], help="ONNX files")
    options = parser.parse_args()
    cv2.setNumThreads(1)
    people = read_people(options.data)
    sizes = np.median([image.shape[1::-1] for image, _ in people], axis=0)
    table, faces = detection(options.pack, people)
    print(f"\n{len(people)} crops, {sizes[0]:.0f}x{sizes[1]:.0f} pixels in the median\n")
    print(table.to_markdown(index=False, floatfmt=".3f"))
    samples = [(image, face) for (image, _), face in zip(people, faces, strict=True) if face is not None]
    if options.recogniser:
        print(f"\n{recognition(options.pack, options.recogniser, samples).to_markdown(index=False, floatfmt='.4f')}")


if __name__ == "__main__":
    main()
