"""Re-ranking by the expanded cross neighbourhood (ECN): distances between the neighbours of two images.

Sarfraz, Schumann, Eberle and Stiefelhagen, "A Pose-Sensitive Embedding for Person Re-Identification with Expanded Cross
Neighborhood Re-Ranking", CVPR 2018.
"""

from typing import Any

import numpy as np
from scipy import sparse

from castsearch.search.neighbors import (
    BLOCK_ROWS,
    blocks,
    check_split,
    finite_matrix,
    l2_normalize,
    neighbor_rows,
    smallest,
)


def expanded_cross_neighborhood(features: np.ndarray, num_query: int, t: int = 10, q: int = 8) -> np.ndarray:
    """Re-rank by the expanded cross neighbourhood (ECN).

    An image's neighbourhood is its t nearest images and the q nearest of each of those. The result is the mean of the
    Euclidean distances from the query's neighbourhood to the gallery image and from the gallery image's to the query.

    Args:
        features: (n, d) features, used as they are, queries first.
        num_query: number of queries.
        t: nearest images of an image.
        q: nearest images of each of those.

    Returns:
        (num_query, n - num_query) float32 distances.

    Raises:
        ValueError: if `features` is not a matrix of finite numbers, or a parameter is out of its range.
    """
    check_split(num_query, len(features))
    return expanded_cross_neighborhood_between(features, slice(num_query), slice(num_query, None), t=t, q=q)


def expanded_cross_neighborhood_between(
    features: np.ndarray, queries: slice, gallery: slice, *, t: int = 10, q: int = 8
) -> np.ndarray:
    """Re-rank by the expanded cross neighbourhood (ECN), where any rows may be queries and gallery.

    Args:
        features: (n, d) features, used as they are; all of them are neighbours.
        queries: rows that are queries.
        gallery: rows that are ranked.
        t: nearest images of an image.
        q: nearest images of each of those.

    Returns:
        (queries, gallery) float32 distances; symmetric but for rounding where both are the same rows.

    Raises:
        ValueError: if `features` is not a matrix of finite numbers, or a parameter is out of its range.
    """
    features = finite_matrix(features, np.float64)
    n = len(features)
    if t < 1 or q < 1:
        raise ValueError(f"t and q must be at least 1, not {t} and {q}")
    of_queries, of_gallery = np.arange(n)[queries], np.arange(n)[gallery]
    result = np.empty((len(of_queries), len(of_gallery)), np.float32)
    if result.size == 0 or n == 1:
        result[:] = 0
        return result
    squares = np.einsum("ij,ij->i", features, features)
    indices = np.empty((n, min(max(t, q), n - 1)), np.int32)
    for rows in blocks(n, BLOCK_ROWS):
        # The nearest of all is the image itself.
        indices[rows] = smallest(_euclidean(features, squares, rows).T, indices.shape[1] + 1)[:, 1:]
    first, second = (neighbor_rows(columns, np.ones(columns.size)) for columns in (indices[:, :t], indices[:, :q]))
    size = min(t, n - 1) * (1 + min(q, n - 1))

    def from_neighborhoods(whose: sparse.csr_array, to: np.ndarray) -> np.ndarray:
        distance = _euclidean(features, squares, slice(to[0], to[-1] + 1))
        return whose @ (distance + second @ distance) / (2 * size)

    for rows in blocks(len(of_queries), BLOCK_ROWS):
        result[rows] = from_neighborhoods(first[gallery], of_queries[rows]).T
    for rows in blocks(len(of_gallery), BLOCK_ROWS):
        result[:, rows] += from_neighborhoods(first[queries], of_gallery[rows])
    return result


def ecn_similarity(features: np.ndarray, queries: slice, gallery: slice, **parameters: Any) -> np.ndarray:
    """Return (queries, gallery) cosines of unit vectors at the distance of ECN, which is Euclidean.

    The arguments are those of `expanded_cross_neighborhood_between`, but for features of any length.
    """
    distance = expanded_cross_neighborhood_between(l2_normalize(features), queries, gallery, **parameters)
    np.square(distance, out=distance)
    distance /= 2
    return np.subtract(1, distance, out=distance)


def _euclidean(features: np.ndarray, squares: np.ndarray, columns: slice) -> np.ndarray:
    """Distances of all (n, d) features, of these squared lengths, to some of them, (n, columns)."""
    squared = squares[:, None] + squares[columns] - features @ (2 * features[columns]).T
    own = np.arange(columns.start, columns.stop)
    squared[own, own - columns.start] = 0  # not the rounding error that the root would blow up
    return np.sqrt(np.maximum(squared, 0))
