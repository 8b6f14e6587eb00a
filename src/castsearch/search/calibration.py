"""How probable it is that a candidate shows a person: what labels, face and links tell, as one probability."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.special import softmax

from castsearch.search.neighbors import blocks
from castsearch.threads import in_threads

WEIGHTS = (-1.4, 3.5, -0.6, 0.5)
"""Log odds of somebody with as much of a label as of the strangers', and what adds to them: a seen face, each deviation
by which it falls short, and the logarithm of the links. `bench/calibration.py` fits them."""
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
    """

    labels: NDArray[np.floating]
    shortfall: NDArray[np.floating]
    links: NDArray[np.floating]


def probability(evidence: Evidence, weights: Sequence[float] = WEIGHTS) -> NDArray[np.floating]:
    """Estimate the probability that candidates show people, by multinomial logistic regression.

    The log odds of a person and a stranger are the logarithm of the ratio of their labels, plus what the weights say.
    Labels that come by a few weak links are worth little.

    Returns:
        (people, n), of which each column adds up to 1 at most; what is missing is the strangers'. 0 without a label.
    """
    labels, shortfall, links = evidence
    found = np.empty(shortfall.shape, labels.dtype)

    def find(some: slice) -> None:
        found[:, some] = _probability(Evidence(labels[:, some], shortfall[:, some], links[some]), weights)

    in_threads(find, blocks(found.shape[1], _TOGETHER))
    return found


def _probability(evidence: Evidence, weights: Sequence[float]) -> NDArray[np.floating]:
    """`probability` of some candidates."""
    alone, face, short, links = weights
    cast, strangers = evidence.labels[:-1], np.maximum(evidence.labels[-1], 0)
    odds = np.log((cast + _SMALLEST) / (strangers + _SMALLEST))
    odds += alone + links * np.log1p(np.maximum(evidence.links, 0) / _FEW)
    odds += np.where(np.isnan(evidence.shortfall), 0, face + short * np.minimum(evidence.shortfall, _MOST_SHORT))
    odds[cast <= 0] = -np.inf
    return softmax(np.concatenate([odds, np.zeros((1, odds.shape[1]), odds.dtype)]), axis=0)[:-1]
