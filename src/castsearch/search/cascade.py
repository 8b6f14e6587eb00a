"""The cascade: rank a movie's candidates for each cast member by face first, then carry the ranking over to bodies.

This is how the reference system searches. All sorting is stable: of equal scores, the candidate with the lower index
comes first.
"""

from collections.abc import Sequence

import numpy as np

from castsearch.search.moments import Frames, presence
from castsearch.search.rerank import RERANKINGS
from castsearch.search.search_input import SearchInput
from castsearch.search.search_result import SearchResult
from castsearch.search.similarity import (
    best_portrait,
    body_similarity,
    cosine_similarity,
    face_similarity,
    without_faceless,
)

REFERENCE_THRESHOLDS = (0.5, 0.4, 0.3, 0.25)
"""Thresholds of the reference system, which fit ArcFace's features."""

_FEWEST_MATCHES = 5
_VOTES = 3


def match_faces(
    face: np.ndarray, face_cosine: np.ndarray, has_face: np.ndarray, thresholds: Sequence[float]
) -> list[np.ndarray]:
    """List the candidates that each cast member is found in by face: steps 1 and 2 of `rank`.

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


def rank(
    face: np.ndarray,
    face_cosine: np.ndarray,
    body: np.ndarray | None,
    body_cosine: np.ndarray | None,
    *,
    frames: Frames,
    has_face: np.ndarray,
    thresholds: Sequence[float] = REFERENCE_THRESHOLDS,
) -> np.ndarray:
    """Rank every candidate for every cast member, from similarities.

    1. A cast member lists the candidates whose face similarity exceeds the first threshold, or the 5 most similar if
       there are fewer.
    2. For each further threshold, it appends those whose mean face cosine to its list exceeds it.
    3. Candidates that nobody listed are scored by their three highest body similarities to the list, averaged with
       softmax weights, and follow.
    4. Then follow those who share a frame with a listed candidate, in candidate order: nobody is twice in a frame.
    5. Then the candidates that others listed, by their highest body cosine to the list.

    Without bodies, or for an empty list, steps 3 and 5 go by face similarity.

    Args:
        face: (num_cast, n) face similarities.
        face_cosine: (n, n) face cosines of the candidates.
        body: (n, n) body similarities, a row for a listed candidate; None to go by faces alone.
        body_cosine: (n, n) body cosines of the candidates; None exactly when `body` is.
        frames: of the n candidates, see `Frames`.
        has_face: (n,) bool; a candidate without a face is never listed.
        thresholds: on face similarity, then on mean face cosine, in turn.

    Returns:
        (num_cast, n) int64, each row a permutation of the candidates, best first.

    Raises:
        ValueError: if the shapes do not fit, or there is no threshold.
    """
    _, n = np.shape(face)
    has_face = np.asarray(has_face, bool)
    shapes = [np.shape(matrix) for matrix in (face_cosine, body, body_cosine) if matrix is not None]
    frames = presence(frames)
    if set(shapes) != {(n, n)} or len(shapes) == 2 or frames.shape[0] != n or has_face.shape != (n,):
        raise ValueError(f"{n} candidates do not fit {shapes}, {frames.shape[0]} frames or has_face {has_face.shape}")
    lists = match_faces(face, face_cosine, has_face, thresholds)
    if body is None or body_cosine is None:
        return _order(lists, [*face], [*face], frames)
    return _order(lists, _votes(lists, body, face), _closest(lists, body_cosine, face), frames)


def _order(
    lists: Sequence[np.ndarray], undecided: Sequence[np.ndarray], others: Sequence[np.ndarray], frames: Frames
) -> np.ndarray:
    """Steps 3 to 5 of `rank`, from each cast member's list and scores of those whom nobody or somebody else listed."""
    present = presence(frames)
    num_cast, n = len(lists), present.shape[0]
    decided = np.zeros(n, bool)
    for listed in lists:
        decided[listed] = True
    ranking = np.empty((num_cast, n), np.int64)
    for row, listed in enumerate(lists):
        moments = np.zeros(present.shape[1], bool)
        moments[present[listed].indices] = True
        in_frame = present @ moments
        in_frame[listed] = False
        free = ~in_frame
        free[listed] = False
        ranking[row] = np.concatenate(
            [
                listed,
                _best_first(undecided[row], free & ~decided),
                np.flatnonzero(in_frame),
                _best_first(others[row], free & decided),
            ]
        )
    return ranking


def rank_candidates(
    face: np.ndarray,
    body: np.ndarray | None,
    frames: Frames,
    has_face: np.ndarray,
    num_cast: int,
    *,
    thresholds: Sequence[float] = REFERENCE_THRESHOLDS,
    face_rerank: bool = False,
    body_rerank: bool = False,
) -> np.ndarray:
    """Rank every candidate for every cast member, from features.

    Args:
        face: (num_cast + n, d) face features of any length, cast first.
        body: (n, d') body features of any length; None to go by faces alone.
        frames: of the n candidates, see `Frames`.
        has_face: (n,) bool, whether the candidate's face can be seen.
        num_cast: number of cast rows in `face`.
        thresholds: see `rank`.
        face_rerank: re-rank cast and candidates by k-reciprocal encoding of faces.
        body_rerank: re-rank candidates by k-reciprocal encoding of bodies.

    Returns:
        (num_cast, n) int64, each row a permutation of the candidates, best first.

    Raises:
        ValueError: if the shapes do not fit, or there is no threshold.
    """
    queries, gallery = slice(num_cast), slice(num_cast, None)
    rerank = RERANKINGS["k_reciprocal"]
    similarity = rerank(face, queries, gallery) if face_rerank else face_similarity(face, num_cast)
    bodies = body_cosine = None
    if body is not None:
        bodies = body_similarity(body, rerank(body, slice(None), slice(None)) if body_rerank else None)
        body_cosine = cosine_similarity(body)
    return rank(
        without_faceless(similarity, has_face),
        cosine_similarity(face[gallery]),
        bodies,
        body_cosine,
        frames=frames,
        has_face=has_face,
        thresholds=thresholds,
    )


def search(given: SearchInput) -> SearchResult:
    """Rank every candidate for every cast member: `rank`, as a method of the search.

    A person of several portraits is searched by the best of them for each candidate.
    """
    face = without_faceless(best_portrait(given.face_similarity, given.person), given.has_face)
    # As `rank` does, but with one of its three large matrices after the other.
    lists = match_faces(face, cosine_similarity(given.face), given.has_face, given.thresholds)
    undecided = [*face]
    others = undecided
    if given.body is not None:
        others = _closest(lists, cosine_similarity(given.body), face)
        bodies = body_similarity(given.body) if given.body_similarity is None else given.body_similarity
        undecided = _votes(lists, bodies, face)
    ranking = _order(lists, undecided, others, given.frames)
    return SearchResult(ranking, given.person)


def _best_first(score: np.ndarray, chosen: np.ndarray) -> np.ndarray:
    """Indices where `chosen` holds, by falling score."""
    indices = np.flatnonzero(chosen)
    return indices[np.argsort(-score[indices], kind="stable")]


def _votes(lists: Sequence[np.ndarray], body: np.ndarray, face: np.ndarray) -> list[np.ndarray]:
    """Each cast member's scores by body; by face where nobody is listed."""
    return [_vote(body[listed]) if len(listed) else face[row] for row, listed in enumerate(lists)]


def _closest(lists: Sequence[np.ndarray], body_cosine: np.ndarray, face: np.ndarray) -> list[np.ndarray]:
    """Each cast member's highest body cosines to the list; face similarities where nobody is listed."""
    return [body_cosine[listed].max(axis=0) if len(listed) else face[row] for row, listed in enumerate(lists)]


def _vote(similarity: np.ndarray) -> np.ndarray:
    """Softmax-weighted mean of each column's highest values."""
    votes = np.sort(np.partition(similarity, range(-min(_VOTES, len(similarity)), 0), axis=0)[-_VOTES:], axis=0)
    weights = np.exp(votes - votes.max(axis=0))
    return (votes * weights).sum(axis=0) / weights.sum(axis=0)
