"""What detectors have in common that answer for each cell of grids with strides of 8, 16 and 32 pixels."""

import cv2
import numpy as np
from numpy.typing import NDArray

from castsearch.faces.engine import Image

STRIDES = 8, 16, 32


def cells(height: int, width: int) -> NDArray[np.float32]:
    """Column, row and stride of every cell of a picture, (n, 3): the grids one after the other, each row by row."""
    grids = []
    for stride in STRIDES:
        rows, columns = np.mgrid[: height // stride, : width // stride]
        grids.append(np.stack([columns.ravel(), rows.ravel(), np.full(rows.size, stride)], axis=1))
    return np.concatenate(grids).astype(np.float32)


def fit(image: Image, height: int, width: int, padding: int) -> tuple[Image, float]:
    """Scale a picture so that it fits, at the top left; returns (height, width, 3) and the scale."""
    scale = min(height / image.shape[0], width / image.shape[1])
    size = max(1, int(image.shape[1] * scale)), max(1, int(image.shape[0] * scale))
    fitted = np.full((height, width, 3), padding, np.uint8)
    fitted[: size[1], : size[0]] = cv2.resize(image, size, interpolation=cv2.INTER_LINEAR)
    return fitted, scale
