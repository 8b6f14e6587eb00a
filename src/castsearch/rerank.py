"""Re-ranking by the neighbourhoods that two images share, without ever holding an N x N matrix.

* k-reciprocal encoding: Zhong, Zheng, Cao and Li, "Re-ranking Person Re-identification with k-reciprocal Encoding",
  CVPR 2017.
* Expanded cross neighbourhood: Sarfraz, Schumann, Eberle and Stiefelhagen, "A Pose-Sensitive Embedding for Person
  Re-Identification with Expanded Cross Neighborhood Re-Ranking", CVPR 2018.

Neighbours are found in blocks of rows and every later step works on sparse rows, so that memory grows with N k.

Exact ties: of equally distant neighbours the one with the lower index is nearer.
"""

from collections.abc import Callable, Iterator
from typing import NamedTuple

import numpy as np
from scipy import sparse

_BLOCK_ELEMENTS = 1 << 23  # float32 entries of a dense block: 32 MiB


class Encoding(NamedTuple):
    """k-reciprocal neighbourhoods of N images.

    Attributes:
        weights: (N, N) sparse rows, each summing to one, whose overlap is the Jaccard similarity.
        farthest: (N,) largest squared distance of each image to any other; distances are measured in it.
    """

    weights: sparse.csr_array
    farthest: np.ndarray


def l2_normalize(features: np.ndarray) -> np.ndarray:
    """Scale the rows of (n, d) features to unit length in float32; rows of zeros stay zero."""
    features = np.asarray(features, np.float32)
    norms = np.linalg.norm(features, axis=1, keepdims=True)
    return features / np.where(norms > 0, norms, 1)


def squared_distance(cosine: np.ndarray) -> np.ndarray:
    """Squared distance of unit vectors, 2 - 2 cos + 1e-4; the constant keeps its root differentiable at zero."""
    return np.float32(2 + 1e-4) - 2 * cosine


def nearest_neighbors(features: np.ndarray, k: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Find every row's most similar rows by cosine, itself included.

    Args:
        features: (n, d) rows of unit length.
        k: neighbours wanted; n when there are no more.

    Returns:
        (n, k) int32 indices, most similar first; (n, k) float32 cosines; (n,) float32 lowest cosine to any row.
    """
    n = len(features)
    k = min(k, n)
    indices = np.empty((n, k), np.int32)
    cosines = np.empty((n, k), np.float32)
    lowest = np.empty(n, np.float32)
    for rows in _blocks(n, n):
        negated = -features[rows] @ features.T
        indices[rows] = _smallest(negated, k)
        cosines[rows] = -np.take_along_axis(negated, indices[rows], axis=1)
        lowest[rows] = -negated.max(axis=1)
    return indices, cosines, lowest


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
    indices, _, lowest = nearest_neighbors(features, max(k1 + 1, k2))
    farthest = squared_distance(lowest)

    def distance(rows: np.ndarray, columns: np.ndarray) -> np.ndarray:
        cosine = np.empty(len(rows), np.float32)
        for pairs in _blocks(len(rows), 2 * features.shape[1]):
            np.einsum("ij,ij->i", features[rows[pairs]], features[columns[pairs]], out=cosine[pairs])
        return squared_distance(cosine) / farthest[rows]

    return Encoding(_encode(indices, distance, k1, k2), farthest)


def jaccard_similarity(queries: sparse.csr_array, gallery: sparse.csr_array) -> sparse.csr_array:
    """Weighted Jaccard similarity of encodings, sum of minima over sum of maxima.

    Args:
        queries: (q, N) rows of `Encoding.weights`.
        gallery: (g, N) rows of the same encoding.

    Returns:
        (q, g) float32 sparse; pairs that share no neighbour are not stored. The Jaccard distance is one less it.
    """
    inverted = gallery.T.tocsr()
    blocks = [_shared_weight(queries[rows], inverted) for rows in _blocks(queries.shape[0], 1 << 15)]
    shared = (
        sparse.vstack(blocks, format="csr") if blocks else sparse.csr_array((0, gallery.shape[0]), dtype=np.float32)
    )
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
        ValueError: if the matrix is not square, or a parameter is out of its range.
    """
    distances = np.asarray(distances, np.float32)
    n = len(distances)
    if distances.shape != (n, n):
        raise ValueError(f"distances must be a square matrix, not {distances.shape}")
    _check_split(num_query, n)
    _check_parameters(k1, k2, lambda_value)
    farthest = np.square(distances.max(axis=0, initial=0))
    scale = np.where(farthest > 0, farthest, 1)
    k = min(max(k1 + 1, k2), n)
    indices = np.empty((n, k), np.int32)
    for rows in _blocks(n, n):
        # Columns, not rows: for a matrix that is not symmetric the reference ranks by its transpose.
        indices[rows] = _smallest(np.square(distances[:, rows]).T / scale[rows, None], k)
    weights = _encode(indices, lambda rows, columns: np.square(distances[columns, rows]) / scale[rows], k1, k2)
    jaccard = jaccard_similarity(weights[:num_query], weights[num_query:])
    return _blend(jaccard, np.square(distances[num_query:, :num_query]).T / scale[:num_query, None], lambda_value)


def k_reciprocal_from_features(
    features: np.ndarray, num_query: int, k1: int = 20, k2: int = 6, lambda_value: float = 0.3
) -> np.ndarray:
    """Re-rank by k-reciprocal encoding, from (n, d) features of any length, queries first.

    Equals `k_reciprocal` on sqrt(2 - 2 cos + 1e-4) up to rounding, without that matrix.

    Returns:
        (num_query, n - num_query) float32 distances.

    Raises:
        ValueError: if `features` is not a matrix, or a parameter is out of its range.
    """
    features = _unit_rows(features)
    _check_split(num_query, len(features))
    _check_parameters(k1, k2, lambda_value)
    encoding = encode(features, k1, k2)
    jaccard = jaccard_similarity(encoding.weights[:num_query], encoding.weights[num_query:])
    return _blend(jaccard, _relative_distance(features, encoding, num_query), lambda_value)


def k_reciprocal_all(features: np.ndarray, k1: int = 20, k2: int = 6, lambda_value: float = 0.3) -> np.ndarray:
    """Re-ranked distances of every image (row, as the query) to every image, each present once.

    Args:
        features: (n, d) features of any length.
        k1: neighbours that must be mutual.
        k2: images whose encodings are averaged; 1 turns it off.
        lambda_value: weight of the original distance, 0 to 1.

    Returns:
        (n, n) float32 distances; not symmetric, since original distances are relative to the query's largest.

    Raises:
        ValueError: if `features` is not a matrix, or a parameter is out of its range.
    """
    features = _unit_rows(features)
    _check_parameters(k1, k2, lambda_value)
    encoding = encode(features, k1, k2)
    jaccard = jaccard_similarity(encoding.weights, encoding.weights)
    distance = squared_distance(features @ features.T) / encoding.farthest[:, None]
    return _blend(jaccard, distance, lambda_value)


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
        ValueError: if `features` is not a matrix, or a parameter is out of its range.
    """
    features = np.asarray(features, np.float64)
    if features.ndim != 2:
        raise ValueError(f"features must be a matrix, not {features.shape}")
    n = len(features)
    _check_split(num_query, n)
    if t < 1 or q < 1:
        raise ValueError(f"t and q must be at least 1, not {t} and {q}")
    result = np.empty((num_query, n - num_query), np.float32)
    if result.size == 0:
        return result
    indices = np.empty((n, min(max(t, q), n - 1)), np.int32)
    for rows in _blocks(n, 2 * n):
        # The nearest of all is the image itself.
        indices[rows] = _smallest(_euclidean(features, rows).T, indices.shape[1] + 1)[:, 1:]
    first, second = (_rows(columns, np.ones(columns.size)) for columns in (indices[:, :t], indices[:, :q]))
    size = min(t, n - 1) * (1 + min(q, n - 1))
    for rows in _blocks(num_query, 2 * n):
        distance = _euclidean(features, rows)
        result[rows] = (first[num_query:] @ (distance + second @ distance)).T / (2 * size)
    for rows in _blocks(n - num_query, 2 * n):
        distance = _euclidean(features, slice(num_query + rows.start, num_query + rows.stop))
        result[:, rows] += first[:num_query] @ (distance + second @ distance) / (2 * size)
    return result


def _relative_distance(features: np.ndarray, encoding: Encoding, num_query: int) -> np.ndarray:
    cosine = features[:num_query] @ features[num_query:].T
    return squared_distance(cosine) / encoding.farthest[:num_query, None]


def _blend(jaccard: sparse.csr_array, distance: np.ndarray, lambda_value: float) -> np.ndarray:
    return ((1 - lambda_value) * (1 - jaccard.toarray()) + lambda_value * distance).astype(np.float32)


def _unit_rows(features: np.ndarray) -> np.ndarray:
    if np.ndim(features) != 2:
        raise ValueError(f"features must be a matrix, not {np.shape(features)}")
    return l2_normalize(features)


def _euclidean(features: np.ndarray, columns: slice) -> np.ndarray:
    """Distances of all (n, d) features to some of them, (n, columns)."""
    squares = np.einsum("ij,ij->i", features, features)
    squared = squares[:, None] + squares[columns] - 2 * features @ features[columns].T
    own = np.arange(columns.start, columns.stop)
    squared[own, own - columns.start] = 0  # not the rounding error that the root would blow up
    return np.sqrt(np.maximum(squared, 0))


def _check_split(num_query: int, n: int) -> None:
    if not 0 <= num_query <= n:
        raise ValueError(f"num_query must be between 0 and {n}, not {num_query}")


def _check_parameters(k1: int, k2: int, lambda_value: float = 0) -> None:
    if k1 < 1 or k2 < 1:
        raise ValueError(f"k1 and k2 must be at least 1, not {k1} and {k2}")
    if not 0 <= lambda_value <= 1:
        raise ValueError(f"lambda_value must be between 0 and 1, not {lambda_value}")


def _blocks(n: int, width: int) -> Iterator[slice]:
    """Slices of n rows such that a block of that width stays within the working memory."""
    step = max(1, _BLOCK_ELEMENTS // max(1, width))
    return (slice(start, min(start + step, n)) for start in range(0, n, step))


def _smallest(values: np.ndarray, k: int) -> np.ndarray:
    """Indices of each row's k smallest values, ascending, ties by index."""
    if k == 0:
        return np.empty((len(values), 0), np.intp)
    chosen = np.sort(np.argpartition(values, k - 1, axis=1)[:, :k], axis=1)
    found = np.take_along_axis(values, chosen, axis=1)
    indices = np.take_along_axis(chosen, np.argsort(found, axis=1, kind="stable"), axis=1)
    tied = np.count_nonzero(values <= found.max(axis=1, keepdims=True), axis=1) > k
    for row in np.flatnonzero(tied):  # the partition chose among equals as it liked
        indices[row] = np.argsort(values[row], kind="stable")[:k]
    return indices


def _encode(
    indices: np.ndarray, distance: Callable[[np.ndarray, np.ndarray], np.ndarray], k1: int, k2: int
) -> sparse.csr_array:
    """Weights exp(-d) over expanded k-reciprocal sets, each row's sum one, then local query expansion."""
    members = _expand(_reciprocal(indices[:, : k1 + 1]), _reciprocal(indices[:, : round(k1 / 2) + 1]))
    sizes = np.diff(members.indptr)
    rows = np.repeat(np.arange(len(sizes)), sizes)
    weights = np.exp(-distance(rows, members.indices))
    totals = np.bincount(rows, weights, minlength=len(sizes)).astype(np.float32)
    members = sparse.csr_array((weights / totals[rows], members.indices, members.indptr), shape=members.shape)
    if k2 == 1:
        return members
    nearest = indices[:, :k2]
    return _rows(nearest, np.full(nearest.size, 1 / max(1, nearest.shape[1]), np.float32)) @ members


def _reciprocal(indices: np.ndarray) -> sparse.csr_array:
    """Pattern of the neighbours that have the row itself among theirs."""
    mutual = np.empty(indices.shape, bool)
    for rows in _blocks(len(indices), indices.shape[1] ** 2):
        own = np.arange(rows.start, rows.stop, dtype=indices.dtype)[:, None, None]
        mutual[rows] = (indices[indices[rows]] == own).any(axis=2)
    starts = np.concatenate([[0], np.cumsum(mutual.sum(axis=1))])
    shape = (len(indices), len(indices))
    return sparse.csr_array((np.ones(starts[-1], np.float32), indices[mutual], starts), shape=shape)


def _expand(mutual: sparse.csr_array, core: sparse.csr_array) -> sparse.csr_array:
    """Pattern of each set joined with its members' smaller sets of which it holds more than two thirds."""
    overlap = (mutual @ core.T).multiply(mutual).tocsr()
    overlap.data *= 3 * overlap.data > 2 * np.diff(core.indptr)[overlap.indices]
    overlap.eliminate_zeros()
    identity = sparse.eye_array(mutual.shape[0], dtype=np.float32, format="csr")
    return sparse.hstack([overlap, mutual], format="csr") @ sparse.vstack([core, identity], format="csr")


def _rows(columns: np.ndarray, values: np.ndarray) -> sparse.csr_array:
    """Sparse square matrix with the given (n, k) columns in its rows."""
    n, k = columns.shape
    return sparse.csr_array((values, columns.ravel(), np.arange(n + 1) * k), shape=(n, n))


def _shared_weight(queries: sparse.csr_array, inverted: sparse.csr_array) -> sparse.csr_array:
    """Sum of minima of each query's weights and each gallery row's, through the gallery's inverted lists."""
    lists = inverted[queries.indices]
    np.minimum(lists.data, np.repeat(queries.data, np.diff(lists.indptr)), out=lists.data)
    ones = np.ones(len(queries.indices), np.float32)
    own = sparse.csr_array((ones, np.arange(len(ones)), queries.indptr), shape=(queries.shape[0], len(ones)))
    return own @ lists
