"""Whether features can tell people apart: those of different people must not be all alike.

A wrong normalisation, a damaged file or a network of another kind gives features that look like any others, and a
ranking that is no better than chance. What shows it needs no labels: people in one frame are different people, and so
are the cast.
"""

from collections import defaultdict
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from castsearch.data.crops import Crops
from castsearch.errors import InputError

FACE_LIMIT = 0.9
"""Median cosine of different people's faces above which features cannot be right. Recognisers give 0.0 to 0.3 on real
pictures, and above 0.95 where values of 0 to 255 are normalised twice."""

BODY_LIMIT = 0.99
"""The same for bodies, which resemble each other more: clothes and poses are of one scene."""

_LEAST_PAIRS = 3


def different_people(crops: Crops) -> NDArray[np.int64]:
    """Find pairs of people who are certainly different.

    Returns:
        (n, 2) rows, counted over cast and candidates: people in one frame, and portraits of different cast members.
    """
    num_cast = len(crops.cast)
    names = [crops.labels[row] or crops.cast[row] for row in range(num_cast)]
    pairs = [(one, other) for one, other in combinations(range(num_cast), 2) if names[one] != names[other]]
    frames: defaultdict[str, list[int]] = defaultdict(list)
    for row in range(num_cast, len(crops.ids)):
        frames[crops.frames[row]].append(row)
    for rows in frames.values():
        pairs.extend(combinations(rows, 2))
    return np.array(pairs, np.int64).reshape(-1, 2)


def check_features(crops: Crops, features: NDArray[np.float32], limit: float) -> None:
    """Check that different people are not as alike as if they were all one person.

    Args:
        crops: of the movie.
        features: (c + n, d) of cast and candidates, or (n, d) of the candidates alone, of any length; a row of zeros
            for people who have none.
        limit: the greatest median cosine of different people.

    Raises:
        InputError: their median cosine is greater.
    """
    lengths = np.linalg.norm(features, axis=1)
    pairs = different_people(crops) - (len(crops.ids) - len(features))
    pairs = pairs[(pairs >= 0).all(axis=1)]
    one, other = pairs[(lengths[pairs] > 0).all(axis=1)].T
    if len(one) < _LEAST_PAIRS:
        return
    cosines = np.einsum("nd,nd->n", features[one], features[other]) / (lengths[one] * lengths[other])
    median = float(np.median(cosines))
    if median > limit:
        raise InputError(
            f"{crops.name}: the features of {len(one)} pairs of different people have a median cosine of "
            f"{median:.4f}, so the network cannot tell people apart: its input may be normalised in another way than "
            "it wants, or its file may be damaged; the log says how it is normalised"
        )
