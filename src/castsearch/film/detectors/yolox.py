"""Persons by a YOLOX network in an ONNX file, as its authors export it.

Ge, Liu, Wang, Li and Sun, "YOLOX: Exceeding YOLO Series in 2021". The picture is fitted into the network's square at
its top left, blue first, 0 to 255, with grey beside it. A cell's answer is centre, size, objectness and class
probabilities; the first class of COCO is "person".
"""

from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from castsearch.boxes import suppress
from castsearch.errors import InputError
from castsearch.faces.engine import Image
from castsearch.film.grids import cells, fit
from castsearch.film.persons import LOWEST_SCORE, Boxes, PersonDetector, batched
from castsearch.model_files import model_file
from castsearch.onnx.runtime import any_batch, log_session, open_session

_PADDING = 114
_OVERLAP = 0.45  # of its non-maximum suppression
_PERSON = 5  # column: four numbers of the box, objectness, then the classes
_SIDE = 640  # pixels, where the file leaves it open
_BATCH = 8  # pictures, where the file leaves it open
_REMEDY = "name a YOLOX file in ONNX, as YOLOX's tools/export_onnx.py writes it"


def make(file: str | Path, threads: int = 1) -> PersonDetector:
    """Make a detector whose score is objectness times the probability of "person".

    Args:
        file: the ONNX file.
        threads: that the network may use on the CPU.

    Raises:
        InputError: the file is missing, or no YOLOX network.
    """
    model = model_file(Path(file), _REMEDY)
    session = open_session(model, threads, "a YOLOX detector", _REMEDY)
    [given, *others] = session.get_inputs()
    shape = [size if isinstance(size, int) else None for size in given.shape]
    answer = session.get_outputs()[0].shape
    if others or len(shape) != 4 or shape[1] not in (3, None) or len(answer) != 3 or answer[2] != 85:
        raise InputError(f"{file}: a YOLOX detector with answers of 85 numbers was expected, not {answer}; {_REMEDY}")
    log_session(model, session)
    height, width = shape[2] or _SIDE, shape[3] or _SIDE
    grid = cells(height, width)
    run = any_batch(lambda pictures: session.run(None, {given.name: pictures}), shape[0])

    def detect(images: Iterable[Image]) -> Iterator[Boxes]:
        for batch in batched(images, shape[0] or _BATCH):
            fitted, scales = zip(*(fit(image, height, width, _PADDING) for image in batch), strict=True)
            [answers, *_] = run(np.stack(fitted)[..., ::-1].transpose(0, 3, 1, 2).astype(np.float32))
            if answers.shape[1] != len(grid):
                raise InputError(f"{file}: answers for {answers.shape[1]} cells, not {len(grid)}; {_REMEDY}")
            for scale, answer in zip(scales, answers, strict=True):
                yield _persons(answer, grid, scale)

    return PersonDetector(detect, 0.4)


def _persons(answer: NDArray[np.float32], grid: NDArray[np.float32], scale: float) -> Boxes:
    """The persons in one answer (n, 85), in pixels of the picture before it was scaled."""
    scores = answer[:, 4] * answer[:, _PERSON]
    centre, size = answer[:, :2], answer[:, 2:4]
    if not (size > 0).all():  # else the file holds their decoding, too
        centre, size = (centre + grid[:, :2]) * grid[:, 2:], np.exp(size) * grid[:, 2:]
    likely = scores >= LOWEST_SCORE
    boxes = (np.concatenate([centre - size / 2, centre + size / 2], axis=1)[likely] / scale).astype(np.float32)
    scores = scores[likely].astype(np.float32)
    kept = suppress(boxes, scores, _OVERLAP)
    return Boxes(boxes[kept], scores[kept])
