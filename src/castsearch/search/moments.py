"""Who is seen at one time, and so is somebody else: boxes of one frame, and tracks that have boxes in one frame."""

from collections.abc import Sequence
from itertools import chain
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

Frames: TypeAlias = Sequence[str | tuple[str, ...]] | NDArray[np.integer] | sparse.csr_array
"""Of n candidates the name or number of the one frame that each is in; or the names of the moments at which each is
seen, one or more; or the same as `presence` gives it. Two who have a frame or a moment in common are two people."""


def presence(frames: Frames) -> sparse.csr_array:
    """Number the moments at which candidates are seen.

    Returns:
        (n, moments) bool, whether a candidate is seen at a moment; each is at one at least.
    """
    if isinstance(frames, sparse.csr_array):
        return frames
    if isinstance(frames, np.ndarray):
        counts, names = [1] * len(frames), frames
    else:
        several = [own if isinstance(own, tuple) else (own,) for own in frames]
        counts, names = [len(own) for own in several], np.asarray(list(chain.from_iterable(several)), str)
    _, moments = np.unique(names, return_inverse=True)
    starts = np.concatenate([[0], np.cumsum(counts, dtype=np.int64)])
    shape = len(counts), int(moments.max(initial=-1)) + 1
    return sparse.csr_array((np.ones(len(moments), bool), moments, starts), shape=shape)


def seen_together(frames: Frames, rows: NDArray[np.integer] | None = None) -> list[NDArray[np.integer]]:
    """List who are seen together.

    Args:
        frames: of n candidates.
        rows: (n,) what the candidates are called in the result; None for their numbers, 0 to n − 1.

    Returns:
        The candidates of each moment at which more than one is seen.
    """
    by_moment = presence(frames).tocsc()
    groups = np.split(by_moment.indices, by_moment.indptr[1:-1])
    return [together if rows is None else rows[together] for together in groups if len(together) > 1]


def moments_of(
    candidates: NDArray[np.integer], present: sparse.csr_array
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """List the moments of each of some candidates.

    Args:
        candidates: (k,) numbers; one may occur more than once.
        present: see `presence`.

    Returns:
        (e,) places in `candidates`, in rising order, and for each of them (e,) the number of a moment.
    """
    starts = present.indptr[candidates].astype(np.int64)
    counts = present.indptr[candidates + 1] - starts
    place = np.repeat(np.arange(len(candidates)), counts)
    within = np.arange(len(place)) - np.repeat(np.cumsum(counts) - counts, counts)
    return place, present.indices[starts[place] + within].astype(np.int64)
