"""Similarities of faces and of bodies, from the features of the networks."""

import itertools
from collections.abc import Sequence

import numpy as np
from scipy import sparse

from castsearch.search.neighbors import l2_normalize, nearest_neighbors

FACELESS = -2.0
"""Face similarity of a candidate without a face: below any cosine."""

_SMOOTHING_NEIGHBORS = 9


def concatenate(features: Sequence[np.ndarray]) -> np.ndarray:
    """Join several networks' features of the same n images as equals.

    Args:
        features: (n, d_i) matrices; each network's rows are scaled to unit length first.

    Returns:
        (n, sum of d_i) float32 rows of unit length; zero where every network's row is.

    Raises:
        ValueError: if there is no matrix, or their row counts differ.
    """
    if len({len(matrix) for matrix in features}) != 1:
        raise ValueError(f"features of as many images are needed, not of {[len(matrix) for matrix in features]}")
    joined = np.empty((len(features[0]), sum(np.shape(matrix)[1] for matrix in features)), np.float32)
    columns = itertools.accumulate((np.shape(matrix)[1] for matrix in features), initial=0)
    for (start, stop), matrix in zip(itertools.pairwise(columns), features, strict=True):
        joined[:, start:stop] = l2_normalize(matrix)
    norms = np.linalg.norm(joined, axis=1, keepdims=True)
    joined /= np.where(norms > 0, norms, 1)  # in place: 18 networks make 80,000 numbers an image
    return joined


def cosine_similarity(features: np.ndarray) -> np.ndarray:
    """Cosines of every pair among (n, d) features of any length, (n, n) float32; 0 for a row of zeros."""
    features = l2_normalize(features)
    return features @ features.T


def face_similarity(face: np.ndarray, num_cast: int) -> np.ndarray:
    """Face cosines of cast members and candidates.

    Args:
        face: (num_cast + n, d) features of any length, cast first.
        num_cast: number of cast rows.

    Returns:
        (num_cast, n) float32.

    Raises:
        ValueError: if `face` is not a matrix of at least `num_cast` rows of finite numbers.
    """
    face = l2_normalize(face)
    if len(face) < num_cast:
        raise ValueError(f"{len(face)} faces do not fit {num_cast} cast members")
    return face[:num_cast] @ face[num_cast:].T


def best_portrait(similarity: np.ndarray, person: np.ndarray) -> np.ndarray:
    """Face similarities of people, each by the best of their portraits.

    Args:
        similarity: (num_cast, n) face similarities of portraits.
        person: (num_cast,) numbers from 0 on, equal for portraits of one person.

    Returns:
        (people, n).
    """
    best = np.full((person.max(initial=-1) + 1, similarity.shape[1]), -np.inf, similarity.dtype)
    for number, own in zip(person.tolist(), similarity, strict=True):
        np.maximum(best[number], own, out=best[number])
    return best


def without_faceless(similarity: np.ndarray, has_face: np.ndarray) -> np.ndarray:
    """Set the face similarity of candidates without a face to `FACELESS`.

    Args:
        similarity: (num_cast, n) face similarities, with whatever stands in for a missing face.
        has_face: (n,) bool, whether the candidate's face can be seen.

    Raises:
        ValueError: if the shapes do not fit.
    """
    has_face = np.asarray(has_face, bool)
    if has_face.shape != similarity.shape[1:]:
        raise ValueError(f"has_face {has_face.shape} does not fit face similarities {similarity.shape}")
    return np.where(has_face, similarity, np.float32(FACELESS))


def body_similarity(body: np.ndarray, reranked: np.ndarray | None = None) -> np.ndarray:
    """Body similarity of every pair of candidates.

    The mean of (a) the cosine, or a re-ranked similarity in its place, and (b) the cosine of features smoothed over
    their 9 nearest neighbours. The reference system re-ranks with the undecided candidates present twice; here each is
    present once, so that the result does not depend on the face matches.

    Args:
        body: (n, d) features of any length.
        reranked: (n, n) similarities to take as (a); a row is a query.

    Returns:
        (n, n) float32.

    Raises:
        ValueError: if `body` is not a matrix of finite numbers.
    """
    body = l2_normalize(body)
    similarity = cosine_similarity(_smooth(body))
    similarity += body @ body.T if reranked is None else reranked  # in place, since these matrices are the largest
    similarity /= 2
    return similarity


def _smooth(features: np.ndarray) -> np.ndarray:
    """Average unit rows over their nearest neighbours, themselves included, with softmax weights of the cosines."""
    n = len(features)
    indices, cosines, _ = nearest_neighbors(features, _SMOOTHING_NEIGHBORS)
    weights = np.exp(cosines - cosines.max(axis=1, initial=-1, keepdims=True))
    weights /= weights.sum(axis=1, keepdims=True)
    starts = np.arange(n + 1) * indices.shape[1]
    return sparse.csr_array((weights.ravel(), indices.ravel(), starts), shape=(n, n)) @ features
