"""Rank a movie's candidates for each cast member: by face first, then carried over to bodies.

The cascade of the seed system (WIDER Face & Person Challenge 2019, cast search by portrait), in three pieces:
`face_similarity` and `body_similarity` depend on the features alone, `cascade` takes them and the thresholds. All
sorting is stable: of equal scores, the candidate with the lower index comes first.
"""

import itertools
from collections.abc import Sequence

import numpy as np
from scipy import sparse

from castsearch.search import rerank

FACELESS = -2.0
"""Face similarity of a candidate without a face: below any cosine."""

_FEWEST_MATCHES = 5
_SMOOTHING_NEIGHBORS = 9
_VOTES = 3


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
        joined[:, start:stop] = rerank.l2_normalize(matrix)
    norms = np.linalg.norm(joined, axis=1, keepdims=True)
    joined /= np.where(norms > 0, norms, 1)  # in place: 18 networks make 80,000 numbers an image
    return joined


def cosine_similarity(features: np.ndarray) -> np.ndarray:
    """Cosines of every pair among (n, d) features of any length, (n, n) float32; 0 for a row of zeros."""
    features = rerank.l2_normalize(features)
    return features @ features.T


def face_similarity(
    face: np.ndarray,
    num_cast: int,
    has_face: np.ndarray,
    *,
    reranked: bool = False,
    method: str = "k_reciprocal",
    **parameters: float,
) -> np.ndarray:
    """Face similarity of cast members and candidates.

    Args:
        face: (num_cast + n, d) features of any length, cast first; whatever stands in for a missing face.
        num_cast: number of cast rows.
        has_face: (n,) bool, whether the candidate's face can be seen.
        reranked: take the similarity from re-ranked distances over cast and candidates, rather than the cosine.
        method: "k_reciprocal", for one less the distance; or "ecn", for expanded cross neighbourhoods, whose distances
            are Euclidean, so that the cosine of unit vectors at that distance is taken.
        parameters: of `rerank.k_reciprocal` or `rerank.expanded_cross_neighborhood`.

    Returns:
        (num_cast, n) float32; `FACELESS` where a candidate has no face.

    Raises:
        ValueError: if the shapes do not fit.
    """
    has_face = np.asarray(has_face, bool)
    if np.ndim(face) != 2 or has_face.shape != (len(face) - num_cast,):
        raise ValueError(f"face {np.shape(face)} and has_face {has_face.shape} do not fit {num_cast} cast members")
    if reranked and method == "ecn":
        unit = rerank.l2_normalize(face)
        similarity = _cosine_at(rerank.expanded_cross_neighborhood(unit, num_cast, **parameters))
    elif reranked:
        similarity = 1 - rerank.k_reciprocal_from_features(face, num_cast, **parameters)
    else:
        face = rerank.l2_normalize(face)
        similarity = face[:num_cast] @ face[num_cast:].T
    return np.where(has_face, similarity, np.float32(FACELESS))


def body_similarity(
    body: np.ndarray, *, reranked: bool = False, method: str = "k_reciprocal", **parameters: float
) -> np.ndarray:
    """Body similarity of every pair of candidates.

    The mean of (a) the cosine, or the re-ranked similarity of all candidates among themselves, and (b) the
    cosine of features smoothed over their 9 nearest neighbours. The seed system re-ranks with the undecided
    candidates present twice; here each is present once, so that the result does not depend on the face matches.

    Args:
        body: (n, d) features of any length.
        reranked: what (a) is.
        method: see `face_similarity`.
        parameters: see `face_similarity`.

    Returns:
        (n, n) float32. With re-ranking, the row is the query and the matrix is not symmetric.

    Raises:
        ValueError: if `body` is not a matrix.
    """
    if np.ndim(body) != 2:
        raise ValueError(f"body must be a matrix, not {np.shape(body)}")
    body = rerank.l2_normalize(body)
    if reranked and method == "ecn":
        direct = _cosine_at(rerank.expanded_cross_neighborhood_all(body, **parameters))
    elif reranked:
        direct = 1 - rerank.k_reciprocal_all(body, **parameters)
    else:
        direct = body @ body.T
    return (direct + cosine_similarity(_smooth(body))) / 2


def match_faces(
    face: np.ndarray, face_cosine: np.ndarray, has_face: np.ndarray, thresholds: Sequence[float]
) -> list[np.ndarray]:
    """List the candidates that each cast member is found in by face: steps 1 and 2 of `cascade`.

    Args:
        face: (num_cast, n) face similarities.
        face_cosine: (n, n) face cosines of the candidates.
        has_face: (n,) bool; a candidate without a face is never listed.
        thresholds: on face similarity, then on mean face cosine, in turn.

    Returns:
        Per cast member the int64 indices of its candidates, in the order in which they were found. A candidate may
        be on several lists.

    Raises:
        ValueError: if there is no threshold.
    """
    if len(thresholds) == 0:
        raise ValueError("at least one threshold is needed")
    lists = []
    for similarity in face:
        ordered = _best_first(similarity, has_face)
        listed = ordered[: max(_FEWEST_MATCHES, np.count_nonzero(similarity[ordered] > thresholds[0]))]
        for threshold in thresholds[1:] if len(listed) else ():
            mean = face_cosine[listed].mean(axis=0)
            joins = has_face & (mean > threshold)
            joins[listed] = False
            listed = np.concatenate([listed, _best_first(mean, joins)])
        lists.append(listed)
    return lists


def cascade(
    face: np.ndarray,
    face_cosine: np.ndarray,
    body: np.ndarray | None,
    body_cosine: np.ndarray | None,
    *,
    frames: Sequence[str],
    has_face: np.ndarray,
    thresholds: Sequence[float] = (0.5, 0.4, 0.3, 0.25),
) -> np.ndarray:
    """Rank every candidate for every cast member, from similarities.

    1. A cast member lists the candidates whose face similarity exceeds the first threshold, or the 5 most similar if
       there are fewer.
    2. For each further threshold, it appends those whose mean face cosine to its list exceeds it.
    3. Candidates that nobody listed are scored by their three highest body similarities to the list, averaged with
       softmax weights, and follow.
    4. Then whoever shares a frame with a listed candidate, in candidate order: nobody is twice in a frame.
    5. Then the candidates that others listed, by their highest body cosine to the list.

    Without bodies, or for an empty list, steps 3 and 5 go by face similarity.

    Args:
        face: (num_cast, n) face similarities.
        face_cosine: (n, n) face cosines of the candidates.
        body: (n, n) body similarities, a row for a listed candidate; None to go by faces alone.
        body_cosine: (n, n) body cosines of the candidates; None exactly when `body` is.
        frames: n names; candidates of one frame are different people.
        has_face: (n,) bool; a candidate without a face is never listed.
        thresholds: on face similarity, then on mean face cosine, in turn.

    Returns:
        (num_cast, n) int64, each row a permutation of the candidates, best first.

    Raises:
        ValueError: if the shapes do not fit, or there is no threshold.
    """
    num_cast, n = np.shape(face)
    has_face = np.asarray(has_face, bool)
    pairwise = [face_cosine] if body is None and body_cosine is None else [face_cosine, body, body_cosine]
    if any(np.shape(matrix) != (n, n) for matrix in pairwise) or len(frames) != n or has_face.shape != (n,):
        shapes = ", ".join(str(np.shape(matrix)) for matrix in pairwise)
        raise ValueError(f"{n} candidates do not fit {shapes}, {len(frames)} frames or has_face {has_face.shape}")
    lists = match_faces(face, face_cosine, has_face, thresholds)
    decided = np.zeros(n, bool)
    for listed in lists:
        decided[listed] = True
    _, frame_of = np.unique(np.asarray(frames, str), return_inverse=True)
    ranking = np.empty((num_cast, n), np.int64)
    for row, listed in enumerate(lists):
        in_frame = np.isin(frame_of, frame_of[listed])
        in_frame[listed] = False
        free = ~in_frame
        free[listed] = False
        by_face = body is None or len(listed) == 0
        ranking[row] = np.concatenate(
            [
                listed,
                _best_first(face[row] if by_face else _vote(body[listed]), free & ~decided),
                np.flatnonzero(in_frame),
                _best_first(face[row] if by_face else body_cosine[listed].max(axis=0), free & decided),
            ]
        )
    return ranking


def rank_candidates(
    face: np.ndarray,
    body: np.ndarray | None,
    frames: Sequence[str],
    has_face: np.ndarray,
    num_cast: int,
    *,
    thresholds: Sequence[float] = (0.5, 0.4, 0.3, 0.25),
    face_rerank: bool = False,
    body_rerank: bool = False,
) -> np.ndarray:
    """Rank every candidate for every cast member, from features.

    Args:
        face: (num_cast + n, d) face features of any length, cast first.
        body: (n, d') body features of any length; None to go by faces alone.
        frames: n names; candidates of one frame are different people.
        has_face: (n,) bool, whether the candidate's face can be seen.
        num_cast: number of cast rows in `face`.
        thresholds: see `cascade`.
        face_rerank: re-rank cast and candidates by k-reciprocal encoding of faces.
        body_rerank: re-rank candidates by k-reciprocal encoding of bodies.

    Returns:
        (num_cast, n) int64, each row a permutation of the candidates, best first.

    Raises:
        ValueError: if the shapes do not fit, or there is no threshold.
    """
    return cascade(
        face_similarity(face, num_cast, has_face, reranked=face_rerank),
        cosine_similarity(face[num_cast:]),
        None if body is None else body_similarity(body, reranked=body_rerank),
        None if body is None else cosine_similarity(body),
        frames=frames,
        has_face=has_face,
        thresholds=thresholds,
    )


def _cosine_at(distance: np.ndarray) -> np.ndarray:
    """Cosine of unit vectors at a Euclidean distance."""
    return 1 - np.square(distance) / 2


def _best_first(score: np.ndarray, chosen: np.ndarray) -> np.ndarray:
    """Indices where `chosen` holds, by falling score."""
    indices = np.flatnonzero(chosen)
    return indices[np.argsort(-score[indices], kind="stable")]


def _vote(similarity: np.ndarray) -> np.ndarray:
    """Softmax-weighted mean of each column's highest values."""
    votes = np.sort(similarity, axis=0)[-_VOTES:]
    weights = np.exp(votes - votes.max(axis=0))
    return (votes * weights).sum(axis=0) / weights.sum(axis=0)


def _smooth(features: np.ndarray) -> np.ndarray:
    """Average unit rows over their nearest neighbours, themselves included, with softmax weights of the cosines."""
    n = len(features)
    indices, cosines, _ = rerank.nearest_neighbors(features, _SMOOTHING_NEIGHBORS)
    weights = np.exp(cosines - cosines.max(axis=1, initial=-1, keepdims=True))
    weights /= weights.sum(axis=1, keepdims=True)
    starts = np.arange(n + 1) * indices.shape[1]
    return sparse.csr_array((weights.ravel(), indices.ravel(), starts), shape=(n, n)) @ features
