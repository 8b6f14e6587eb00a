"""Geometry of boxes: how much they overlap, and which of those that overlap stays."""

import cv2
import numpy as np
from numpy.typing import NDArray


def overlap(first: NDArray[np.floating], second: NDArray[np.floating]) -> NDArray[np.floating]:
    """Intersection over union of boxes (n, 4) and (m, 4), x1, y1, x2, y2: an array (n, m)."""
    shared, area, other_area = _areas(first, second)
    return shared / np.maximum(area + other_area - shared, 1e-9)


def cover(first: NDArray[np.floating], second: NDArray[np.floating]) -> NDArray[np.floating]:
    """Intersection of boxes (n, 4) and (m, 4) over the area of the smaller one: an array (n, m)."""
    shared, area, other_area = _areas(first, second)
    return shared / np.maximum(np.minimum(area, other_area), 1e-9)


def _areas(first: NDArray[np.floating], second: NDArray[np.floating]) -> tuple[NDArray[np.floating], ...]:
    """What boxes share (n, m), and what each covers, (n, 1) and (m,)."""
    corner = np.maximum(first[:, None, :2], second[None, :, :2])
    other = np.minimum(first[:, None, 2:], second[None, :, 2:])
    area, other_area = ((boxes[:, 2:] - boxes[:, :2]).prod(axis=1) for boxes in (first, second))
    return (other - corner).clip(0).prod(axis=2), area[:, None], other_area


def suppress(
    boxes: NDArray[np.float32], scores: NDArray[np.float32], limit: float, *, with_last_pixel: bool = False
) -> NDArray[np.intp]:
    """Greedy non-maximum suppression.

    Args:
        boxes: (n, 4) x1, y1, x2, y2.
        scores: (n,) above 0.
        limit: a box is dropped if its intersection over union with a better one exceeds this.
        with_last_pixel: whether a box includes its last pixel, so that it is x2 - x1 + 1 wide.

    Returns:
        The indices of the boxes that stay, best first.
    """
    sizes = boxes[:, 2:] - boxes[:, :2] + np.float32(with_last_pixel)
    rectangles = np.concatenate([boxes[:, :2], sizes], axis=1).astype(float).tolist()
    kept = cv2.dnn.NMSBoxes(rectangles, scores.tolist(), score_threshold=0, nms_threshold=limit)
    return np.array(kept, np.intp).reshape(-1)
