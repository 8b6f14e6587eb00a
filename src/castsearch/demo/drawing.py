"""Polygons with soft edges, and layers that are laid over one another.

A layer is uint8 (height, width, 4): RGB already multiplied by opacity, then opacity.
"""

from functools import lru_cache

import cv2
import numpy as np


def points(polygon: str) -> np.ndarray:
    """Read the `points` of an SVG polygon.

    Returns:
        float64 (n, 2), x and y.
    """
    return np.array([pair.split(",") for pair in polygon.split()], dtype=np.float64)


def smooth(polygon: np.ndarray, rounds: int = 2) -> np.ndarray:
    """Round off a closed polygon by Chaikin's corner cutting.

    Args:
        polygon: (n, 2).
        rounds: how often each corner is cut.

    Returns:
        (n · 2**rounds, 2).
    """
    for _ in range(rounds):
        following = np.roll(polygon, -1, axis=0)
        corners = np.stack([0.75 * polygon + 0.25 * following, 0.25 * polygon + 0.75 * following], axis=1)
        polygon = corners.reshape(-1, 2)
    return polygon


def mirrored(half: np.ndarray) -> np.ndarray:
    """Close the right half of an outline, x measured from its axis, with its mirror image."""
    return np.concatenate([half, (half * (-1, 1))[::-1]])


def ellipse(x: float, y: float, radii: tuple[float, float], corners: int = 20) -> np.ndarray:
    """A polygon around the ellipse at (x, y), (corners, 2)."""
    return _circle(corners) * radii + (x, y)


@lru_cache
def _circle(corners: int) -> np.ndarray:
    """A polygon around the circle of radius 1 at (0, 0). It is shared between callers: do not write to it."""
    angles = np.linspace(0, 2 * np.pi, corners, endpoint=False)
    return np.stack([np.cos(angles), np.sin(angles)], axis=1)


def polygon_mask(polygon: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """Fill a polygon, its edge smoothed.

    Args:
        polygon: (n, 2) float, pixels.
        size: width and height of the result.

    Returns:
        uint8 (height, width), 0 to 255.
    """
    mask = np.zeros(size[::-1], np.uint8)
    cv2.fillPoly(mask, [np.round(polygon * 16).astype(np.int32)], 255, cv2.LINE_AA, shift=4)
    return mask


def layer(colour: np.ndarray, mask: np.ndarray) -> np.ndarray:
    """Make a layer of `colour`, which broadcasts to (height, width, 3), with opacity `mask` (height, width).

    Both run from 0 to 255.
    """
    colour = np.broadcast_to(np.asarray(colour, np.float32), (*mask.shape, 3))
    opacity = np.asarray(mask, np.float32)[..., None]
    return np.clip(np.rint(np.concatenate([colour * (opacity / 255), opacity], axis=2)), 0, 255).astype(np.uint8)


def flat_layer(colour: np.ndarray, mask: np.ndarray) -> np.ndarray:
    """Make what `layer` makes of one `colour`, (3,), and a `mask` of uint8; each value of the mask is computed once."""
    values = np.arange(256, dtype=np.uint8)[None]
    return layer(colour, values)[0][mask]


def lay_over(picture: np.ndarray, layer: np.ndarray, corner: tuple[int, int] = (0, 0)) -> None:
    """Lay a layer over a picture in place, as far as it lies inside.

    Args:
        picture: uint8 (height, width, 3), or another layer.
        layer: what comes in front.
        corner: where the layer's upper left corner is in the picture, x and y in pixels.
    """
    low = np.maximum(corner, 0)
    high = np.minimum(np.add(corner, layer.shape[1::-1]), picture.shape[1::-1])
    if np.any(high <= low):
        return
    x, y = low - corner
    inside = layer[y : y + high[1] - low[1], x : x + high[0] - low[0]]
    target = picture[low[1] : high[1], low[0] : high[0]]
    channels = picture.shape[2]
    covered = cv2.bitwise_not(inside[..., 3])
    kept = cv2.multiply(target, cv2.merge([covered] * channels), scale=1 / 255)
    target[...] = cv2.add(kept, inside if channels == 4 else cv2.cvtColor(inside, cv2.COLOR_RGBA2RGB))
