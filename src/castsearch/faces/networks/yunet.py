"""YuNet (Wu, Peng and Yu, "YuNet: A Tiny Millisecond-level Face Detector", 2023): from an image to faces."""

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from castsearch.boxes import suppress
from castsearch.faces.engine import Faces, Image
from castsearch.onnx import Network

STRIDES = (8, 16, 32)
"""Of the three maps, in pixels: each of their cells may be the middle of a face."""

OUTPUTS = tuple(f"{part}_{stride}" for part in ("cls", "obj", "bbox", "kps") for stride in STRIDES)
"""What the network gives, by name: (1, cells, n) each, with n = 1, 1, 4 and 10."""

SUPPRESSION = 0.3
"""Overlap from which on the weaker of two faces is dropped, as OpenCV's FaceDetectorYN has it."""


def detect(network: Network, image: Image, side: float, floor: float) -> Faces:
    """Find the faces of an image.

    Args:
        network: from (1, 3, height, width), sides that are multiples of 32, to `OUTPUTS`.
        image: (height, width, 3) RGB.
        side: the image is scaled to the area of a square of this side, in pixels.
        floor: the least score of a face.

    Raises:
        FloatingPointError: the network's numbers are not finite.
    """
    height, width = image.shape[:2]
    factor = side / np.sqrt(height * width)
    shown = max(1, round(width * factor)), max(1, round(height * factor))
    scaled = cv2.resize(image, shown, interpolation=cv2.INTER_AREA if factor < 1 else cv2.INTER_LINEAR)
    padded = np.zeros((3, -(-shown[1] // 32) * 32, -(-shown[0] // 32) * 32), np.float32)
    for plane, colour in zip(padded, reversed(cv2.split(scaled)), strict=True):  # the network takes blue first
        plane[: shown[1], : shown[0]] = colour
    outputs = network(padded[None])
    boxes, scores, landmarks = decode([output[0] for output in outputs], padded.shape[2], floor)
    scale = np.array(shown) / (width, height)
    boxes = (boxes / np.tile(scale, 2)).clip(0, (width, height) * 2)
    chosen = suppress(boxes, scores, SUPPRESSION)
    return Faces(boxes[chosen].astype(np.float32), scores[chosen], (landmarks[chosen] / scale).astype(np.float32))


def decode(
    outputs: Sequence[NDArray[np.float32]], width: int, floor: float
) -> tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.float32]]:
    """Turn the network's outputs for one image into boxes, as OpenCV's FaceDetectorYN does.

    Args:
        outputs: (cells, n) each, in the order of `OUTPUTS`.
        width: of the network's input, in pixels.
        floor: the least score.

    Returns:
        Boxes (n, 4) x1, y1, x2, y2, scores (n,) and landmarks (n, 5, 2) in pixels of the input, by stride and cell.

    Raises:
        FloatingPointError: the numbers are not finite.
    """
    if not all(np.isfinite(output).all() for output in outputs):
        raise FloatingPointError("the detector's numbers are not finite")
    parts = []
    for stride, classes, objects, boxes, points in zip(
        STRIDES, *(outputs[start : start + 3] for start in (0, 3, 6, 9)), strict=True
    ):
        score = np.sqrt(classes[:, 0].clip(0, 1) * objects[:, 0].clip(0, 1))
        found = np.flatnonzero(score >= floor)
        cells = np.stack([found % (width // stride), found // (width // stride)], axis=1)
        middle, size = (boxes[found, :2] + cells) * stride, np.exp(boxes[found, 2:]) * stride
        marks = (points[found].reshape(-1, 5, 2) + cells[:, None]) * stride
        parts.append((np.concatenate([middle - size / 2, middle + size / 2], axis=1), score[found], marks))
    boxes, scores, landmarks = (np.concatenate(part).astype(np.float32) for part in zip(*parts, strict=True))
    return boxes, scores, landmarks
