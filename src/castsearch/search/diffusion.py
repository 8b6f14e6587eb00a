"""Let the cast's labels diffuse over a sparse graph of candidates who look alike, by face or by body.

Label spreading: Zhou, Bousquet, Lal, Weston and Schölkopf, "Learning with Local and Global Consistency", NIPS 2003;
with links that count as far as two probably are one person, a label for strangers, and one place per person and frame.

There is no threshold to set: similarities are measured in standard deviations above the mean of what different people
reach, whatever network they come from. Who are different people, the movie tells: those of one frame, a candidate and
all portraits but the one that it resembles most, and, for bodies, those whose faces differ. Memory grows with the
number of candidates times that of the cast, so that all movies of a split can be searched at once.
"""

from typing import NamedTuple

import numpy as np
from scipy import sparse
from scipy.optimize import linear_sum_assignment
from scipy.sparse.csgraph import connected_components
from scipy.special import expit

from castsearch.search.calibration import Evidence, probability
from castsearch.search.moments import Frames, companies, moments_of, presence
from castsearch.search.neighbors import BLOCK_ROWS, blocks, l2_normalize, nearest_neighbors
from castsearch.search.search_input import SearchInput
from castsearch.search.search_result import SearchResult
from castsearch.search.similarity import best_portrait

_NEIGHBORS = 10  # links of a candidate by face, and as many by body
_LOOKED_AT = 3 * _NEIGHBORS + 1  # nearest images, itself among them, of which the most probable ones are linked
_EVEN_FACE = 3.0  # standard deviations above strangers from which on two faces are rather one person's …
_EVEN_BODY = 2.5  # … and two bodies
_ENOUGH_BODIES = 100  # bodies of which the mean is taken away by half
_STEEPNESS = 3.0  # log odds of one person that a standard deviation adds
_MOST_BY_FACE = 3.0  # log odds by which two seen faces change what bodies say, at most
_DIFFERENT_FACE = 1.0  # two faces less than this above strangers are different people's
_PORTRAIT_SPREAD = 2  # standard deviations from which on a link to a portrait, with which all begins, counts …
_BELOW_BEST = 1.5  # … or this much below the portrait's best one, where that is less
_PERSON_SPREAD = 5  # those from which on two portraits of different movies show one person
_PASSED_ON = 0.8  # share of a score that comes from the neighbours …
_HELD_BACK = 0.1  # … of a candidate that has links of much more strength than this
_STEPS = 30  # 0.8 ** 30 is 0.1 %
_FACELESS_FACT = 0.01  # of a typical seed, what somebody without a face has who is certain; not 0, which is nobody
_HELD_BY_ANOTHER = 0.1  # what is left of a score for a place in a frame that somebody else of the cast has
_SAMPLE = 1000  # rows whose similarities tell what strangers reach
_FEWEST_CERTAIN = 10  # similarities of certain strangers that are enough to tell what strangers reach at most …
_CERTAIN_SHARE = 0.97  # … except the highest of them, since a face may be a neighbour's


class Impostors(NamedTuple):
    """What similarities of different people are like: normally distributed, with this mean and standard deviation."""

    mean: float
    deviation: float

    def deviations(self, similarity: np.ndarray) -> np.ndarray:
        """By how many standard deviations similarities exceed the mean."""
        return (similarity - self.mean) / max(self.deviation, 1e-6)


ANY_ENGINE = Impostors(0.1, 0.1)
"""What different people's faces reach, roughly, with every face engine: where a movie does not tell."""


def lower_half(similarity: np.ndarray) -> Impostors:
    """Estimate what different people reach from similarities of which at least half are between different people.

    The normal distribution goes through the 10 % and 40 % quantiles, which similarities of one person do not reach.
    """
    if similarity.size == 0:
        return ANY_ENGINE
    low, high = np.quantile(similarity, [0.1, 0.4])
    deviation = (high - low) / 1.0282  # the distance of these quantiles of the standard normal distribution
    return Impostors(float(high + 0.2533 * deviation), float(deviation))


def impostors(among: np.ndarray, certain: np.ndarray) -> Impostors:
    """Estimate what the faces of different people reach.

    Args:
        among: (m,) similarities of any pairs.
        certain: (k,) similarities of pairs that are certainly different people. What exceeds them is one person's.

    Returns:
        `ANY_ENGINE` where too few strangers are certain, since one person may be most of the movie.
    """
    if len(certain) < _FEWEST_CERTAIN:
        return ANY_ENGINE
    reached = among[among <= np.quantile(certain, _CERTAIN_SHARE)]
    return lower_half(reached if len(reached) >= _FEWEST_CERTAIN else certain)


def link_strength(similarity: np.ndarray, apart: Impostors, spread: float | np.ndarray) -> np.ndarray:
    """How far similarities exceed what strangers reach, squared: 0 for a stranger's, 1 at similarity 1.

    Args:
        similarity: values of any shape.
        apart: what strangers reach.
        spread: standard deviations above a stranger's mean from which on a similarity counts; one for all, or an array
            that broadcasts against `similarity`.

    Returns:
        float32 of the shape of `similarity`.
    """
    least = apart.mean + spread * apart.deviation
    return np.square(np.maximum(similarity - least, 0) / np.maximum(1 - least, 1e-6)).astype(np.float32)


def log_odds(similarity: np.ndarray, apart: Impostors, even: float) -> np.ndarray:
    """Log odds that two images show one person.

    One logistic curve of the standard deviations above strangers describes the real sets of `docs/search-methods.md`
    with all engines.

    Args:
        similarity: values of any shape.
        apart: what strangers reach.
        even: standard deviations above a stranger's mean at which one person is as likely as two.
    """
    return _STEEPNESS * (apart.deviations(similarity) - even)


def face_links(face: np.ndarray, frames: Frames, apart: Impostors) -> sparse.csr_array:
    """Link every face with its nearest ones.

    Args:
        face: (n, d) rows of unit length.
        frames: of the n candidates, see `Frames`.
        apart: what strangers reach.

    Returns:
        (n, n) symmetric float32 probabilities of one person; see `nearest_links`.
    """
    indices, cosines, _ = nearest_neighbors(face, _LOOKED_AT)
    return nearest_links(indices, log_odds(cosines, apart, _EVEN_FACE), frames)


def body_links(
    body: np.ndarray, face: np.ndarray, has_face: np.ndarray, frames: Frames, apart: Impostors
) -> sparse.csr_array:
    """Link every body with its nearest ones; where two faces are seen, they have a say.

    Strangers are those of one frame and those whose faces differ, so that a movie in which clothes mislead teaches it.

    Args:
        body: (n, d') rows of unit length.
        face: (n, d) rows of unit length.
        has_face: (n,) bool.
        frames: of the n candidates, see `Frames`.
        apart: what strangers reach by face.

    Returns:
        (n, n) symmetric float32 probabilities of one person; see `nearest_links`.
    """
    sample = np.arange(0, len(body), max(1, len(body) // _SAMPLE))
    by_face = apart.deviations(face[sample] @ face[sample].T)
    differ = has_face[sample][:, None] & has_face[sample] & (by_face < _DIFFERENT_FACE)
    present = presence(frames)[sample]
    differ |= (present @ present.T).toarray()
    pairs = np.triu_indices(len(sample), 1)
    similarity = _pairs(body[sample])
    certain = similarity[differ[pairs]]
    if len(certain) >= _FEWEST_CERTAIN:
        # Not through quantiles: head shots resemble head shots, so that strangers reach high more often than normal.
        bodies_apart = Impostors(float(certain.mean()), float(certain.std()))
    else:
        bodies_apart = lower_half(similarity)
    indices, cosines, _ = nearest_neighbors(body, _LOOKED_AT)
    odds = log_odds(cosines, bodies_apart, _EVEN_BODY)
    for place in range(indices.shape[1]):  # one after the other, since all faces of all neighbours are large
        neighbor = indices[:, place]
        cosine = np.einsum("ij,ij->i", face, face[neighbor])
        said = np.clip(log_odds(cosine, apart, _EVEN_FACE), -_MOST_BY_FACE, _MOST_BY_FACE)
        odds[:, place] += np.where(has_face & has_face[neighbor], said, 0)
    return nearest_links(indices, odds, frames)


def centred(body: np.ndarray) -> np.ndarray:
    """Take away what the bodies of a movie have in common, such as its light, as far as there are enough to tell.

    Args:
        body: (n, d) features of any length.

    Returns:
        (n, d) rows of unit length.
    """
    unit = l2_normalize(body)
    return l2_normalize(unit - unit.sum(axis=0) / np.float32(len(unit) + _ENOUGH_BODIES))


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


def number_people(
    portraits: np.ndarray, movies: np.ndarray, face: np.ndarray, person: np.ndarray | None = None
) -> np.ndarray:
    """Number the people that portraits show: an actor may have one in each of several movies.

    Args:
        portraits: (c, d) face features of any length.
        movies: (c,) numbers; the cast of one movie are different people, but for those of one number in `person`.
        face: (n, d) face features of candidates, among whom most are different people.
        person: (c,) numbers, equal for portraits that are known to show one person; None where nothing is known.

    Returns:
        (c,) int64 numbers from 0 on, equal for portraits of one person.
    """
    unit, portraits = l2_normalize(face[:: max(1, len(face) // _SAMPLE)]), l2_normalize(portraits)
    same = link_strength(portraits @ portraits.T, lower_half(_pairs(unit)), _PERSON_SPREAD) > 0
    same[movies[:, None] == movies] = False
    if person is not None:
        same |= person[:, None] == person
    return connected_components(sparse.csr_array(same), directed=False)[1].astype(np.int64)


def spread(seeds: np.ndarray, graph: sparse.csr_array, facts: np.ndarray | None = None) -> np.ndarray:
    """Spread labels over a graph, each step a mixture of the seeds and of what the neighbours have.

    Links are scaled by the strength of all links of both ends. To it, a little is added: a lone link that is hardly
    probable would else carry as much as ten certain ones.

    Args:
        seeds: (labels, n) weights.
        graph: (n, n) symmetric links.
        facts: (labels, n), 1 where a label is certain, −1 where it is impossible, which stays so in every step; all
            that comes to a candidate with a certain label becomes that label. It has a typical seed at least where it
            has any seed, which is where its face is seen; bodies alone mislead too often to be given so much.

    Returns:
        (labels, n) float32 scores.
    """
    seeds = np.array(seeds, np.float32)
    best = seeds.max(axis=0, initial=0)
    least = float(np.median(best[best > 0])) if best.any() else 1.0
    weight = np.where(best > 0, least, _FACELESS_FACT * least)
    if facts is not None:
        _clamp(seeds, facts, weight)
    scale = 1 / np.sqrt(np.asarray(graph.sum(axis=1), np.float32) + np.float32(_HELD_BACK))
    step = (sparse.diags_array(scale) @ graph @ sparse.diags_array(scale)).tocsr() * np.float32(_PASSED_ON)
    scores = seeds.T.copy()
    for _ in range(_STEPS):
        scores = step @ scores + (1 - _PASSED_ON) * seeds.T
        if facts is not None:
            _clamp(scores.T, facts, weight)
    return scores.T


def settle_frames(scores: np.ndarray, frames: Frames) -> np.ndarray:
    """Lower a cast member's scores in a frame where it has a place already.

    Places are given so that the sum of a frame's scores is largest (an assignment problem). A tenth is left for a place
    that another has; for one that nobody has, as much as its score is of the score of the place given: of two that are
    as likely, neither is ruled out. Moments come by falling highest score, so that a track that lost a place at one of
    them takes it from nobody at another.

    Args:
        scores: (num_cast, n), not negative.
        frames: of the n candidates, see `Frames`.

    Returns:
        (num_cast, n) of the type of `scores`.
    """
    settled = scores.copy()
    for together in sorted(companies(frames), key=lambda own: -scores[:, own].max(initial=0)):
        cast, place = linear_sum_assignment(settled[:, together], maximize=True)
        own = settled[np.ix_(cast, together)]
        held = own[np.arange(len(cast)), place][:, None]
        left = np.minimum(1, np.divide(own, held, where=held > 0, out=np.ones_like(own)))
        left[:, place] = np.minimum(left[:, place], _HELD_BY_ANOTHER)
        left[np.arange(len(cast)), place] = 1
        settled[np.ix_(cast, together)] = np.minimum(own, scores[np.ix_(cast, together)] * left)
    return settled


def link(
    by_person: np.ndarray, face: np.ndarray, body: np.ndarray | None, *, frames: Frames, has_face: np.ndarray
) -> sparse.csr_array:
    """Link candidates by face and by body as far as two probably show one person.

    Args:
        by_person: (people, n) face similarities of each person's best portrait; they tell what strangers reach.
        face: (n, d) face features.
        body: (n, d') body features; None to go by faces alone.
        frames: of the n candidates, see `Frames`.
        has_face: (n,) bool, whether the candidate's face can be seen.

    Returns:
        (n, n) symmetric links; two that are alike by both have the sum of two probabilities.
    """
    n = len(face)
    seen = np.flatnonzero(has_face)
    present = presence(frames)
    unit = l2_normalize(face)
    together = companies(present[seen], seen)
    within = np.concatenate([np.empty(0, np.float32), *(_pairs(unit[rows]) for rows in together)])
    sample = unit[seen[:: max(1, len(seen) // _SAMPLE)]]
    apart = impostors(_pairs(sample), np.concatenate([within, _others(by_person[:, seen], present[seen])]))
    alike = face_links(unit[seen], present[seen], apart).tocoo()
    graph = sparse.csr_array((alike.data, (seen[alike.row], seen[alike.col])), shape=(n, n))
    if body is not None:
        graph = graph + body_links(centred(body), unit, has_face, present, apart)
    return graph


def gather(
    by_person: np.ndarray,
    face: np.ndarray,
    body: np.ndarray | None,
    *,
    frames: Frames,
    has_face: np.ndarray,
    facts: np.ndarray | None = None,
) -> Evidence:
    """Let labels spread, and gather what speaks for each person; see `link` and `spread` for the arguments."""
    graph = link(by_person, face, body, frames=frames, has_face=has_face)
    seen = by_person[:, has_face]
    apart = impostors(seen.ravel(), _others(seen, presence(frames)[has_face]))
    labels = spread(_seeds(by_person, has_face, apart), graph, facts)
    return Evidence(labels, _shortfall(by_person, has_face, apart), np.asarray(graph.sum(axis=1)))


def rank(
    face_similarity: np.ndarray,
    face: np.ndarray,
    body: np.ndarray | None,
    *,
    frames: Frames,
    has_face: np.ndarray,
    person: np.ndarray | None = None,
    facts: np.ndarray | None = None,
) -> SearchResult:
    """Rank every candidate for every cast member.

    1. A candidate with a face starts with the strength of its links to the portraits. As far as its best one falls
       short of a typical best one, it starts with the label of strangers.
    2. Labels spread over each candidate's nearest others by face and by body, never within a frame, as far as two
       probably show one person.
    3. A candidate's score is what it has of a cast member's label, times that label's share among the cast's, times how
       probable it is that the candidate shows this person and no stranger: see `calibration.probability`.
    4. Whom no label reaches, not even the strangers', as nobody is like them, gets what is usual: the same of the
       others' mean share and mean probability, and of their median amount.
    5. Nobody is twice in a frame: see `settle_frames`. Of equal scores, who has less of other labels is first, then
       whose seen face is more similar.

    Args:
        face_similarity: (num_cast, n), such as `similarity.face_similarity`, re-ranked or not.
        face: (n, d) face features of the candidates.
        body: (n, d') body features; None to go by faces alone.
        frames: of the n candidates, see `Frames`.
        has_face: (n,) bool, whether the candidate's face can be seen.
        person: (num_cast,) numbers from 0 on of whom each portrait shows, see `number_people`. One person's portraits
            have one label, which starts from the best of them; None stands for different people.
        facts: (people + 1, n) what is certain of each person and of strangers, see `spread`; None where nothing is.
            Who certainly shows a person is ranked first, and who certainly does not, last.

    Raises:
        ValueError: if the shapes do not fit.
    """
    num_cast, n = np.shape(face_similarity)
    has_face = np.asarray(has_face, bool)
    present = presence(frames)
    sizes = {len(face), len(has_face), present.shape[0], n if body is None else len(body)}
    if sizes != {n}:
        raise ValueError(f"{n} candidates do not fit the {len(face)} faces, {present.shape[0]} frames or the bodies")
    person = np.arange(num_cast) if person is None else person
    by_person = best_portrait(face_similarity, person)
    evidence = gather(by_person, face, body, frames=present, has_face=has_face, facts=facts)
    labels, likely = evidence.labels, probability(evidence)
    if facts is not None:
        likely = np.where(facts[:-1] == 0, likely, facts[:-1] > 0)
    cast = labels[:-1].sum(axis=0)
    others = labels.sum(axis=0) - labels[:-1]
    share = np.divide(labels[:-1], cast, where=labels[:-1] > 0, out=np.zeros_like(labels[:-1]))
    scores = labels[:-1] * share * likely
    reached = labels.any(axis=0)
    if reached.any():
        usual, probable = (each[:, reached].mean(axis=1, keepdims=True) for each in (share, likely))
        scores[:, ~reached] = np.square(usual) * probable * np.median(cast[reached])
    scores = settle_frames(scores, present)
    if facts is not None:
        best = scores.max(axis=1, keepdims=True, initial=0)
        scores = np.where(facts[:-1] > 0, best, np.where(facts[:-1] < 0, 0, scores))
    by_face = np.where(has_face, by_person, -np.inf)
    order = np.lexsort((-by_face, others, -scores), axis=1)
    return SearchResult(order[person], person, scores[person], likely[person].astype(np.float32))


def search(given: SearchInput) -> SearchResult:
    """Rank every candidate for every cast member: `number_people` and `rank`, as a method of the search."""
    person = number_people(given.cast_face, given.cast_movies, given.face[given.has_face], given.person)
    return rank(
        given.face_similarity,
        given.face,
        given.body,
        frames=given.frames,
        has_face=given.has_face,
        person=person,
        facts=None if given.facts is None else _renumber(given.facts, given.person, person),
    )


def _clamp(scores: np.ndarray, facts: np.ndarray, least: np.ndarray) -> None:
    """Make (labels, n) scores agree with what is certain, in place; certain labels are `least`, (n,), at least."""
    label, candidate = np.nonzero(facts > 0)
    certain = np.maximum(scores[:, candidate].sum(axis=0), least[candidate])
    scores[:, candidate] = 0
    scores[label, candidate] = certain
    scores[facts < 0] = 0


def _renumber(facts: np.ndarray, before: np.ndarray, after: np.ndarray) -> np.ndarray:
    """Facts of people who are numbered anew, and of whom some have become one; strangers stay last."""
    renumbered = np.zeros((after.max(initial=-1) + 2, facts.shape[1]), facts.dtype)
    renumbered[-1] = facts[-1]
    for old, new in zip(before, after, strict=True):
        renumbered[new] = np.where(facts[old] != 0, facts[old], renumbered[new])
    return renumbered


def _seeds(by_person: np.ndarray, has_face: np.ndarray, apart: Impostors) -> np.ndarray:
    """(people + 1, n) labels that candidates start with, 1 for a typical one, the strangers' last."""
    num_people, n = by_person.shape
    seeds = np.zeros((num_people + 1, n), np.float32)
    if not has_face.any():
        return seeds
    similarity = by_person[:, has_face]
    best = apart.deviations(similarity.max(axis=1, keepdims=True, initial=-1))
    # A portrait of other years is like nobody by as much, and still like its own person most.
    counts_from = np.clip(best - _BELOW_BEST, 0, _PORTRAIT_SPREAD)
    strength = link_strength(similarity, apart, counts_from)
    best = strength.max(axis=0, initial=0)
    if best.any():
        typical = np.median(best[best > 0])
        seeds[:-1, has_face] = strength / typical
        seeds[-1, has_face] = np.maximum(1 - best / typical, 0)
    return seeds


def _shortfall(by_person: np.ndarray, has_face: np.ndarray, apart: Impostors) -> np.ndarray:
    """(people, n) standard deviations that seen faces are less like portraits than each one's best; nan if unseen."""
    deviations = np.where(has_face, apart.deviations(by_person), np.nan)
    if not has_face.any():
        return deviations
    return deviations[:, has_face].max(axis=1, keepdims=True) - deviations


def _others(by_person: np.ndarray, present: sparse.csr_array) -> np.ndarray:
    """Similarities of portraits and faces that are certainly not theirs.

    A face is at most of the one person whom it resembles most; of a frame's faces, at most one is a lone person's.
    """
    if len(by_person) == 1:
        parts = [np.sort(by_person[0, together])[:-1] for together in companies(present)]
        return np.concatenate([np.empty(0, np.float32), *parts])
    return np.sort(by_person, axis=0)[:-1].ravel()


def _best_of_each_other(indices: np.ndarray, present: sparse.csr_array) -> np.ndarray:
    """Whether two candidates, who are never seen together, are each the best neighbour of the other at their moments.

    Args:
        indices: (n, k) neighbours of each, best first.
        present: of the n candidates, see `presence`.

    Returns:
        (n, k) bool.
    """
    n, k = indices.shape
    num_moments = present.shape[1]
    best = np.ones(n * k, bool)
    known, found = [], []  # the moments of each candidate's neighbours, and who is best then
    for block in blocks(n, BLOCK_ROWS):
        rows, columns = np.repeat(np.arange(n)[block], k), indices[block].ravel()
        own = best[k * block.start : k * block.stop]
        place, moment = moments_of(columns, present)
        keys = rows[place] * num_moments + moment
        candidate, its_moment = moments_of(np.arange(n)[block], present)
        own[place[np.isin(keys, (candidate + block.start) * num_moments + its_moment)]] = False  # seen together
        place, keys = place[own[place]], keys[own[place]]
        unique, first = np.unique(keys, return_index=True)  # the first of a row that is seen at some moment
        later = np.ones(len(keys), bool)
        later[first] = False
        known.append(unique)
        found.append(columns[place[first]])
        own[place[later]] = False
    keys, others = np.concatenate([np.empty(0, np.int64), *known]), np.concatenate([np.empty(0, np.int64), *found])
    for block in blocks(n, BLOCK_ROWS):
        rows, columns = np.repeat(np.arange(n)[block], k), indices[block].ravel()
        place, moment = moments_of(rows, present)
        wanted = columns[place].astype(np.int64) * num_moments + moment
        at = np.searchsorted(keys, wanted)
        there = at < len(keys)
        there[there] = keys[at[there]] == wanted[there]
        beaten = others[at[there]] != rows[place[there]]
        best[k * block.start : k * block.stop][place[there][beaten]] = False
    return best.reshape(n, k)


def _pairs(unit: np.ndarray) -> np.ndarray:
    """Cosines of every two of some unit rows."""
    return (unit @ unit.T)[np.triu_indices(len(unit), 1)]
