"""What the faster ways to look for faces change, with a RetinaFace that has trained weights.

    python bench/pyramid.py retinaface.onnx                 bench/prepare/trained_retinaface.py makes the file
    python bench/pyramid.py models.onnx --windows 100       any other one of the reference system's form
    python bench/pyramid.py retinaface.onnx --bfloat16      and in that precision, where the processor has it
    python bench/pyramid.py retinaface.onnx --int8          and in 8 bits, quantised here by ONNX Runtime
    python bench/pyramid.py retinaface.onnx --video it.mp4  in person boxes of a film

The crops are windows of the demo's real photographs, in the shape of person boxes, 200 to 900 pixels high: a third
around a head, which is an eighth to two thirds of the window's height, a third beside one, a third anywhere. Each way
is compared with the exact one, the reference system's five sizes, and with the truth:

- the same face: the boxes selected as the person's overlap by more than half, or there are none;
- the right face: of the windows around a head, those whose selected box is that face, from forehead to chin.

Of a film, every fifth frame is taken, and a person box around every face that the detector sees in the whole frame: two
to three faces wide and three to seven high. Which face is right is not known there.
"""

import argparse
import time
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from types import SimpleNamespace

import cv2
import numpy as np
import pandas as pd
from onnxruntime.quantization import quantize_static
from tqdm import tqdm

from castsearch.boxes import overlap
from castsearch.demo.people import PEOPLE, read_picture
from castsearch.faces.engine import Faces, Image
from castsearch.faces.engines.retinaface_arcface import RetinaFaceArcFaceEngine
from castsearch.faces.networks.retinaface import REFERENCE_PYRAMID, pyramid_scales
from castsearch.faces.selection import select_candidate_face, select_cast_face
from castsearch.onnx.runtime import merged

EXACT = "500 to 1700, exact"
WAYS = {
    EXACT: {"pyramid": REFERENCE_PYRAMID},
    "500 to 1700, adaptive": {"pyramid": REFERENCE_PYRAMID, "adaptive": True},
    "500, 800, 1100, adaptive": {"pyramid": REFERENCE_PYRAMID[:3], "adaptive": True},
    "500, 800, adaptive": {"pyramid": REFERENCE_PYRAMID[:2], "adaptive": True},
    "500": {"pyramid": REFERENCE_PYRAMID[:1]},
}
REDUCED = {
    "500 to 1700, bfloat16": WAYS[EXACT] | {"precision": "bfloat16"},
    "500, 800, 1100, adaptive, bfloat16": WAYS["500, 800, 1100, adaptive"] | {"precision": "bfloat16"},
    "500, bfloat16": WAYS["500"] | {"precision": "bfloat16"},
}
QUANTISED = {
    "500 to 1700, int8": WAYS[EXACT],
    "500, 800, 1100, adaptive, int8": WAYS["500, 800, 1100, adaptive"],
}
CALIBRATION = 8  # crops whose values give the ranges of 8 bits
SELECTIONS = {"candidate": select_candidate_face, "portrait": select_cast_face}
HEADS = (1.5, 8)  # height of a window, in heads
FRAMES_APART = 5
SMALLEST_FACE = 20  # pixels


def windows(count: int) -> Iterator[tuple[Image, np.ndarray | None]]:
    """Person boxes, and the eyes' middle and the chin, in pixels, of those around a head."""
    rng = np.random.default_rng(0)
    for number in range(count):
        person = PEOPLE[number % len(PEOPLE)]
        picture = read_picture(person.photograph)
        limit = np.array(picture.shape[1::-1])
        face = np.array([np.mean(person.eyes, axis=0), person.chin])
        head = 2.2 * (face[1, 1] - face[0, 1])  # crown to chin
        height = min(head * np.exp(rng.uniform(*np.log(HEADS))), limit[1])
        width = min(height * rng.uniform(0.35, 0.8), limit[0])
        beside = (0, rng.uniform(0.4, 0.8) * rng.choice([-1, 1]), rng.uniform(-20, 20))[number // len(PEOPLE) % 3]
        corner = face.mean(axis=0) - [width / 2 + beside * width, max(0.7 * head, rng.uniform(0.15, 0.5) * height)]
        left, top = np.clip(corner, 0, limit - [width, height]).astype(int)
        window = picture[top : top + int(height), left : left + int(width)]
        scale = rng.uniform(200, 900) / len(window)
        interpolation = cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC
        scaled = cv2.resize(window, None, fx=scale, fy=scale, interpolation=interpolation)
        yield np.ascontiguousarray(scaled), (face - [left, top]) * scale if beside == 0 else None


def person_boxes(detector: Path, video: Path) -> Iterator[tuple[Image, None]]:
    """Boxes around the faces in a film, as `windows` gives them."""
    rng, capture = np.random.default_rng(0), cv2.VideoCapture(str(video))
    frames = []
    while capture.grab():
        if len(frames) * FRAMES_APART == capture.get(cv2.CAP_PROP_POS_FRAMES) - 1:
            frames.append(np.ascontiguousarray(capture.retrieve()[1][:, :, ::-1]))
    whole = RetinaFaceArcFaceEngine(detector, pyramid=REFERENCE_PYRAMID[:2])
    for frame, faces in zip(frames, whole.detect(frames), strict=True):
        limit = np.array(frame.shape[1::-1] * 2)
        for x1, y1, x2, y2 in faces.boxes[faces.scores >= RetinaFaceArcFaceEngine.selection.min_score]:
            width, height = (x2 - x1) * rng.uniform(2, 3.2), y2 - y1
            left, top = (x1 + x2 - width) / 2, y1 - height * rng.uniform(0.2, 0.6)
            box = np.array([left, top, left + width, top + height * rng.uniform(3, 7.5)])
            left, top, end, bottom = box.clip(0, limit).astype(int)
            if height >= SMALLEST_FACE:
                yield np.ascontiguousarray(frame[top:bottom, left:end]), None


def quantised(detector: Path, images: Sequence[Image], folder: Path) -> Path:
    """The detector in 8 bits, with the ranges of its values on a few crops, at the smallest size."""

    def calibration() -> Iterator[dict[str, np.ndarray]]:
        for image in images[:CALIBRATION]:
            scale = pyramid_scales(*image.shape[:2])[0]
            scaled = cv2.resize(image, None, fx=scale, fy=scale)
            yield {model.graph.input[0].name: scaled.transpose(2, 0, 1)[None].astype(np.float32)}

    model = merged(detector)
    reader = SimpleNamespace(get_next=partial(next, calibration(), None))
    path = folder / detector.name
    # Weights of 7 bits: with 8, products overflow on processors without VNNI.
    quantize_static(model, path, reader, per_channel=True, reduce_range=True)
    return path


def selected(image: Image, faces: Faces, kind: str) -> np.ndarray | None:
    """Box of the face that is taken for the person's own."""
    keep = faces.scores >= RetinaFaceArcFaceEngine.selection.min_score
    boxes = faces.boxes[keep]
    index = SELECTIONS[kind](*image.shape[1::-1], boxes, faces.scores[keep])
    return None if index is None else boxes[index]


def same(one: np.ndarray | None, other: np.ndarray | None) -> bool:
    """Whether both are none, or boxes that overlap by more than half of their union."""
    if one is None or other is None:
        return one is other
    return bool(overlap(one[None], other[None]).item() > 0.5)


def right(box: np.ndarray | None, face: np.ndarray) -> bool:
    """Whether the box holds the eyes and is about as high as a face, one and a half times from the eyes to the chin."""
    if box is None:
        return False
    (x, y), height = face[0], face[1, 1] - face[0, 1]
    return bool(box[0] < x < box[2] and box[1] < y < box[3] and height < box[3] - box[1] < 2.3 * height)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("detector", type=Path, nargs="?", help="ONNX file of a trained RetinaFace")
    parser.add_argument("--windows", type=int, default=300, help="how many crops")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--bfloat16", action="store_true", help="add ways that compute in that precision")
    parser.add_argument("--int8", action="store_true", help="add ways that compute in 8 bits")
    parser.add_argument("--video", type=Path, help="a film, in place of windows")
    options = parser.parse_args()
    if options.detector is None:
        print("pyramid: skipped: it needs a trained RetinaFace, which bench/prepare/trained_retinaface.py makes")
        return
    crops = person_boxes(options.detector, options.video) if options.video else windows(options.windows)
    images, faces = zip(*crops, strict=True)
    known = [number for number, face in enumerate(faces) if face is not None]
    rows, exact = [], {}
    clock = time.process_time if options.threads == 1 else time.perf_counter  # of the processor, other work is not part
    with TemporaryDirectory() as folder:
        chosen = {way: {"detector": options.detector} | settings for way, settings in WAYS.items()}
        if options.bfloat16:
            chosen |= {way: {"detector": options.detector} | settings for way, settings in REDUCED.items()}
        if options.int8:
            file = quantised(options.detector, images, Path(folder))
            chosen |= {way: {"detector": file} | settings for way, settings in QUANTISED.items()}
        for way, settings in chosen.items():
            engine = RetinaFaceArcFaceEngine(**settings, threads=options.threads)
            next(engine.detect(images[:1]))
            start = clock()
            found = list(tqdm(engine.detect(images), way, len(images), mininterval=2))
            row = {"sizes": way, "s/crop": f"{(clock() - start) / len(images):.2f}"}
            for kind in SELECTIONS:
                boxes = [selected(image, detected, kind) for image, detected in zip(images, found, strict=True)]
                exact.setdefault(kind, boxes)
                agreeing = [same(box, reference) for box, reference in zip(boxes, exact[kind], strict=True)]
                row[f"same face, {kind}"] = f"{np.mean(agreeing):.1%}"
                if known:
                    hits = [right(boxes[number], faces[number]) for number in known]
                    row[f"right face, {kind}"] = f"{np.mean(hits):.1%}"
            rows.append(row)
    seen = np.mean([box is not None for box in exact["candidate"]])
    print(f"\n{len(images)} crops, {len(known)} of them around a head; {seen:.0%} have a face by the exact way:\n")
    print(pd.DataFrame(rows).to_markdown(index=False, disable_numparse=True))


if __name__ == "__main__":
    main()
