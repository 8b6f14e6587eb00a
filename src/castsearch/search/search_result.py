"""What every method of the search answers."""

from typing import NamedTuple

import numpy as np


class SearchResult(NamedTuple):
    """The answer to c portraits among n candidates.

    Attributes:
        order: (c, n) indices of the candidates, each row a permutation, best first.
        person: (c,) numbers from 0 on of whom each portrait shows; equal for portraits of one person.
        score: (c, n) float32, by which each candidate stands in `order`; None for a method without scores.
        share: (c, n) float32, the estimated probability that each candidate shows this person; what those of all people
            lack to 1 is the strangers'. None for a method that does not know of strangers.
    """

    order: np.ndarray
    person: np.ndarray
    score: np.ndarray | None = None
    share: np.ndarray | None = None
