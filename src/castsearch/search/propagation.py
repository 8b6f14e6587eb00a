"""Carry the cast's labels over a graph of candidates.

Huang, Liu and Lin, "Person Search in Videos with One Portrait Through Visual and Temporal Links", ECCV 2018:
progressive propagation through competitive consensus (PPCC), and the linear label propagation it is compared with
(Zhu and Ghahramani, 2002).

Of equally confident nodes the one with the lower index is frozen first.
"""

from collections.abc import Sequence

import numpy as np

from castsearch.search.search_input import SearchInput
from castsearch.search.search_result import SearchResult
from castsearch.search.similarity import best_portrait, body_similarity, cosine_similarity

_NEGLIGIBLE = 1e-3  # weaker labels of frozen nodes are not passed on
_TEMPERATURE = 0.1  # of the search; `docs/search-methods.md` compares it with the published 0.03


def competitive_consensus(
    affinity: np.ndarray,
    num_cast: int,
    steps: int = 5,
    init_fraction: float = 0.5,
    temperature: float = 0.03,
) -> np.ndarray:
    """Propagate labels by competitive consensus (PPCC).

    In each step a node's score for a cast member is its strongest link, affinity times label, to a node that holds
    that label; the scores compete in a softmax. Then the most confident nodes freeze: their labels stay and they
    alone pass theirs on. Their share of all nodes grows linearly from `init_fraction` in the first step to 1 in the
    last.

    Args:
        affinity: (n, n) links, cast first. 0 is no link; a negative link repels (two people of one frame).
        num_cast: number of cast rows.
        steps: number of steps, at least 1.
        init_fraction: share of all nodes frozen in the first step, 0 to 1.
        temperature: of the softmax; the lower, the harder the competition.

    Returns:
        (num_cast, n - num_cast) float64 scores: the final label plus the affinity to the cast member itself.

    Raises:
        ValueError: if the matrix is not square, or a parameter is out of its range.
    """
    affinity, labels = _start(affinity, num_cast, steps)
    if not 0 <= init_fraction <= 1 or temperature <= 0:
        raise ValueError(f"init_fraction must be in 0..1 and temperature above 0: {init_fraction}, {temperature}")
    n = len(affinity)
    result = affinity @ labels
    frozen = np.zeros(n, bool)
    for step in range(steps):
        fraction = init_fraction + step * ((1 - init_fraction) / max(1, steps - 1))
        scores = np.zeros_like(labels)
        for cast in range(num_cast):
            holders = np.flatnonzero(labels[:, cast])
            if len(holders):
                scores[:, cast] = (affinity[:, holders] * labels[holders, cast]).max(axis=1)
        scores = np.where(frozen[:, None], labels, _softmax(scores / temperature))
        confident = np.argsort(-scores.max(axis=1, initial=0), kind="stable")
        frozen[confident[: n - int(n * (1 - fraction))]] = True
        labels = np.where(frozen[:, None] & (scores >= _NEGLIGIBLE), scores, 0)
    return (result + scores).T[:, num_cast:]


def label_propagation(affinity: np.ndarray, num_cast: int, steps: int = 50) -> np.ndarray:
    """Propagate labels by linear diffusion: each node takes the mean label of all, weighted by softmax of affinity.

    Args:
        affinity: (n, n) links, cast first.
        num_cast: number of cast rows.
        steps: number of steps, at least 1.

    Returns:
        (num_cast, n - num_cast) float64 scores.

    Raises:
        ValueError: if the matrix is not square, or a parameter is out of its range.
    """
    affinity, labels = _start(affinity, num_cast, steps)
    transition = _softmax(affinity)
    for _ in range(steps):
        labels = transition @ labels
    return labels.T[:, num_cast:]


def link_movie(
    face: np.ndarray,
    face_cosine: np.ndarray,
    body: np.ndarray | None,
    *,
    frames: Sequence[str],
    has_face: np.ndarray,
) -> np.ndarray:
    """Affinities of a movie's cast and candidates.

    A portrait is linked to candidates with a face by face similarity, two candidates by the mean of face cosine and
    body similarity, or by the body alone where one of them has no face. Two candidates of one frame repel each other.

    Args:
        face: (num_cast, n) face similarities.
        face_cosine: (n, n) face cosines of the candidates.
        body: (n, n) body similarities; None to link candidates by faces alone.
        frames: n names; candidates of one frame are different people.
        has_face: (n,) bool, whether the candidate's face can be seen.

    Returns:
        (num_cast + n, num_cast + n) affinities, cast first.

    Raises:
        ValueError: if the shapes do not fit.
    """
    num_cast, n = np.shape(face)
    has_face = np.asarray(has_face, bool)
    pairwise = [face_cosine] if body is None else [face_cosine, body]
    if any(np.shape(matrix) != (n, n) for matrix in pairwise) or len(frames) != n or has_face.shape != (n,):
        raise ValueError(f"{n} candidates do not fit the matrices, {len(frames)} frames or has_face {has_face.shape}")
    both = has_face[:, None] & has_face
    if body is None:
        link = np.where(both, face_cosine, 0)
    else:
        body = (body + body.T) / 2
        link = np.where(both, (face_cosine + body) / 2, body)
    _, frame = np.unique(np.asarray(frames, str), return_inverse=True)
    link = np.where(frame[:, None] == frame, -1, link)
    affinity = np.eye(num_cast + n)
    affinity[num_cast:, num_cast:][~np.eye(n, dtype=bool)] = link[~np.eye(n, dtype=bool)]
    affinity[:num_cast, num_cast:] = np.where(has_face, face, 0)
    affinity[num_cast:, :num_cast] = affinity[:num_cast, num_cast:].T
    return affinity


def rank(affinity: np.ndarray, num_cast: int) -> tuple[np.ndarray, np.ndarray]:
    """Rank every candidate for every cast member by competitive consensus.

    A lone cast member has nobody to compete with, so that all that is left is the affinity to the portrait.

    Args:
        affinity: (num_cast + n, num_cast + n) links, cast first; see `link_movie`.
        num_cast: number of cast rows.

    Returns:
        (num_cast, n) int64, each row a permutation of the candidates, best first; and their (num_cast, n) scores.
    """
    scores = competitive_consensus(affinity, num_cast, temperature=_TEMPERATURE)
    return np.argsort(-scores, axis=1, kind="stable"), scores


def search(given: SearchInput) -> SearchResult:
    """Rank every candidate for every cast member: `link_movie` and `rank`, as a method of the search.

    A person of several portraits is one node, linked to each candidate by the best of them.
    """
    bodies = given.body_similarity
    if bodies is None and given.body is not None:
        bodies = body_similarity(given.body)
    similarity = best_portrait(given.face_similarity, given.person)
    affinity = link_movie(
        similarity, cosine_similarity(given.face), bodies, frames=given.frames, has_face=given.has_face
    )
    order, scores = rank(affinity, len(similarity))
    return SearchResult(order[given.person], given.person, scores[given.person].astype(np.float32))


def _start(affinity: np.ndarray, num_cast: int, steps: int) -> tuple[np.ndarray, np.ndarray]:
    affinity = np.asarray(affinity, np.float64)
    n = len(affinity)
    if affinity.shape != (n, n):
        raise ValueError(f"affinity must be a square matrix, not {affinity.shape}")
    if not 0 <= num_cast <= n or steps < 1:
        raise ValueError(f"num_cast must be between 0 and {n} and steps at least 1: {num_cast}, {steps}")
    return affinity, np.eye(n, num_cast)


def _softmax(values: np.ndarray) -> np.ndarray:
    weights = np.exp(values - values.max(axis=1, initial=-np.inf, keepdims=True))
    return weights / weights.sum(axis=1, keepdims=True)
