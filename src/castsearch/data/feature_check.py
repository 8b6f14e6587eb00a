"""Whether features can tell people apart: those of different people must not be as alike as those of one person.

A wrong normalisation, a damaged file or a network of another kind gives features that look like any others, and a
ranking that is no better than chance. What shows it needs no labels: people in one frame are different people, and so
are the cast. Whom somebody resembles most, in another frame, is mostly the same person.
"""

import logging
from collections.abc import Hashable, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from castsearch.data.crops import Crops
from castsearch.errors import InputError

logger = logging.getLogger(__name__)


class Limits(NamedTuple):
    """What features must keep, measured with right and with wrong normalisations; see docs/face-models.md.

    Attributes:
        noun: what is described.
        greatest: median cosine of different people above which the features are of no use at all.
        gap: by how much the cosines of one person must be above those of different people.
    """

    noun: str
    greatest: float
    gap: float


FACES = Limits("faces", greatest=0.9, gap=0.3)
BODIES = Limits("bodies", greatest=0.99, gap=0.08)

_LEAST_PAIRS = 3
_LEAST_PEOPLE = 10
_SAMPLE = 1000  # rows that are compared with all others
_ALIKE = 0.9  # quantile of those who are most alike: not everybody is seen twice


class Resemblance(NamedTuple):
    """Cosines of features.

    Attributes:
        pairs: how many pairs of different people there are.
        different: their median cosine.
        same: a high quantile, over people, of the cosine to whoever is most alike in another frame; NaN for few people.
    """

    pairs: int
    different: float
    same: float


def cannot_link_groups(cast: Sequence[tuple[Hashable, Hashable]], frames: Sequence[str]) -> NDArray[np.int64]:
    """Number groups of certainly different people, whom nothing may link: the people of one frame, and the cast.

    Args:
        cast: of c portraits the movie, and whom they show.
        frames: n names of the candidates' frames.

    Returns:
        (c + n,) numbers; those with the same number are different people. A person's second portrait has a number of
            its own.
    """
    keys: list[Hashable] = [("again", row) if one in cast[:row] else ("cast", one[0]) for row, one in enumerate(cast)]
    numbers: dict[Hashable, int] = {}
    return np.array([numbers.setdefault(key, len(numbers)) for key in [*keys, *frames]], np.int64)


def resemblance(features: NDArray[np.floating], group: NDArray[np.integer]) -> Resemblance | None:
    """Measure how alike different people are, and how alike one person is.

    Args:
        features: (m, d) of any length; a row of zeros for people who have none.
        group: (m,) numbers, see `cannot_link_groups`.

    Returns:
        None where hardly anybody is certainly different.
    """
    lengths = np.linalg.norm(features, axis=1)
    unit, group = features[lengths > 0] / lengths[lengths > 0, None], group[lengths > 0]
    rows = np.arange(len(unit))[:: max(1, len(unit) // _SAMPLE)]
    cosines, together = unit[rows] @ unit.T, group[rows, None] == group
    itself = rows[:, None] == np.arange(len(unit))
    strangers = cosines[together & ~itself]
    if len(strangers) < 2 * _LEAST_PAIRS:  # each is there twice
        return None
    apart = np.where(together, -np.inf, cosines).max(axis=1)
    apart = apart[np.isfinite(apart)]
    same = float(np.quantile(apart, _ALIKE)) if len(apart) >= _LEAST_PEOPLE else float("nan")
    return Resemblance(len(strangers) // 2, float(np.median(strangers)), same)


def doubt(features: NDArray[np.floating], group: NDArray[np.integer], limits: Limits) -> str | None:
    """Say in a sentence why features may be wrong; see `resemblance` for the arguments. None if they look right."""
    found = resemblance(features, group)
    if found is None or not found.same - found.different < limits.gap:
        return None
    return (
        f"the {limits.noun} of different people are nearly as alike as those of one person: their median cosine is "
        f"{found.different:.2f}, and whoever is most alike in another frame has {found.same:.2f}. Either nobody is "
        "seen twice, or the network's input is normalised in another way than it wants, or its file is damaged"
    )


def check_features(crops: Crops, features: NDArray[np.floating], limits: Limits) -> None:
    """Stop for features that cannot tell people apart, and warn in the log of those that hardly can.

    Args:
        crops: of the movie.
        features: (c + n, d) of cast and candidates, or (n, d) of the candidates alone, of any length; a row of zeros
            for people who have none.
        limits: of what is described.

    Raises:
        InputError: different people are all alike.
    """
    num_cast = len(crops.cast)
    people = [(crops.movie, name) for name in crops.cast_names]
    group = cannot_link_groups(people, crops.frames[num_cast:])[len(crops.ids) - len(features) :]
    found = resemblance(features, group)
    if found and found.different > limits.greatest:
        raise InputError(
            f"{crops.name}: the features of {found.pairs} pairs of different people have a median cosine of "
            f"{found.different:.4f}, so the network cannot tell people apart: its input may be normalised in another "
            "way than it wants, or its file may be damaged; the log says how it is normalised"
        )
    if doubtful := doubt(features, group, limits):
        logger.warning("%s: %s", crops.name, doubtful)
