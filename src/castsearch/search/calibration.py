"""How probable it is that a candidate shows a person: what labels, face and links tell, as one probability."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit, logit, softmax

from castsearch.search.neighbors import blocks
from castsearch.threads import in_threads

WEIGHTS = (-1.4, 3.5, -0.6, 0.5)
"""Log odds of somebody with as much of a label as of the strangers', and what adds to them: a seen face, each deviation
by which it falls short, and the logarithm of the links. `bench/calibration.py` fits them."""
SURER = 2.0
"""By how much the log odds of a name grow where nearly all faces are like portraits; see `confidence`."""
_SURER_FROM = 0.5  # faces like a portrait for each other one, from which on names become surer
_UNKNOWN_FACES = 5  # faces like a portrait, and as many others, that every movie is taken to have besides
_MOST_SURE = 0.998  # of a name that is made surer; 1 is for who is certain, whom nobody is asked about any more
_MOST_SHORT = 6.0  # standard deviations; a face that falls short by more tells no more
_FEW = 0.1  # strength of links that counts as none
_SMALLEST = 2e-4  # of a typical portrait's label; less is as good as none
_TOGETHER = 4096  # candidates whose probabilities are in the making, several arrays of them


class Evidence(NamedTuple):
    """What the search knows of n candidates.

    Attributes:
        labels: (people + 1, n) strength of labels, 1 for that of a typical portrait, the strangers' last.
        shortfall: (people, n) standard deviations by which a seen face is less like the portrait than the person's best
            one; nan where no face is seen.
        links: (n,) summed strength of the links of each candidate.
        familiar: (seen,) probabilities that seen faces are rather one person's with a portrait than two people's.
        appears: (people,) probability that each is seen at all, as so many strangers would not be as like the portrait
            as the best face is.
    """

    labels: NDArray[np.floating]
    shortfall: NDArray[np.floating]
    links: NDArray[np.floating]
    familiar: NDArray[np.floating]
    appears: NDArray[np.floating]


def probability(evidence: Evidence, weights: Sequence[float] = WEIGHTS) -> NDArray[np.floating]:
    """Estimate the probability that candidates show people, by multinomial logistic regression.

    The log odds of a person and a stranger are the logarithm of the ratio of their labels, plus what the weights say.
    Labels that come by a few weak links are worth little.

    Returns:
        (people, n), of which each column adds up to 1 at most; what is missing is the strangers'. 0 without a label.
    """
    labels, shortfall, links = evidence[:3]
    found = np.empty(shortfall.shape, labels.dtype)

    def find(some: slice) -> None:
        found[:, some] = _probability(labels[:, some], shortfall[:, some], links[some], weights)

    in_threads(find, blocks(found.shape[1], _TOGETHER))
    return found


def confidence(
    likely: NDArray[np.floating],
    familiar: NDArray[np.floating],
    appears: NDArray[np.floating],
    surer: float = SURER,
) -> NDArray[np.floating]:
    """Make probabilities say how sure names are, in place: surer where most faces of the movie are like portraits.

    Where few faces are a stranger's, whoever is rather one of the cast than not is nearly always who it seems. So there
    the log odds of what is likelier than not are multiplied by 1 at least, where two thirds of the seen faces are like
    no portrait, and 1 + `surer` at most, where two fifths are. Nobody becomes surer than 0.998 by this. What is less
    likely than even stays so: this gives no new name from even odds on, and changes no ranking.

    Where as many strangers may well be as like a portrait as the best face is, perhaps this person is not in the movie,
    and the name becomes less sure.

    Args:
        likely: (people, n), from `probability`.
        familiar: see `Evidence`.
        appears: see `Evidence`.
        surer: see `SURER`.

    Returns:
        `likely`, of which each column still adds up to 1 at most.
    """
    alike, others = familiar.sum() + _UNKNOWN_FACES, (1 - familiar).sum() + _UNKNOWN_FACES
    factor = 1 + surer * np.clip(np.log(alike / others / _SURER_FROM), 0, 1)
    before = likely.max(axis=0, initial=0)
    surest = np.maximum(before, np.minimum(expit(factor * logit(before)), _MOST_SURE))
    after = np.where(before > 0.5, surest, before).astype(likely.dtype)
    # What the others of a column have shrinks as the rest does.
    left = np.divide(1 - after, 1 - before, where=before < 1, out=np.zeros_like(after))
    for row, seen in zip(likely, appears, strict=True):  # one by one, as those of all people are large
        row[:] = np.where((row == before) & (row > 0.5), after, row * left) * seen
    return likely


def _probability(
    labels: NDArray[np.floating],
    shortfall: NDArray[np.floating],
    links: NDArray[np.floating],
    weights: Sequence[float],
) -> NDArray[np.floating]:
    """`probability` of some candidates."""
    alone, face, short, strength = weights
    cast, strangers = labels[:-1], np.maximum(labels[-1], 0)
    odds = np.log((cast + _SMALLEST) / (strangers + _SMALLEST))
    odds += alone + strength * np.log1p(np.maximum(links, 0) / _FEW)
    odds += np.where(np.isnan(shortfall), 0, face + short * np.minimum(shortfall, _MOST_SHORT))
    odds[cast <= 0] = -np.inf
    return softmax(np.concatenate([odds, np.zeros((1, odds.shape[1]), odds.dtype)]), axis=0)[:-1]
