"""Link candidates who probably are one person, by face and by body: a sparse graph.

There is no threshold to set: similarities are measured in standard deviations above the mean of what different people
reach, whatever network they come from. Who are different people, the movie tells: those of one frame, a candidate and
all portraits but the one that it resembles most, and, for bodies, those whose faces differ. In a film, bodies of two
shots are compared with strangers of two shots, as those of one shot have its light and background in common.
"""

from collections.abc import Iterator

import numpy as np
from scipy import sparse
from scipy.special import expit

from castsearch.search.moments import Frames, moments_of, presence, seen_together
from castsearch.search.neighbors import BLOCK_ROWS, blocks, kept_neighbors, l2_normalize
from castsearch.search.search_input import Clothes
from castsearch.search.strangers import (
    FEWEST_CERTAIN,
    Impostors,
    impostors,
    lower_half,
    pairs_of,
    sample,
)

# As real sets choose them, see `docs/tried.md`; `bench/held_out.py` tries others.
EVEN_FACE = 3.5  # standard deviations above strangers from which on two faces are rather one person's …
EVEN_BODY = 2.0  # … and two bodies
STEEPNESS = 3.0  # log odds of one person that a standard deviation adds
_NEIGHBORS = 10  # links of a candidate by face, and as many by body
_LOOKED_AT = 3 * _NEIGHBORS + 1  # nearest images, itself among them, of which the most probable ones are linked
_ENOUGH_BODIES = 100  # bodies of which the mean is taken away by half
_MOST_BY_FACE = 3.0  # log odds by which two seen faces change what bodies say, at most
_LEAST_DEVIATION = 0.01  # of strangers, by which bodies and colours are made comparable; less may be a grey film's
_DIFFERENT_FACE = 1.0  # two faces less than this above strangers are different people's


def link(
    certain: np.ndarray,
    face: np.ndarray,
    body: np.ndarray | None,
    *,
    frames: Frames,
    has_face: np.ndarray,
    even_face: float | None = None,
    even_body: float | None = None,
    clothes: Clothes | None = None,
) -> sparse.csr_array:
    """Link candidates by face and by body as far as two probably show one person.

    Args:
        certain: (k,) face similarities of portraits and of candidates who are certainly others, see
            `strangers.certain_strangers`; they tell what strangers reach.
        face: (n, d) face features.
        body: (n, d') body features; None to go by faces alone.
        frames: of the n candidates, see `Frames`.
        has_face: (n,) bool, whether the candidate's face can be seen.
        even_face: standard deviations above strangers from which on two faces are rather one person's; None for
            `EVEN_FACE`.
        even_body: the same of two bodies; None for `EVEN_BODY`.
        clothes: of the n candidates, beside `body`; None where they are not known.

    Returns:
        (n, n) symmetric links; two that are alike by both have the sum of two probabilities.
    """
    n = len(face)
    even_face = EVEN_FACE if even_face is None else even_face
    even_body = EVEN_BODY if even_body is None else even_body
    seen = np.flatnonzero(has_face)
    present = presence(frames)
    unit = l2_normalize(face)
    together = seen_together(present[seen], seen)
    within = np.concatenate([np.empty(0, np.float32), *(pairs_of(unit[rows]) for rows in together)])
    some = seen[sample(len(seen))]
    apart = impostors(pairs_of(unit[some]), np.concatenate([within, certain]))
    alike = face_links(unit[seen], present[seen], apart, even_face).tocoo()
    graph = sparse.csr_array((alike.data, (seen[alike.row], seen[alike.col])), shape=(n, n))
    if body is not None:
        graph = graph + body_links(
            centred(body),
            unit,
            has_face,
            present,
            apart,
            even_face=even_face,
            even_body=even_body,
            clothes=clothes,
        )
    return graph


def face_links(face: np.ndarray, frames: Frames, apart: Impostors, even_face: float) -> sparse.csr_array:
    """Link every face with its nearest ones.

    Args:
        face: (n, d) rows of unit length.
        frames: of the n candidates, see `Frames`.
        apart: what strangers reach.
        even_face: see `link`.

    Returns:
        (n, n) symmetric float32 probabilities of one person; see `nearest_links`.
    """
    indices, cosines, _ = kept_neighbors(face, _LOOKED_AT)
    return nearest_links(indices, log_odds(cosines, apart, even_face), frames)


def body_links(
    body: np.ndarray,
    face: np.ndarray,
    has_face: np.ndarray,
    frames: Frames,
    apart: Impostors,
    *,
    even_face: float,
    even_body: float,
    clothes: Clothes | None = None,
) -> sparse.csr_array:
    """Link every body with its nearest ones; where two faces are seen, they have a say.

    Strangers are those of one frame and those whose faces differ, so that a movie in which clothes mislead teaches it.
    Where shots are known, those of one shot are told from those of two.

    Args:
        body: (n, d') rows of unit length.
        face: (n, d) rows of unit length.
        has_face: (n,) bool.
        frames: of the n candidates, see `Frames`.
        apart: what strangers reach by face.
        even_face: see `link`.
        even_body: see `link`.
        clothes: of the n candidates, or None.

    Returns:
        (n, n) symmetric float32 probabilities of one person; see `nearest_links`.
    """
    some = sample(len(body))
    by_face = apart.deviations(face[some] @ face[some].T)
    differ = has_face[some][:, None] & has_face[some] & (by_face < _DIFFERENT_FACE)
    present = presence(frames)[some]
    differ |= (present @ present.T).toarray()
    pairs = np.triu_indices(len(some), 1)
    certain = differ[pairs]
    if clothes is not None:
        body = _dressed(body, clothes.colours, some, certain)
    similarity = pairs_of(body[some])
    indices, cosines, _ = kept_neighbors(body, _LOOKED_AT)
    if clothes is None:
        odds = log_odds(cosines, _bodies_apart(similarity, certain), even_body)
    else:
        shots = clothes.shots
        one_shot = (shots[some][:, None] == shots[some])[pairs]
        odds = np.where(
            shots[indices] == shots[:, None],
            log_odds(cosines, _bodies_apart(similarity, certain, one_shot), even_body),
            log_odds(cosines, _bodies_apart(similarity, certain, ~one_shot), even_body),
        )
    for place in range(indices.shape[1]):  # one after the other, since all faces of all neighbours are large
        neighbor = indices[:, place]
        cosine = np.einsum("ij,ij->i", face, face[neighbor])
        said = np.clip(log_odds(cosine, apart, even_face), -_MOST_BY_FACE, _MOST_BY_FACE)
        odds[:, place] += np.where(has_face & has_face[neighbor], said, 0)
    return nearest_links(indices, odds, frames)


def _bodies_apart(similarity: np.ndarray, certain: np.ndarray, like: np.ndarray | None = None) -> Impostors:
    """Estimate what the bodies of different people reach.

    Args:
        similarity: (pairs,) of bodies.
        certain: (pairs,) bool, who are certainly different people.
        like: (pairs,) bool, of which pairs it is wanted, if enough are certain; None for all.
    """
    for chosen in (certain,) if like is None else (certain & like, certain):
        own = similarity[chosen]
        if len(own) >= FEWEST_CERTAIN:
            # Not through quantiles: head shots resemble head shots, so strangers reach high more often than normal.
            return Impostors(float(own.mean()), float(own.std()))
    return lower_half(similarity)


def _dressed(body: np.ndarray, colours: np.ndarray, some: np.ndarray, certain: np.ndarray) -> np.ndarray:
    """Join features of bodies and colours, so that strangers vary as much by one as by the other.

    Args:
        body: (n, d) rows of unit length.
        colours: (n, d') of any length.
        some: numbers of those whose pairs are looked at.
        certain: (pairs,) bool, which of these are certainly different people.

    Returns:
        (n, d + d') rows of unit length.
    """
    parts = []
    for unit in (body, l2_normalize(colours)):
        deviation = _bodies_apart(pairs_of(unit[some]), certain).deviation
        parts.append(unit / np.sqrt(np.float32(max(deviation, _LEAST_DEVIATION))))
    return l2_normalize(np.concatenate(parts, axis=1))


def centred(body: np.ndarray) -> np.ndarray:
    """Take away what the bodies of a movie have in common, such as its light, as far as there are enough to tell.

    Args:
        body: (n, d) features of any length.

    Returns:
        (n, d) rows of unit length.
    """
    unit = l2_normalize(body)
    return l2_normalize(unit - unit.sum(axis=0) / np.float32(len(unit) + _ENOUGH_BODIES))


def log_odds(similarity: np.ndarray, apart: Impostors, even: float) -> np.ndarray:
    """Log odds that two images show one person.

    One logistic curve of the standard deviations above strangers describes the real sets of `docs/search-methods.md`
    with all engines.

    Args:
        similarity: values of any shape.
        apart: what strangers reach.
        even: standard deviations above a stranger's mean at which one person is as likely as two.
    """
    return STEEPNESS * (apart.deviations(similarity) - even)


def nearest_links(indices: np.ndarray, odds: np.ndarray, frames: Frames) -> sparse.csr_array:
    """Link every image with those that most probably show the same person.

    People of one frame are not linked. As one person is in a frame once, two images are linked only if each is the
    other's best in its frame.

    Args:
        indices: (n, k) neighbours.
        odds: (n, k) log odds that they show the same person.
        frames: of the n candidates, see `Frames`.

    Returns:
        (n, n) symmetric float32 probabilities of one person, at least those of an image's `_NEIGHBORS` best.
    """
    n = len(indices)
    order = np.argsort(-odds, axis=1, kind="stable")
    indices, odds = (np.take_along_axis(values, order, axis=1) for values in (indices, odds))
    strength = np.where(_best_of_each_other(indices, presence(frames)), expit(odds), 0).astype(np.float32)
    strength[np.cumsum(strength > 0, axis=1) > _NEIGHBORS] = 0
    rows = np.repeat(np.arange(n), indices.shape[1])
    graph = sparse.csr_array((strength.ravel(), (rows, indices.ravel())), shape=(n, n))
    graph.eliminate_zeros()
    return graph.maximum(graph.T).tocsr()


def _best_of_each_other(indices: np.ndarray, present: sparse.csr_array) -> np.ndarray:
    """Whether two candidates, who are never seen together, are each the best neighbour of the other at their moments.

    Args:
        indices: (n, k) neighbours of each, best first.
        present: of the n candidates, see `presence`.

    Returns:
        (n, k) bool.
    """
    n, k = indices.shape
    apart = np.empty(n * k, bool)
    tables = [(np.array([-1]), np.array([-1]))]  # comes before all keys
    for block, rows, columns in _pairs(indices):
        apart[block] = ~_share_a_moment(rows, columns, present)
        tables.append(_best_at_moments(rows[apart[block]], columns[apart[block]], present))
    keys, best = (np.concatenate(parts) for parts in zip(*tables, strict=True))
    for block, rows, columns in _pairs(indices):
        apart[block] &= ~_beaten(rows, columns, present, keys, best)
        apart[block] &= ~_beaten(columns, rows, present, keys, best)
    return apart.reshape(n, k)


def _pairs(indices: np.ndarray) -> Iterator[tuple[slice, np.ndarray, np.ndarray]]:
    """The pairs of (n, k) neighbours, some rows at a time: their places in `indices.ravel()`, rows and neighbours."""
    n, k = indices.shape
    for block in blocks(n, BLOCK_ROWS):
        yield slice(k * block.start, k * block.stop), np.repeat(np.arange(n)[block], k), indices[block].ravel()


def _share_a_moment(rows: np.ndarray, columns: np.ndarray, present: sparse.csr_array) -> np.ndarray:
    """(pairs,) bool, whether the two of each pair have a moment in common."""
    return present[rows].multiply(present[columns]).sum(axis=1) > 0


def _best_at_moments(rows: np.ndarray, columns: np.ndarray, present: sparse.csr_array) -> tuple[np.ndarray, np.ndarray]:
    """Find the first neighbour of each row, of those that are seen at a moment, for every moment.

    Returns:
        Keys in rising order, each the row times the number of moments plus the moment; and who is first there.
    """
    place, moment = moments_of(columns, present)
    keys, first = np.unique(rows[place] * present.shape[1] + moment, return_index=True)
    return keys, columns[place[first]]


def _beaten(
    rows: np.ndarray, columns: np.ndarray, present: sparse.csr_array, keys: np.ndarray, best: np.ndarray
) -> np.ndarray:
    """(pairs,) bool, whether at some moment of its column a row has a better neighbour; see `_best_at_moments`."""
    place, moment = moments_of(columns, present)
    wanted = rows[place].astype(np.int64) * present.shape[1] + moment
    at = np.searchsorted(keys, wanted, side="right") - 1
    beaten = np.zeros(len(rows), bool)
    beaten[place[(keys[at] == wanted) & (best[at] != columns[place])]] = True
    return beaten
