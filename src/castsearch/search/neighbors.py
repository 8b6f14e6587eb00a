"""The images most similar to an image, by the cosine of their features.

Neighbours are found in blocks of rows, so that no n × n matrix is held. Of equally similar rows the one with the lower
index is nearer; images with the same features are such neighbours of every image.
"""

import hashlib
import logging
from collections.abc import Iterator

import numpy as np
from scipy import sparse

from castsearch.hardware import torch_has_gpu
from castsearch.threads import in_threads

BLOCK_ROWS = 512
"""Rows of a dense block: enough for a matrix product to run at full speed."""

GPU_ROWS = 4000
"""Rows from which on a GPU is used: with fewer, starting CUDA takes longer than the product."""

_KEPT = 4
"""How many results are kept: of faces and of bodies, by two engines and in two choices of networks."""

logger = logging.getLogger(__name__)
_kept: dict[tuple[bytes, tuple[int, ...], int], tuple[np.ndarray, np.ndarray, np.ndarray]] = {}


def l2_normalize(features: np.ndarray) -> np.ndarray:
    """Scale the rows of (n, d) features to unit length in float32; rows of zeros stay zero.

    What is of unit length already is returned as it is, not as a copy.

    Raises:
        ValueError: if `features` is not a matrix of finite numbers.
    """
    features = finite_matrix(features, np.float32)
    norms = np.linalg.norm(features, axis=1, keepdims=True)
    norms[norms == 0] = 1
    return features if np.allclose(norms, 1, rtol=0, atol=1e-6) else features / norms


def nearest_neighbors(features: np.ndarray, k: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Find every row's most similar rows by cosine, itself included; of many rows on the GPU if torch finds one.

    Args:
        features: (n, d) rows of unit length.
        k: neighbours wanted; n when there are no more.

    Returns:
        (n, k) int32 indices, most similar first; (n, k) float32 cosines; (n,) float32 lowest cosine to any row.
    """
    features = np.ascontiguousarray(features, np.float32)
    k = min(k, len(features))
    if len(features) >= GPU_ROWS and torch_has_gpu():
        import torch  # noqa: PLC0415

        from castsearch.search import torch_neighbors  # noqa: PLC0415

        try:
            return torch_neighbors.nearest_neighbors(features, k, "cuda")
        except (torch.cuda.OutOfMemoryError, torch.AcceleratorError) as error:  # the second has no room for CUDA itself
            reason = str(error).partition("\n")[0]
            logger.warning("The neighbours of %d images are found on the CPU: the GPU said: %s", len(features), reason)
    return numpy_neighbors(features, k)


def kept_neighbors(features: np.ndarray, k: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Find `nearest_neighbors` once for all variants of a search: the last few results are kept, and are read-only."""
    features = np.ascontiguousarray(features, np.float32)
    asked = hashlib.blake2b(features.data, digest_size=16).digest(), features.shape, k
    if asked not in _kept:
        if len(_kept) >= _KEPT:
            del _kept[next(iter(_kept))]
        _kept[asked] = nearest_neighbors(features, k)
        for array in _kept[asked]:
            array.flags.writeable = False
    return _kept[asked]


def finite_matrix(values: np.ndarray, dtype: type) -> np.ndarray:
    """Return values as a matrix of a floating-point type.

    Raises:
        ValueError: if they are not a matrix of finite numbers.
    """
    values = np.asarray(values, dtype)
    if values.ndim != 2:
        raise ValueError(f"a matrix is needed, with a row for each image, not an array of shape {values.shape}")
    if not (finite := np.isfinite(values).all(axis=1)).all():
        row = int(np.argmin(finite))
        raise ValueError(f"row {row} of {len(values)} is not of finite numbers; who has no feature has a row of zeros")
    return values


def blocks(n: int, step: int) -> Iterator[slice]:
    """Divide n rows into slices of `step` rows; the last one may have fewer."""
    return (slice(start, min(start + step, n)) for start in range(0, n, step))


def smallest(values: np.ndarray, k: int) -> np.ndarray:
    """Indices (rows, k) of the k smallest values of each row of (rows, n) values, ascending, ties by index."""
    values = np.ascontiguousarray(values)
    rows, n = values.shape
    if k == 0:
        return np.empty((rows, 0), np.intp)
    # The kth smallest of the minima of disjoint groups is no less than the kth smallest value: few entries pass it.
    groups = min(n, 8 * k)
    minima = values[:, : n - n % groups].reshape(rows, -1, groups).min(axis=1)
    bound = np.partition(minima, k - 1, axis=1)[:, k - 1 : k]
    kept = np.flatnonzero(values <= bound)
    row, starts = kept // n, np.searchsorted(kept, np.arange(rows) * n)
    if len(kept) > rows * groups:
        # Of many that equal the bound, as copies of one image do, the first k of a row are enough to sort.
        equal = values.ravel()[kept] == bound[row, 0]
        count = np.cumsum(equal)
        chosen = ~equal | (count - (count - equal)[starts][row] <= k)
        kept, row = kept[chosen], row[chosen]
        starts = np.searchsorted(row, np.arange(rows))
    kept = kept[np.lexsort((values.ravel()[kept], row))]
    return kept[starts[:, None] + np.arange(k)] % n


def numpy_neighbors(features: np.ndarray, k: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return `nearest_neighbors` of contiguous float32 features and k <= n, on the CPU."""
    n = len(features)
    indices = np.empty((n, k), np.int32)
    cosines = np.empty((n, k), np.float32)
    lowest = np.empty(n, np.float32)
    repeated, originals = copies(features)

    def find(rows: slice) -> None:
        negated = -features[rows] @ features.T
        negated[:, repeated] = negated[:, originals]  # a product rounds by position and would break their tie
        indices[rows] = smallest(negated, k)
        cosines[rows] = -np.take_along_axis(negated, indices[rows], axis=1)
        lowest[rows] = -negated.max(axis=1)

    in_threads(find, blocks(n, BLOCK_ROWS))
    return indices, cosines, lowest


def copies(features: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the numbers of those of (n, d) rows that equal an earlier row, (c,), and of the first such row of each.

    A matrix product rounds by position, which would break the ties of such rows.
    """
    # Few rows share an integer sum of their bits, so few need be compared in full.
    _, group, size = np.unique(
        features.view(np.uint32).sum(axis=1, dtype=np.uint64), return_inverse=True, return_counts=True
    )
    rows = np.flatnonzero(size[group] > 1)
    first_of: dict[bytes, int] = {}
    originals = np.array([first_of.setdefault(features[row].tobytes(), int(row)) for row in rows], np.intp)
    return rows[originals != rows], originals[originals != rows]


def neighbor_rows(columns: np.ndarray, values: np.ndarray) -> sparse.csr_array:
    """Return the sparse square matrix with the given (n, k) columns in its rows, and as many values."""
    n, k = columns.shape
    return sparse.csr_array((values, columns.ravel(), np.arange(n + 1) * k), shape=(n, n))


def check_split(num_query: int, n: int) -> None:
    """Check that the first of n rows can be the queries.

    Raises:
        ValueError: there are fewer rows.
    """
    if not 0 <= num_query <= n:
        raise ValueError(f"num_query must be between 0 and {n}, not {num_query}")
