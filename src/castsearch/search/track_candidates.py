"""Tracks as candidates: the boxes of a track are one person, and rank together.

A track is described by the mean of what its boxes show, and tracks that are seen at one time are different people.
"""

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


def companies(shots: NDArray[np.integer], first: NDArray[np.floating], last: NDArray[np.floating]) -> NDArray[np.int64]:
    """Divide tracks into groups of different people: each group was seen at one time of one shot.

    The largest group of a shot is found first, then the largest of those that are left. A track belongs to one group,
    so that of two people who are seen with it at different times, only one is known to be somebody else.

    Args:
        shots: (n,) number of the shot of each track.
        first: (n,) time at which it is first seen,
        last: and last.

    Returns:
        (n,) numbers of the groups.
    """
    groups = np.full(len(shots), -1)
    count = 0
    for shot in np.unique(shots):
        left = np.flatnonzero(shots == shot)
        while len(left):
            # The largest group is complete when the last of its members appears.
            together = (first[left] <= first[left, None]) & (first[left, None] <= last[left])
            members = together[np.argmax(together.sum(axis=1))]
            groups[left[members]] = count
            count += 1
            left = left[~members]
    return groups
