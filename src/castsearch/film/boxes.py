"""Geometry of boxes."""

import numpy as np
from numpy.typing import NDArray


def overlap(first: NDArray[np.floating], second: NDArray[np.floating]) -> NDArray[np.floating]:
    """Intersection over union of boxes (n, 4) and (m, 4), x1, y1, x2, y2: an array (n, m)."""
    corner = np.maximum(first[:, None, :2], second[None, :, :2])
    other = np.minimum(first[:, None, 2:], second[None, :, 2:])
    shared = (other - corner).clip(0).prod(axis=2)
    area, other_area = ((boxes[:, 2:] - boxes[:, :2]).prod(axis=1) for boxes in (first, second))
    return shared / np.maximum(area[:, None] + other_area - shared, 1e-9)
