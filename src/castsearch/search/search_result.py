"""What every method of the search answers."""

from typing import NamedTuple

import numpy as np


class SearchResult(NamedTuple):
    """The answer to c portraits among n candidates. Portraits of one person have one answer.

    Attributes:
        order: (people, n) indices of the candidates, each row a permutation, best first.
        person: (c,) numbers of whom each portrait shows, which are rows of the other arrays.
        score: (people, n) float32, by which each candidate stands in `order`; None for a method without scores.
        share: (people, n) float32, the estimated probability that each candidate shows this person; what those of all
            people lack to 1 is the strangers'. None for a method that does not know of strangers.
    """

    order: np.ndarray
    person: np.ndarray
    score: np.ndarray | None = None
    share: np.ndarray | None = None
