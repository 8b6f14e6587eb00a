"""Let the cast's labels diffuse over a sparse graph of candidates who look alike, by face or by body.

Label spreading: Zhou, Bousquet, Lal, Weston and Schölkopf, "Learning with Local and Global Consistency", NIPS 2003;
with links measured against what strangers reach, a label for strangers, and one place per person and frame.

There is no threshold to set: most pairs of candidates are different people, so that the lower half of the
similarities, whatever network they come from, tells what a stranger reaches. It is the half of those that people of one
frame reach, who are certainly strangers, since otherwise one person may be most of a movie. Memory grows with the
number of candidates times that of the cast, so that all movies of a split can be searched at once.
"""

from collections.abc import Sequence

import numpy as np
from scipy import sparse
from scipy.optimize import linear_sum_assignment
from scipy.sparse.csgraph import connected_components

from castsearch.search.neighbors import l2_normalize, nearest_neighbors
from castsearch.search.rerank import jaccard_similarity
from castsearch.search.search_input import SearchInput

_NEIGHBORS = 10  # links of a candidate by face, and as many by body
_LINK_SPREAD = 1  # a link counts from so many standard deviations above a stranger's similarity …
_PORTRAIT_SPREAD = 2  # … and one to a portrait, with which all begins, from so many
_PERSON_SPREAD = 5  # two portraits of different movies show one person from so many
_PASSED_ON = 0.8  # share of a score that comes from the neighbours
_STEPS = 30  # 0.8 ** 30 is 0.1 %
_ELSEWHERE_IN_FRAME = 0.1  # what is left of a score when somebody else in the frame is that person
_BLOCK_ROWS = 2000  # candidates whose neighbours' neighbours are looked at together
_SAMPLE = 1000  # rows whose similarities tell what strangers reach
_FEWEST_CERTAIN = 10  # so many similarities of certain strangers tell what strangers reach at most …
_CERTAIN_SHARE = 0.97  # … but for the highest of them, since a face may be a neighbour's


def link_strength(similarity: np.ndarray, among: np.ndarray, spread: float) -> np.ndarray:
    """How far similarities exceed what strangers reach, squared: 0 for a stranger's, 1 at similarity 1.

    Args:
        similarity: values of any shape.
        among: similarities of which at least half are between different people; see `strangers`.
        spread: standard deviations above a stranger's mean from which on a similarity counts. Both are those of the
            normal distribution through the 10 % and 40 % quantiles, which similarities of one person do not reach.

    Returns:
        float32 of the shape of `similarity`.
    """
    if among.size == 0:
        return np.zeros(np.shape(similarity), np.float32)
    low, high = np.quantile(among, [0.1, 0.4])
    deviation = (high - low) / 1.0282  # the distance of these quantiles of the standard normal distribution
    stranger = high + (0.2533 + spread) * deviation
    return np.square(np.maximum(similarity - stranger, 0) / max(1 - stranger, 1e-6)).astype(np.float32)


def strangers(among: np.ndarray, certain: np.ndarray) -> np.ndarray:
    """Leave out of similarities what different people do not reach.

    Args:
        among: (m,) similarities of any pairs.
        certain: (k,) similarities of pairs that are certainly different people, as those within a frame are.

    Returns:
        Those of `among` that certain strangers reach; all, where too few strangers are certain.
    """
    return among if len(certain) < _FEWEST_CERTAIN else among[among <= np.quantile(certain, _CERTAIN_SHARE)]


def links(features: np.ndarray, frames: np.ndarray) -> sparse.csr_array:
    """Link every image with its nearest ones, except with those of its frame, who are other people.

    Args:
        features: (n, d) of any length.
        frames: (n,) numbers.

    Returns:
        (n, n) symmetric float32 sparse `link_strength` of cosines.
    """
    n = len(features)
    unit = l2_normalize(features)
    # Those of its frame are dropped later; a few more keep their places filled.
    indices, cosines, _ = nearest_neighbors(unit, _NEIGHBORS + 4)
    sample = np.arange(0, n, max(1, n // _SAMPLE))
    within = [_pairs(unit[together]) for together in _companies(frames)]
    strength = link_strength(cosines, strangers(_pairs(unit[sample]), _joined(within)), _LINK_SPREAD)
    strength[frames[indices] == frames[:, None]] = 0
    strength[np.cumsum(strength > 0, axis=1) > _NEIGHBORS] = 0
    starts = np.arange(n + 1) * indices.shape[1]
    graph = sparse.csr_array((strength.ravel(), indices.ravel(), starts), shape=(n, n))
    graph.eliminate_zeros()
    return graph.maximum(graph.T).tocsr()


def joint_neighborhoods(graph: sparse.csr_array) -> sparse.csr_array:
    """Weigh each link by how many neighbours the two have in common, by whichever links they are neighbours.

    Args:
        graph: (n, n) symmetric links, those by face and by body together.

    Returns:
        (n, n) links times the Jaccard similarity of the two rows, in which each is its own neighbour, too.
    """
    n = graph.shape[0]
    if graph.nnz == 0:
        return graph
    rows = (graph + sparse.diags_array(graph.max(axis=1).toarray())).tocsr()
    total = rows.sum(axis=1)
    weights = (sparse.diags_array(np.divide(1, total, where=total > 0, out=np.zeros_like(total))) @ rows).tocsr()
    inverted = weights.T.tocsr()
    blocks = [slice(start, start + _BLOCK_ROWS) for start in range(0, n, _BLOCK_ROWS)]
    shared = [graph[block].multiply(jaccard_similarity(weights[block], inverted)) for block in blocks]
    return sparse.vstack(shared, format="csr")


def people(portraits: np.ndarray, movies: np.ndarray, face: np.ndarray) -> np.ndarray:
    """Number the people that portraits show: an actor may have one in each of several movies.

    Args:
        portraits: (c, d) face features of any length.
        movies: (c,) numbers; the cast of one movie are different people.
        face: (n, d) face features of candidates, among whom most are different people.

    Returns:
        (c,) int64 numbers from 0 on, equal for portraits of one person.
    """
    unit, portraits = l2_normalize(face[:: max(1, len(face) // _SAMPLE)]), l2_normalize(portraits)
    same = link_strength(portraits @ portraits.T, _pairs(unit), _PERSON_SPREAD) > 0
    same[movies[:, None] == movies] = False
    return connected_components(sparse.csr_array(same), directed=False)[1].astype(np.int64)


def spread(seeds: np.ndarray, graph: sparse.csr_array) -> np.ndarray:
    """Spread labels over a graph, each step a mixture of the seeds and of what the neighbours have.

    Args:
        seeds: (labels, n) weights.
        graph: (n, n) symmetric links.

    Returns:
        (labels, n) float32 scores.
    """
    seeds = np.asarray(seeds, np.float32)
    degree = np.asarray(graph.sum(axis=1), np.float32)
    scale = np.divide(1, np.sqrt(degree), where=degree > 0, out=np.zeros_like(degree))
    step = (sparse.diags_array(scale) @ graph @ sparse.diags_array(scale)).tocsr() * np.float32(_PASSED_ON)
    scores = seeds.T.copy()
    for _ in range(_STEPS):
        scores = step @ scores + (1 - _PASSED_ON) * seeds.T
    return scores.T


def settle_frames(scores: np.ndarray, frames: np.ndarray) -> np.ndarray:
    """Lower a cast member's scores in a frame where it has a place already.

    Places are given so that the sum of a frame's scores is largest (an assignment problem).

    Args:
        scores: (num_cast, n), not negative.
        frames: (n,) numbers.

    Returns:
        (num_cast, n) of the type of `scores`.
    """
    settled = scores.copy()
    for together in _companies(frames):
        cast, place = linear_sum_assignment(scores[:, together], maximize=True)
        left = np.full((len(cast), len(together)), _ELSEWHERE_IN_FRAME, scores.dtype)
        left[np.arange(len(cast)), place] = 1
        settled[np.ix_(cast, together)] *= left
    return settled


def rank(
    face_similarity: np.ndarray,
    face: np.ndarray,
    body: np.ndarray | None,
    *,
    frames: Sequence[str],
    has_face: np.ndarray,
    person: np.ndarray | None = None,
) -> np.ndarray:
    """Rank every candidate for every cast member.

    1. A candidate with a face starts with the strength of its links to the portraits. As far as its best one falls
       short of a typical best one, it starts with the label of strangers.
    2. Labels spread over each candidate's nearest others by face and by body, never within a frame; the more their
       neighbours are the same, the more.
    3. A candidate's score is what it has of a cast member, times that label's share of all labels it has.
    4. Whom no label reaches, not even the strangers', as nobody is like them, gets the mean score of the others.
    5. Nobody is twice in a frame: see `settle_frames`. Of equal scores, the similarity of the seen faces decides.

    Args:
        face_similarity: (num_cast, n), such as `similarity.face_similarity`, re-ranked or not.
        face: (n, d) face features of the candidates.
        body: (n, d') body features; None to go by faces alone.
        frames: n names; candidates of one frame are different people.
        has_face: (n,) bool, whether the candidate's face can be seen.
        person: (num_cast,) whom each portrait shows, such as `people`. One person's portraits have one label, which
            starts from the best of them; None stands for different people.

    Returns:
        (num_cast, n) int64, each row a permutation of the candidates, best first.

    Raises:
        ValueError: if the shapes do not fit.
    """
    num_cast, n = np.shape(face_similarity)
    has_face = np.asarray(has_face, bool)
    if any(len(each) != n for each in (face, frames, has_face)) or (body is not None and len(body) != n):
        raise ValueError(f"{n} candidates do not fit the {len(face)} faces, {len(frames)} frames or the bodies")
    _, frame = np.unique(np.asarray(frames, str), return_inverse=True)
    seen = np.flatnonzero(has_face)
    alike = links(face[seen], frame[seen]).tocoo()
    graph = sparse.csr_array((alike.data, (seen[alike.row], seen[alike.col])), shape=(n, n))
    if body is not None:
        graph = joint_neighborhoods(graph + links(body, frame))
    person = np.arange(num_cast) if person is None else person
    num_people = person.max(initial=-1) + 1
    seeds = np.zeros((num_people + 1, n), np.float32)
    similarity = face_similarity[:, seen]
    # Of a frame's faces one at most is the portrait's.
    others = [np.sort(similarity[:, together], axis=1)[:, :-1].ravel() for together in _companies(frame[seen])]
    strength = link_strength(similarity, strangers(similarity.ravel(), _joined(others)), _PORTRAIT_SPREAD)
    for row, label in enumerate(person):
        seeds[label, seen] = np.maximum(seeds[label, seen], strength[row])
    best = seeds.max(axis=0)
    typical = np.median(best[best > 0]) if best.any() else 0
    seeds[num_people, seen] = np.maximum(typical - best[seen], 0)
    scores = spread(seeds, graph)
    reached = scores.any(axis=0)
    share = np.divide(scores, scores.sum(axis=0), where=scores > 0, out=np.zeros_like(scores))
    scores = (scores * share)[:num_people]
    if reached.any():
        scores[:, ~reached] = scores[:, reached].mean(axis=1, keepdims=True)
    by_face = np.where(has_face, face_similarity, -np.inf)
    return np.lexsort((-by_face, -settle_frames(scores, frame)[person]), axis=1)


def search(given: SearchInput) -> np.ndarray:
    """Rank every candidate for every cast member: `people` and `rank`, as a method of the search.

    Returns:
        (c, n) int64, each row a permutation of the candidates, best first.
    """
    return rank(
        given.face_similarity,
        given.face,
        given.body,
        frames=given.frames,
        has_face=given.has_face,
        person=people(given.cast_face, given.cast_movies, given.face[given.has_face]),
    )


def _companies(frames: np.ndarray) -> list[np.ndarray]:
    """Who stand in a frame together: the rows of every frame that has more than one."""
    order = np.argsort(frames, kind="stable")
    groups = np.split(order, np.flatnonzero(np.diff(frames[order])) + 1)
    return [together for together in groups if len(together) > 1]


def _pairs(unit: np.ndarray) -> np.ndarray:
    """Cosines of every two of some unit rows."""
    return (unit @ unit.T)[np.triu_indices(len(unit), 1)]


def _joined(parts: list[np.ndarray]) -> np.ndarray:
    return np.concatenate([np.empty(0, np.float32), *parts])
