"""Tracks as candidates: the boxes of a track are one person, and rank together, by the mean of what they show."""

import numpy as np
from numpy.typing import NDArray


def average(
    features: NDArray[np.float32], weights: NDArray[np.floating], groups: NDArray[np.integer]
) -> NDArray[np.float32]:
    """Average features that are normalised first, of which a single one stays as it is.

    Args:
        features: (n, d).
        weights: (n,) above or equal to 0; where all of a group are 0, they count alike.
        groups: (n,) numbers from 0 to m − 1, each of which occurs.

    Returns:
        (m, d), the weighted mean of each group.
    """
    count = groups.max(initial=-1) + 1
    sizes = np.bincount(groups, minlength=count)
    totals = np.bincount(groups, weights, minlength=count)
    weights = np.where(totals[groups] > 0, weights / np.maximum(totals[groups], 1e-12), 1 / sizes[groups])
    length = np.linalg.norm(features, axis=1, keepdims=True)
    means = np.zeros((count, features.shape[1]), np.float32)
    np.add.at(means, groups, features / np.maximum(length, 1e-12) * weights[:, None])
    alone = sizes[groups] == 1
    means[groups[alone]] = features[alone]
    return means
