"""Let the cast's labels diffuse over the graph of candidates who probably are one person.

Label spreading (`castsearch.search.label_spreading`) over the links of `castsearch.search.links`, with a label for
strangers, and one place per person and frame. Memory grows with the number of candidates times that of the cast, so
that all movies of a split can be searched at once.
"""

from dataclasses import replace

import numpy as np
from scipy import sparse
from scipy.optimize import linear_sum_assignment
from scipy.special import expit, log_ndtr

from castsearch.search.calibration import Evidence, confidence, probability
from castsearch.search.label_spreading import spread
from castsearch.search.links import EVEN_FACE, link, log_odds
from castsearch.search.moments import Frames, presence, seen_together
from castsearch.search.neighbors import blocks, kept_neighbors, l2_normalize
from castsearch.search.portrait_people import number_people
from castsearch.search.search_input import Clothes, SearchInput
from castsearch.search.search_result import SearchResult
from castsearch.search.similarity import best_portrait
from castsearch.search.strangers import ANY_ENGINE, Impostors, certain_strangers, impostors, link_strength, sample
from castsearch.threads import in_threads

_PORTRAIT_SPREAD = 2  # standard deviations from which on a link to a portrait, with which all begins, counts …
_BELOW_BEST = 1.5  # … or this much below the portrait's best one, where that is less
_ALIKE = 5  # those of a typical person's most similar face up to which faces are averaged by full weights …
_DISTINCT = 7  # … which fall to nothing at this many …
_AVERAGED = 5  # … with as many others
_PORTRAITS = 64  # of whose cosines with all faces the highest is looked for at a time
_IN_PROFILE = 0.5  # share of the strangers' label that is left to a face in profile
# Chosen on portraits of one real set and faces of another, by four engines; see `docs/timeline.md`.
_OUTSIDERS = Impostors(0.06, 0.09)  # cosines of portraits and faces of movies in which their people are not
_SOMEBODY_EXPECTED = 0.6  # probability that somebody of a cast is in a movie, before a face is seen …
_EACH_EXPECTED = 0.7  # … and where somebody is, that each of them is
_HELD_BY_ANOTHER = 0.1  # what is left of a score for a place in a frame that somebody else of the cast has


def average_faces(
    by_person: np.ndarray, face: np.ndarray, frames: Frames, has_face: np.ndarray, share: float = 1
) -> tuple[np.ndarray, np.ndarray]:
    """Average each seen face with the five most similar others, weighted by their squared cosines.

    Nobody is averaged with who is seen at the same time. What two pictures of a person do not have in common, such as
    an expression or noise, becomes less.

    Args:
        by_person: (people, n) face similarities of each person's best portrait.
        face: (n, d) face features of the candidates.
        frames: of the n candidates, see `Frames`.
        has_face: (n,) bool, whether the candidate's face can be seen; others stay as they are.
        share: what the weights of the others are multiplied by.

    Returns:
        The similarities and features, of unit length, of the averages.
    """
    seen = np.flatnonzero(has_face)
    face, present = l2_normalize(face), presence(frames)[seen]
    indices, cosines, _ = kept_neighbors(face[seen], 3 * _AVERAGED + 1)
    rows, columns = np.repeat(np.arange(len(seen)), indices.shape[1]), indices.ravel()
    together = present[rows].multiply(present[columns]).sum(axis=1) > 0  # as everybody is with themselves
    weight = np.where(together.reshape(indices.shape), 0, np.square(np.maximum(cosines, 0)))
    weight[np.cumsum(weight > 0, axis=1) > _AVERAGED] = 0
    others = sparse.csr_array((share * weight.ravel(), (rows, columns)), shape=(len(seen), len(seen)))
    total = face[seen] + others @ face[seen]
    length = np.linalg.norm(total, axis=1)
    length[length == 0] = 1  # of a face without features
    averaged, face = by_person.copy(), face.copy()
    for row, similar in zip(averaged, by_person, strict=True):  # by itself, as those of all people are large
        row[seen] = (similar[seen] + others @ similar[seen]) / length
    face[seen] = total / length[:, None]
    return averaged, face


def settle_frames(scores: np.ndarray, frames: Frames) -> np.ndarray:
    """Lower a cast member's scores in a frame where it has a place already, in place.

    Places are given so that the sum of a frame's scores is largest (an assignment problem). A tenth is left for a place
    that another has; for one that nobody has, as much as its score is of the score of the place given: of two that are
    as likely, neither is ruled out. Moments come by falling highest score, so that a track that lost a place at one of
    them takes it from nobody at another.

    Args:
        scores: (num_cast, n), not negative.
        frames: of the n candidates, see `Frames`.

    Returns:
        `scores`.
    """
    present, best = presence(frames), scores.max(axis=0, initial=0)
    # Whoever is at one moment alone still has at it what it had at first.
    before = scores.copy() if (np.diff(present.indptr) > 1).any() else scores
    for together in sorted(seen_together(present), key=lambda own: -best[own].max()):
        places = scores[:, together]
        cast, place = linear_sum_assignment(places, maximize=True)
        own = places[cast]
        held = own[np.arange(len(cast)), place][:, None]
        left = np.minimum(1, np.divide(own, held, where=held > 0, out=np.ones_like(own)))
        left[:, place] = np.minimum(left[:, place], _HELD_BY_ANOTHER)
        left[np.arange(len(cast)), place] = 1
        scores[cast[:, None], together] = np.minimum(own, before[cast[:, None], together] * left)
    return scores


def gather(
    by_person: np.ndarray,
    face: np.ndarray,
    body: np.ndarray | None,
    *,
    frames: Frames,
    has_face: np.ndarray,
    frontal: np.ndarray | None = None,
    facts: np.ndarray | None = None,
    clothes: Clothes | None = None,
    best_cosines: np.ndarray | None = None,
) -> Evidence:
    """Let labels spread, and gather what speaks for each person; see `rank` for the arguments."""
    certain, apart = _strangers(by_person, frames, has_face)
    known = None if facts is None else np.any(facts[:-1] > 0, axis=1)
    appears = _appears(by_person, face, apart, has_face=has_face, best_cosines=best_cosines, certain=known)
    share = _averaging_share(by_person, has_face, apart)
    if share > 0:
        by_person, face = average_faces(by_person, face, frames, has_face, share)
        certain, apart = _strangers(by_person, frames, has_face)
    graph = link(certain, face, body, frames=frames, has_face=has_face, clothes=clothes)
    del certain  # of many movies at once, this and each array of people and candidates may take a gigabyte
    labels = spread(_seeds(by_person, has_face, frontal, apart), graph, facts)
    best = by_person.max(axis=0, initial=-1)[has_face]
    familiar = expit(log_odds(best, apart, EVEN_FACE))
    return Evidence(labels, _shortfall(by_person, has_face, apart), np.asarray(graph.sum(axis=1)), familiar, appears)


def rank(
    by_person: np.ndarray,
    face: np.ndarray,
    body: np.ndarray | None,
    *,
    frames: Frames,
    has_face: np.ndarray,
    frontal: np.ndarray | None = None,
    facts: np.ndarray | None = None,
    clothes: Clothes | None = None,
    best_cosines: np.ndarray | None = None,
) -> SearchResult:
    """Rank every candidate for every person of the cast.

    0. Where few faces stand out from strangers', as with a weak network or portraits of other years, each is averaged
       with those most like it: see `average_faces`.
    1. A candidate with a face starts with the strength of its links to the portraits. As far as its best one falls
       short of a typical best one, it starts with the label of strangers; in profile, with half of that.
    2. Labels spread over each candidate's nearest others by face and by body, never within a frame, as far as two
       probably show one person.
    3. A candidate's score is the root of what it has of a cast member's label, times the square of that label's share
       among the cast's, times how probable it is that the candidate shows this person and no stranger: see
       `calibration.probability`.
    4. Whom no label reaches, not even the strangers', as nobody is like them, gets what is usual: the same of the
       others' mean share and mean probability, and of their median amount.
    5. Nobody is twice in a frame: see `settle_frames`. Of equal scores, who has less of other labels is first, then
       whose seen face is more similar.
    6. The share is that probability, surer where most faces are like portraits, and less of whom perhaps is not in the
       movie: see `calibration.confidence`.

    Args:
        by_person: (people, n) face similarities of each person's best portrait, re-ranked or not.
        face: (n, d) face features of the candidates; zeros, say, where no face can be seen.
        body: (n, d') body features; None to go by faces alone.
        frames: of the n candidates, see `Frames`.
        has_face: (n,) bool, whether the candidate's face can be seen.
        frontal: (n,) how far that face looks at the camera, from 0 to 1; None where that is not known.
        facts: (people + 1, n) what is certain of each person and of strangers, see `spread`; None where nothing is.
            Who certainly shows a person is ranked first, and who certainly does not, last.
        clothes: of the n candidates, beside `body`; None where they are not known.
        best_cosines: (people,) the highest of each person's portraits and a seen face, where `by_person` is re-ranked.

    Raises:
        ValueError: if the shapes do not fit.
    """
    num_people, n = np.shape(by_person)
    has_face = np.asarray(has_face, bool)
    present = presence(frames)
    sizes = {len(face), len(has_face), present.shape[0], n if body is None else len(body)}
    if sizes != {n}:
        raise ValueError(f"{n} candidates do not fit the {len(face)} faces, {present.shape[0]} frames or the bodies")
    seen = {"frames": present, "has_face": has_face, "frontal": frontal}
    evidence = gather(by_person, face, body, **seen, facts=facts, clothes=clothes, best_cosines=best_cosines)
    labels, familiar, appears, likely = evidence.labels, evidence.familiar, evidence.appears, probability(evidence)
    del evidence
    if facts is not None:
        likely = np.where(facts[:-1] == 0, likely, facts[:-1] > 0)
    scores = settle_frames(_scores(labels, likely), present)
    if facts is not None:
        best = scores.max(axis=1, keepdims=True, initial=0)
        scores = np.where(facts[:-1] > 0, best, np.where(facts[:-1] < 0, 0, scores))
    order, total = np.empty(scores.shape, np.int32), labels.sum(axis=0)

    def put_in_order(number: int) -> None:
        order[number] = _best_first(scores[number], total - labels[number], by_person[number], has_face)

    in_threads(put_in_order, range(num_people))
    share = confidence(likely, familiar, appears).astype(np.float32, copy=False)
    return SearchResult(order, np.arange(num_people), scores, share)


def search(given: SearchInput) -> SearchResult:
    """Rank every candidate for every cast member: `number_people` and `rank`, as a method of the search.

    One person's portraits have one label, which starts from the best of them.
    """
    person = number_people(given.cast_face, given.cast_movies, given.face[given.has_face], given.person)
    # In place of the portraits' similarities, which may take a gigabyte.
    given = replace(given, face_similarity=best_portrait(given.face_similarity, person))
    found = rank(
        given.face_similarity,
        given.face,
        given.body,
        frames=given.frames,
        has_face=given.has_face,
        frontal=given.frontal,
        clothes=given.clothes,
        facts=None if given.facts is None else _renumber(given.facts, given.person, person),
        best_cosines=_best_cosines(given.cast_face, given.face[given.has_face], person) if given.reranked else None,
    )
    return found._replace(person=person)


def _strangers(by_person: np.ndarray, frames: Frames, has_face: np.ndarray) -> tuple[np.ndarray, Impostors]:
    """Similarities of portraits and who are certainly others, and what strangers reach by them."""
    certain = certain_strangers(by_person, frames, has_face)
    return certain, impostors(np.compress(has_face, by_person, axis=1).ravel(), certain)


def _averaging_share(by_person: np.ndarray, has_face: np.ndarray, apart: Impostors) -> float:
    """How little the faces most like the portraits stand out from strangers', from 0, as with most engines, to 1.

    It changes gradually, so that one face more or less cannot change a whole ranking.
    """
    if not has_face.any() or not len(by_person):
        return 0
    best = apart.deviations(by_person.max(axis=1, initial=-1, where=has_face))
    return float(np.clip((_DISTINCT - np.median(best)) / (_DISTINCT - _ALIKE), 0, 1))


def _best_cosines(portraits: np.ndarray, face: np.ndarray, person: np.ndarray) -> np.ndarray:
    """(people,) the highest cosine of each person's portraits and any of the faces; −1 of none."""
    portraits, face = l2_normalize(portraits), l2_normalize(face)
    best = np.full(person.max(initial=-1) + 1, -1.0)
    for some in blocks(len(portraits), _PORTRAITS):
        np.maximum.at(best, person[some], (portraits[some] @ face.T).max(axis=1, initial=-1))
    return best


def _appears(
    by_person: np.ndarray,
    face: np.ndarray,
    apart: Impostors,
    *,
    has_face: np.ndarray,
    best_cosines: np.ndarray | None,
    certain: np.ndarray | None,
) -> np.ndarray:
    """How probable it is that each of the cast is seen at all, since strangers would not be as like the portrait.

    First, that anybody of the cast is. Strangers are those of other movies, whom `_OUTSIDERS` describes; and where the
    movie's own are known well enough, which a lone portrait does not allow, they must not reach as much, either. Then,
    where some of the cast are seen, that this person is: as many strangers as people are seen would not be as like the
    portrait as the best of them.

    Args:
        by_person: see `rank`.
        face: see `rank`.
        apart: what the movie's strangers reach.
        has_face: see `rank`.
        best_cosines: see `rank`.
        certain: (people,) bool, who is certainly seen; None where nobody is.

    Returns:
        (people,)
    """
    num_people, strangers = len(by_person), len(by_person) * int(has_face.sum())
    if not strangers:
        return np.ones(num_people)
    best = by_person.max(axis=1, initial=-1, where=has_face)
    cosines = best if best_cosines is None else best_cosines
    somebody = _rather_than_strangers(cosines.max(), strangers, _SOMEBODY_EXPECTED)
    if num_people > 1 and apart != ANY_ENGINE:
        somebody *= np.exp(strangers * log_ndtr(apart.deviations(best.max())))
    each = np.ones(1)
    if num_people > 1:
        each = _rather_than_strangers(cosines, _people_seen(face[has_face]), _EACH_EXPECTED)
    if certain is not None and certain.any():
        return np.where(certain, 1, each)
    return somebody * each


def _rather_than_strangers(cosine: np.ndarray, strangers: float, expected: float) -> np.ndarray:
    """How probable it is that somebody is seen whose best cosine is this, and not only so many strangers.

    The highest of m strangers' values is below z with a probability of Φ(z) ** m, and has the density
    m φ(z) Φ(z) ** (m − 1). With somebody who is seen, whose best cosine may be anything from 0 to 1, the highest is
    below x with a probability of x Φ(z) ** m. The ratio of the two densities, which is the odds that somebody is seen,
    is x + deviation Φ(z) / (m φ(z)).

    Args:
        cosine: of any shape.
        strangers: m.
        expected: the probability before a face is seen.
    """
    z = (cosine - _OUTSIDERS.mean) / _OUTSIDERS.deviation
    beyond = _OUTSIDERS.deviation * np.sqrt(2 * np.pi) * np.exp(log_ndtr(z) + z**2 / 2) / strangers
    odds = (np.maximum(cosine, 0) + beyond) * expected / (1 - expected)
    return odds / (1 + odds)


def _people_seen(face: np.ndarray) -> float:
    """How many people (m, d) faces show, roughly: each counts as one by how many are expected to be its person's.

    Where it is certain which faces are one person's, this is how many people they show.
    """
    some = sample(len(face))
    unit = l2_normalize(face[some])
    same = expit(log_odds(unit @ unit.T, ANY_ENGINE, EVEN_FACE))
    np.fill_diagonal(same, 1)
    return float((1 / same.sum(axis=1)).sum() * len(face) / len(some))


def _scores(labels: np.ndarray, likely: np.ndarray) -> np.ndarray:
    """Score labels (people + 1, n), the strangers' last, of which each is a person's by `likely`; see `rank`."""
    cast = labels[:-1].sum(axis=0)
    share = np.divide(labels[:-1], cast, where=labels[:-1] > 0, out=np.zeros_like(labels[:-1]))
    reached = labels.any(axis=0)
    usual, probable = (
        np.array([row[reached].mean() if reached.any() else 0 for row in each], labels.dtype)[:, None]
        for each in (share, likely)
    )
    scores = np.square(share, out=share)
    for number, label in enumerate(labels[:-1]):
        scores[number] *= np.sqrt(label)
    scores *= likely
    if reached.any():
        scores[:, ~reached] = np.sqrt(usual * np.median(cast[reached])) * np.square(usual) * probable
    return scores


def _best_first(scores: np.ndarray, others: np.ndarray, by_face: np.ndarray, has_face: np.ndarray) -> np.ndarray:
    """Order one person's candidates; see `rank`. All arrays are (n,)."""
    order = np.argsort(-scores)
    ranked = scores[order]
    equal = np.zeros(len(order) + 1, bool)
    equal[1:-1] = ranked[1:] == ranked[:-1]
    tied = equal[1:] | equal[:-1]
    own = np.sort(order[tied])
    seen = np.where(has_face[own], by_face[own], -np.inf)
    order[tied] = own[np.lexsort((-seen, others[own], -scores[own]))]
    return order


def _renumber(facts: np.ndarray, before: np.ndarray, after: np.ndarray) -> np.ndarray:
    """Facts of people who are numbered anew, and of whom some have become one; strangers stay last.

    Where a candidate certainly shows one of several people who became one, it shows that person; that it is none of
    the others then means nothing.
    """
    renumbered = np.zeros((after.max(initial=-1) + 2, facts.shape[1]), facts.dtype)
    renumbered[-1] = facts[-1]
    for old, new in zip(before, after, strict=True):
        renumbered[new] = np.where(renumbered[new] > 0, 1, np.where(facts[old] != 0, facts[old], renumbered[new]))
    return renumbered


def _seeds(by_person: np.ndarray, has_face: np.ndarray, frontal: np.ndarray | None, apart: Impostors) -> np.ndarray:
    """(people + 1, n) labels that candidates start with, 1 for a typical one, the strangers' last."""
    num_people, n = by_person.shape
    seeds = np.zeros((num_people + 1, n), np.float32)
    if not has_face.any():
        return seeds
    best = apart.deviations(by_person.max(axis=1, initial=-1, where=has_face))
    # A portrait of other years is like nobody by as much, and still like its own person most.
    counts_from = np.clip(best - _BELOW_BEST, 0, _PORTRAIT_SPREAD)
    for label, similarity, least in zip(seeds, by_person, counts_from, strict=False):
        label[has_face] = link_strength(similarity[has_face], apart, least)
    best = seeds.max(axis=0)
    if best.any():
        typical = np.median(best[best > 0])
        seeds /= typical
        seeds[-1, has_face] = np.maximum(1 - best[has_face] / typical, 0)
        if frontal is not None:  # a face that turns away is like nobody, whose ever it is
            seeds[-1] *= _IN_PROFILE + (1 - _IN_PROFILE) * frontal
    return seeds


def _shortfall(by_person: np.ndarray, has_face: np.ndarray, apart: Impostors) -> np.ndarray:
    """(people, n) standard deviations that seen faces are less like portraits than each one's best; nan if unseen."""
    best = apart.deviations(by_person.max(axis=1, keepdims=True, initial=-np.inf, where=has_face))
    shortfall = apart.deviations(by_person)
    np.subtract(best, shortfall, out=shortfall)
    shortfall[:, ~has_face] = np.nan
    return shortfall
