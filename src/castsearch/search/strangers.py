"""What different people's faces and bodies reach, as similarities: measured in the movie that is searched."""

from typing import NamedTuple

import numpy as np

from castsearch.search.moments import Frames, presence, seen_together
from castsearch.search.neighbors import l2_normalize

FEWEST_CERTAIN = 10  # similarities of certain strangers that are enough to tell what strangers reach at most …
_SAMPLE = 1000  # images whose pairs are enough to tell what strangers reach
_FEWEST_PAIRS = 100  # of any faces that are enough, too
_PERSON_SPREAD = 5  # standard deviations from which on two portraits show one person
_CERTAIN_SHARE = 0.97  # … except the highest of them, since a face may be a neighbour's


class Impostors(NamedTuple):
    """What similarities of different people are like: normally distributed, with this mean and standard deviation."""

    mean: float
    deviation: float

    def deviations(self, similarity: np.ndarray) -> np.ndarray:
        """By how many standard deviations similarities exceed the mean."""
        above = similarity - self.mean
        above /= max(self.deviation, 1e-6)
        return above


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
    if len(certain) < FEWEST_CERTAIN:
        return ANY_ENGINE
    reached = among[among <= np.quantile(certain, _CERTAIN_SHARE)]
    return lower_half(reached if len(reached) >= FEWEST_CERTAIN else certain)


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


def show_one_person(portraits: np.ndarray, face: np.ndarray) -> np.ndarray:
    """Whether two portraits are so alike as only those of one person are.

    Args:
        portraits: (c, d) face features of any length.
        face: (n, d) face features of candidates, among whom most are different people.

    Returns:
        (c, c) bool.
    """
    pairs, portraits = pairs_of(l2_normalize(face[sample(len(face))])), l2_normalize(portraits)
    apart = lower_half(pairs) if len(pairs) >= _FEWEST_PAIRS else ANY_ENGINE
    return link_strength(portraits @ portraits.T, apart, _PERSON_SPREAD) > 0


def certain_strangers(by_person: np.ndarray, frames: Frames, has_face: np.ndarray) -> np.ndarray:
    """Similarities of portraits and faces that are certainly not theirs.

    A face is at most of the one person whom it resembles most; of a frame's faces, at most one is a lone person's.

    Args:
        by_person: (people, n) face similarities of each person's best portrait.
        frames: of the n candidates, see `Frames`.
        has_face: (n,) bool, whether the candidate's face can be seen.
    """
    seen = np.compress(has_face, by_person, axis=1)
    if len(seen) == 0:
        return seen.ravel()
    if len(seen) == 1:
        parts = [np.sort(seen[0, together])[:-1] for together in seen_together(presence(frames)[has_face])]
        return np.concatenate([np.empty(0, np.float32), *parts])
    seen.partition(-1, axis=0)
    return seen[:-1].ravel()


def pairs_of(unit: np.ndarray) -> np.ndarray:
    """Cosines of every two of some unit rows."""
    return (unit @ unit.T)[np.triu_indices(len(unit), 1)]


def sample(n: int) -> np.ndarray:
    """Numbers of some of n images, evenly spread and at most two thousand: all pairs of more take too much memory."""
    return np.arange(0, n, max(1, n // _SAMPLE))
