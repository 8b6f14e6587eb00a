"""Carry the cast's labels over a graph of candidates.

Huang, Liu and Lin, "Person Search in Videos with One Portrait Through Visual and Temporal Links", ECCV 2018:
progressive propagation through competitive consensus (PPCC), and the linear label propagation it is compared with
(Zhu and Ghahramani, 2002).

Of equally confident nodes the one with the lower index is frozen first.
"""

import numpy as np

from castsearch.search.moments import Frames, presence
from castsearch.search.neighbors import BLOCK_ROWS, blocks, l2_normalize
from castsearch.search.search_input import SearchInput
from castsearch.search.search_result import SearchResult
from castsearch.search.similarity import best_portrait, body_similarity

_NEGLIGIBLE = 1e-3  # weaker labels of frozen nodes are not passed on
_CACHED_ROWS = 16  # of 20,000 links each stay in the processor's cache
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
        affinity: (n, n) links, cast first. 0 is no link; a negative link repels (two people of one frame). No other
            matrix of this size is made.
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
    result = np.asarray(affinity[:, :num_cast], np.float64)
    frozen = np.zeros(n, bool)
    for step in range(steps):
        fraction = init_fraction + step * ((1 - init_fraction) / max(1, steps - 1))
        scores = _strongest(affinity, labels)
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
    transition = _softmax(affinity.astype(np.float64))
    for _ in range(steps):
        labels = transition @ labels
    return labels.T[:, num_cast:]


def link_movie(
    face: np.ndarray,
    face_cosine: np.ndarray,
    body: np.ndarray | None,
    *,
    frames: Frames,
    has_face: np.ndarray,
) -> np.ndarray:
    """Affinities of a movie's cast and candidates.

    A portrait is linked to candidates with a face by face similarity, two candidates by the mean of face cosine and
    body similarity, or by the body alone where one of them has no face. Two candidates of one frame repel each other.

    Args:
        face: (num_cast, n) face similarities.
        face_cosine: (n, n) face cosines of the candidates.
        body: (n, n) body similarities; None to link candidates by faces alone.
        frames: of the n candidates, see `Frames`.
        has_face: (n,) bool, whether the candidate's face can be seen.

    Returns:
        (num_cast + n, num_cast + n) affinities, cast first.

    Raises:
        ValueError: if the shapes do not fit.
    """
    num_cast, n = np.shape(face)
    has_face = np.asarray(has_face, bool)
    frames = presence(frames)
    pairwise = [face_cosine] if body is None else [face_cosine, body]
    if any(np.shape(matrix) != (n, n) for matrix in pairwise) or frames.shape[0] != n or has_face.shape != (n,):
        raise ValueError(f"{n} candidates do not fit the matrices, the {frames.shape[0]} frames or has_face")
    affinity = np.empty((num_cast + n, num_cast + n), np.result_type(face, *pairwise))
    affinity[num_cast:, num_cast:] = face_cosine
    _link(affinity, face, body, frames, has_face)
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
    # As `link_movie` does, but with the cosines of faces where the links will be: beside the bodies' similarities, this
    # is the one large matrix.
    size = len(similarity) + len(given.face)
    affinity = np.empty((size, size), np.float32)
    unit = l2_normalize(given.face)
    np.matmul(unit, unit.T, out=affinity[len(similarity) :, len(similarity) :])
    _link(affinity, similarity, bodies, given.frames, given.has_face)
    del bodies
    order, scores = rank(affinity, len(similarity))
    return SearchResult(order, given.person, scores.astype(np.float32))


def _link(
    affinity: np.ndarray, face: np.ndarray, body: np.ndarray | None, frames: Frames, has_face: np.ndarray
) -> None:
    """Turn the face cosines of candidates into links in place, and put the cast's before them; see `link_movie`."""
    num_cast, n = face.shape
    present = presence(frames)
    links = affinity[num_cast:, num_cast:]
    for rows in blocks(n, BLOCK_ROWS):
        both, link = has_face[rows, None] & has_face, links[rows]
        if body is None:
            link = np.where(both, link, 0)
        else:
            bodies = (body[rows] + body[:, rows].T) / 2
            link = np.where(both, (link + bodies) / 2, bodies)
        link[(present[rows] @ present.T).nonzero()] = -1
        links[rows] = link
    np.fill_diagonal(affinity, 1)
    affinity[:num_cast, :num_cast] = np.eye(num_cast)
    affinity[:num_cast, num_cast:] = np.where(has_face, face, 0)
    affinity[num_cast:, :num_cast] = affinity[:num_cast, num_cast:].T


def _strongest(affinity: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """Scores (n, num_cast): each node's strongest link, times label, to a node that holds a cast member's label."""
    scores = np.zeros_like(labels)
    holders = [np.flatnonzero(held) for held in labels.T]
    for rows in blocks(len(affinity), _CACHED_ROWS):
        links = affinity[rows].astype(np.float64)
        for cast, held in enumerate(holders):
            if len(held):
                scores[rows, cast] = (links[:, held] * labels[held, cast]).max(axis=1)
    return scores


def _start(affinity: np.ndarray, num_cast: int, steps: int) -> tuple[np.ndarray, np.ndarray]:
    affinity = np.asarray(affinity)
    n = len(affinity)
    if affinity.shape != (n, n):
        raise ValueError(f"affinity must be a square matrix, not {affinity.shape}")
    if not 0 <= num_cast <= n or steps < 1:
        raise ValueError(f"num_cast must be between 0 and {n} and steps at least 1: {num_cast}, {steps}")
    return affinity, np.eye(n, num_cast)


def _softmax(values: np.ndarray) -> np.ndarray:
    weights = np.exp(values - values.max(axis=1, initial=-np.inf, keepdims=True))
    return weights / weights.sum(axis=1, keepdims=True)
