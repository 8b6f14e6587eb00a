"""Persons by a NanoDet network in an ONNX file, as OpenCV's model zoo publishes it.

RangiLyu, "NanoDet-Plus: Super fast and high accuracy lightweight anchor-free object detection model", 2021. For each
grid the network gives the probabilities of COCO's 80 classes, of which the first is "person", and for each side of a
box 8 weights of distances from the middle of the cell, of 0 to 7 strides (Li et al., "Generalized Focal Loss", 2020).
"""

from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.special import softmax

from castsearch.boxes import suppress
from castsearch.errors import InputError
from castsearch.faces.engine import Image
from castsearch.film.grids import STRIDES, cells, fit
from castsearch.film.persons import LOWEST_SCORE, Boxes, PersonDetector
from castsearch.model_files import model_file
from castsearch.onnx.runtime import log_session, open_session

_MEAN = np.array([103.53, 116.28, 123.675], np.float32)  # of blue, green and red
_STD = np.array([57.375, 57.12, 58.395], np.float32)
_CLASSES, _SIDES, _BINS = 80, 4, 8
_OVERLAP = 0.6  # of its non-maximum suppression
_REMEDY = "name the file of NanoDet of OpenCV's model zoo"


def make(file: str | Path, threads: int = 1) -> PersonDetector:
    """Make a detector whose score is the probability of "person".

    Args:
        file: the ONNX file.
        threads: that the network may use on the CPU.

    Raises:
        InputError: the file is missing, or no NanoDet network.
    """
    model = model_file(Path(file), _REMEDY)
    session = open_session(model, threads, "a NanoDet detector", _REMEDY)
    given = session.get_inputs()[0]
    last = [answer.shape[-1] for answer in session.get_outputs()]
    if len(given.shape) != 4 or sorted(last) != sorted([_CLASSES, _SIDES * _BINS] * len(STRIDES)):
        raise InputError(f"{file}: a NanoDet detector was expected, not answers of {last} numbers; {_REMEDY}")
    log_session(model, session)
    height, width = given.shape[2:]
    grid = cells(height, width)

    def detect(images: Iterable[Image]) -> Iterator[Boxes]:
        for image in images:
            fitted, scale = fit(image, height, width, 0)
            pixels = ((fitted[..., ::-1] - _MEAN) / _STD).transpose(2, 0, 1)[None]
            answers = [answer.reshape(-1, answer.shape[-1]) for answer in session.run(None, {given.name: pixels})]
            scores, bins = (_by_stride(answers, size) for size in (_CLASSES, _SIDES * _BINS))
            yield _persons(scores[:, 0], bins, grid, scale)

    return PersonDetector(detect, 0.4)


def _by_stride(answers: list[NDArray[np.float32]], size: int) -> NDArray[np.float32]:
    """Join the answers of so many numbers a cell, the finest grid first."""
    return np.concatenate(sorted((answer for answer in answers if answer.shape[1] == size), key=len, reverse=True))


def _persons(scores: NDArray[np.float32], bins: NDArray[np.float32], grid: NDArray[np.float32], scale: float) -> Boxes:
    """The persons in one answer of n cells, in pixels of the picture before it was scaled."""
    likely = scores >= LOWEST_SCORE
    shares = softmax(bins[likely].reshape(-1, _SIDES, _BINS), axis=2)
    columns, rows, strides = grid[likely].T
    distances = (shares @ np.arange(_BINS, dtype=np.float32)) * strides[:, None]
    middle = np.stack([columns, rows], axis=1) * strides[:, None] + (strides[:, None] - 1) / 2
    boxes = np.concatenate([middle - distances[:, :2], middle + distances[:, 2:]], axis=1) / scale
    likely_boxes, likely_scores = boxes.astype(np.float32), scores[likely]
    kept = suppress(likely_boxes, likely_scores, _OVERLAP)
    return Boxes(likely_boxes[kept], likely_scores[kept])
