"""Re-ranking by k-reciprocal encoding: two images are as similar as the neighbourhoods that they share.

Zhong, Zheng, Cao and Li, "Re-ranking Person Re-identification with k-reciprocal Encoding", CVPR 2017.

Neighbours are found in blocks of rows and every later step works on sparse rows, so that memory grows with N k, and no
N × N matrix is held.
"""

import itertools
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from scipy import sparse

from castsearch.search.neighbors import (
    BLOCK_ROWS,
    blocks,
    check_split,
    finite_matrix,
    l2_normalize,
    nearest_neighbors,
    neighbor_rows,
    smallest,
)

BLOCK_PAIRS = 1 << 18
"""Entries of a block of pairs, whose working arrays should stay in the cache."""

_BLOCK_VALUES = 1 << 22  # numbers of gathered features, which may be of 80,000 dimensions


class Encoding(NamedTuple):
    """k-reciprocal neighbourhoods of N images.

    Attributes:
        weights: (N, N) sparse rows, each summing to one, whose overlap is the Jaccard similarity.
        farthest: (N,) largest squared distance of each image to any other; distances are measured in it.
    """

    weights: sparse.csr_array
    farthest: np.ndarray


def squared_distance(cosine: np.ndarray) -> np.ndarray:
    """Squared distances of unit vectors, 2 - 2 cos + 1e-4, of cosines of any shape.

    The constant, which keeps the root differentiable at zero, is that of the reference system.
    """
    distance = -2 * cosine
    distance += np.float32(2 + 1e-4)
    return distance


def encode(features: np.ndarray, k1: int = 20, k2: int = 6) -> Encoding:
    """Encode each image as weights over its k-reciprocal neighbours, averaged over its k2 nearest images.

    Args:
        features: (n, d) rows of unit length.
        k1: neighbours that must be mutual.
        k2: images whose encodings are averaged (local query expansion); 1 turns it off.

    Raises:
        ValueError: if k1 or k2 is below 1.
    """
    _check_parameters(k1, k2)
    indices, cosines, lowest = nearest_neighbors(features, max(k1 + 1, k2))
    farthest = squared_distance(lowest)

    def distance(rows: np.ndarray, columns: np.ndarray) -> np.ndarray:
        found = indices[rows] == columns[:, None]
        cosine = cosines[rows, found.argmax(axis=1)]
        missing = np.flatnonzero(~found.any(axis=1))
        for block in blocks(len(missing), max(1, _BLOCK_VALUES // max(1, features.shape[1]))):
            pairs = missing[block]
            cosine[pairs] = np.einsum("ij,ij->i", features[rows[pairs]], features[columns[pairs]])
        return squared_distance(cosine) / farthest[rows]

    return Encoding(_encode(indices, distance, k1, k2), farthest)


def jaccard_similarity(queries: sparse.csr_array, inverted: sparse.csr_array) -> sparse.csr_array:
    """Weighted Jaccard similarity of encodings, sum of minima over sum of maxima.

    Args:
        queries: (q, N) rows of `Encoding.weights`.
        inverted: (N, g) transpose of g rows of the same encoding, the gallery's inverted lists.

    Returns:
        (q, g) float32 sparse; pairs that share no neighbour are not stored. The Jaccard distance is one less it.
    """
    if queries.shape[0] == 0:
        return sparse.csr_array((0, inverted.shape[1]), dtype=np.float32)
    minima = np.concatenate([[0], np.cumsum(np.diff(inverted.indptr)[queries.indices], dtype=np.int64)])
    cuts = np.searchsorted(minima[queries.indptr], np.arange(0, minima[-1], BLOCK_PAIRS))
    bounds = np.unique(np.concatenate([[0], cuts, [queries.shape[0]]]))
    blocks = [_shared_weight(queries[start:stop], inverted) for start, stop in itertools.pairwise(bounds)]
    shared = sparse.vstack(blocks, format="csr")
    shared.data /= 2 - shared.data  # both rows sum to one, so their maxima sum to 2 - the sum of minima
    return shared


def k_reciprocal(
    distances: np.ndarray, num_query: int, k1: int = 20, k2: int = 6, lambda_value: float = 0.3
) -> np.ndarray:
    """Re-rank by k-reciprocal encoding, from distances.

    The result is (1 - lambda) Jaccard distance + lambda d, where d is the squared distance over the query's largest.

    Args:
        distances: (n, n) Euclidean distances, queries first.
        num_query: number of queries.
        k1: neighbours that must be mutual.
        k2: images whose encodings are averaged; 1 turns it off.
        lambda_value: weight of the original distance, 0 to 1.

    Returns:
        (num_query, n - num_query) float32 distances.

    Raises:
        ValueError: if the matrix is not square or not finite, or a parameter is out of its range.
    """
    distances = finite_matrix(distances, np.float32)
    n = len(distances)
    if distances.shape[1] != n:
        raise ValueError(f"distances must be a square matrix, not {distances.shape}")
    check_split(num_query, n)
    _check_parameters(k1, k2, lambda_value)
    farthest = np.square(distances.max(axis=0, initial=0))
    scale = np.where(farthest > 0, farthest, 1)
    k = min(max(k1 + 1, k2), n)
    indices = np.empty((n, k), np.int32)
    for rows in blocks(n, BLOCK_ROWS):
        # Columns, not rows: for a matrix that is not symmetric the reference ranks by its transpose.
        indices[rows] = smallest(np.square(distances[:, rows]).T / scale[rows, None], k)
    weights = _encode(indices, lambda rows, columns: np.square(distances[columns, rows]) / scale[rows], k1, k2)
    return _blend(
        weights[:num_query],
        weights[num_query:],
        lambda rows: np.square(distances[num_query:, rows]).T / scale[rows, None],
        lambda_value,
    )


def k_reciprocal_from_features(
    features: np.ndarray, queries: slice, gallery: slice, *, k1: int = 20, k2: int = 6, lambda_value: float = 0.3
) -> np.ndarray:
    """Re-rank by k-reciprocal encoding, from features of any length.

    Equals `k_reciprocal` on sqrt(2 - 2 cos + 1e-4) up to rounding, without that matrix. Where queries and gallery are
    the same rows, the result is not symmetric, since original distances are relative to the query's largest.

    Args:
        features: (n, d) features; all of them are neighbours.
        queries: rows that are queries.
        gallery: rows that are ranked.
        k1: neighbours that must be mutual.
        k2: images whose encodings are averaged; 1 turns it off.
        lambda_value: weight of the original distance, 0 to 1.

    Returns:
        (queries, gallery) float32 distances.

    Raises:
        ValueError: if `features` is not a matrix of finite numbers, or a parameter is out of its range.
    """
    _check_parameters(k1, k2, lambda_value)
    features = l2_normalize(features)
    weights, farthest = encode(features, k1, k2)
    query_features, query_farthest, gallery_features = features[queries], farthest[queries], features[gallery]
    return _blend(
        weights[queries],
        weights[gallery],
        lambda rows: squared_distance(query_features[rows] @ gallery_features.T) / query_farthest[rows, None],
        lambda_value,
    )


def k_reciprocal_similarity(features: np.ndarray, queries: slice, gallery: slice, **parameters: Any) -> np.ndarray:
    """Return (queries, gallery) float32, one less the distance of `k_reciprocal_from_features`."""
    distance = k_reciprocal_from_features(features, queries, gallery, **parameters)
    return np.subtract(1, distance, out=distance)


def _blend(
    queries: sparse.csr_array,
    gallery: sparse.csr_array,
    distance: Callable[[slice], np.ndarray],
    lambda_value: float,
) -> np.ndarray:
    """Weigh the Jaccard distances of two encodings and original distances, which come by slices of queries.

    Both are made in blocks, so that nothing grows with queries x gallery but the result.
    """
    result = np.empty((queries.shape[0], gallery.shape[0]), np.float32)
    inverted = gallery.T.tocsr()
    for rows in blocks(len(result), BLOCK_ROWS):
        block, shared = result[rows], jaccard_similarity(queries[rows], inverted)
        np.multiply(distance(rows), lambda_value, out=block)
        block += 1 - lambda_value
        block[np.repeat(np.arange(len(block)), np.diff(shared.indptr)), shared.indices] -= (
            1 - lambda_value
        ) * shared.data
    return result


def _check_parameters(k1: int, k2: int, lambda_value: float = 0) -> None:
    if k1 < 1 or k2 < 1:
        raise ValueError(f"k1 and k2 must be at least 1, not {k1} and {k2}")
    if not 0 <= lambda_value <= 1:
        raise ValueError(f"lambda_value must be between 0 and 1, not {lambda_value}")


def _encode(
    indices: np.ndarray, distance: Callable[[np.ndarray, np.ndarray], np.ndarray], k1: int, k2: int
) -> sparse.csr_array:
    """Weights exp(-d) over expanded k-reciprocal sets, each row's sum one, then local query expansion."""
    members = _expand(_reciprocal(indices[:, : k1 + 1]), _reciprocal(indices[:, : round(k1 / 2) + 1]))
    sizes = np.diff(members.indptr)
    rows = np.repeat(np.arange(len(sizes)), sizes)
    weights = np.empty(len(rows), np.float32)
    for pairs in blocks(len(rows), BLOCK_PAIRS):
        weights[pairs] = np.exp(-distance(rows[pairs], members.indices[pairs]))
    totals = np.bincount(rows, weights, minlength=len(sizes)).astype(np.float32)
    members = sparse.csr_array((weights / totals[rows], members.indices, members.indptr), shape=members.shape)
    if k2 == 1:
        return members
    nearest = indices[:, :k2]
    return neighbor_rows(nearest, np.full(nearest.size, 1 / max(1, nearest.shape[1]), np.float32)) @ members


def _reciprocal(indices: np.ndarray) -> sparse.csr_array:
    """Pattern of the neighbours that have the row itself among theirs."""
    mutual = np.empty(indices.shape, bool)
    for rows in blocks(len(indices), BLOCK_ROWS):
        own = np.arange(rows.start, rows.stop, dtype=indices.dtype)[:, None, None]
        mutual[rows] = (indices[indices[rows]] == own).any(axis=2)
    starts = np.concatenate([[0], np.cumsum(mutual.sum(axis=1))])
    shape = (len(indices), len(indices))
    return sparse.csr_array((np.ones(starts[-1], np.float32), indices[mutual], starts), shape=shape)


def _expand(mutual: sparse.csr_array, core: sparse.csr_array) -> sparse.csr_array:
    """Pattern of each set joined with its members' smaller sets of which it holds more than two thirds."""
    overlap = (mutual @ core).multiply(mutual).tocsr()  # being mutual is symmetric: core is its own transpose
    overlap.data *= 3 * overlap.data > 2 * np.diff(core.indptr)[overlap.indices]
    overlap.eliminate_zeros()
    identity = sparse.eye_array(mutual.shape[0], dtype=np.float32, format="csr")
    return sparse.hstack([overlap, mutual], format="csr") @ sparse.vstack([core, identity], format="csr")


def _shared_weight(queries: sparse.csr_array, inverted: sparse.csr_array) -> sparse.csr_array:
    """Sum of minima of each query's weights and each gallery row's, through the gallery's inverted lists."""
    lists = inverted[queries.indices]
    np.minimum(lists.data, np.repeat(queries.data, np.diff(lists.indptr)), out=lists.data)
    ones = np.ones(len(queries.indices), np.float32)
    own = sparse.csr_array((ones, np.arange(len(ones)), queries.indptr), shape=(queries.shape[0], len(ones)))
    return own @ lists
