"""Scores of one ranking, and their mean: average precision, the rank of the first hit, and CMC.

The functions know nothing of movies, files or tables, so that whatever ranks something can be scored by them.
"""

import math
from collections.abc import Collection, Hashable, Iterable, Mapping, Sequence
from typing import TypeVar

Item = TypeVar("Item", bound=Hashable)


def hit_ranks(relevant: Iterable[Item], ranking: Iterable[Item]) -> list[int]:
    """Return the ranks of the relevant items that are listed.

    Ranks start at 1 and count distinct items: only the first mention of an item counts.

    Args:
        relevant: what should be found, in any order.
        ranking: the answer, best first.

    Returns:
        Ranks in ascending order.
    """
    relevant = set(relevant)
    return [rank for rank, item in enumerate(dict.fromkeys(ranking), start=1) if item in relevant]


def average_precision_at(ranks: Sequence[int], num_relevant: int) -> float:
    """Average precision from the ranks of the hits: the mean, over all relevant items, of the precision at each one.

    Args:
        ranks: ranks of the hits, from 1, in ascending order.
        num_relevant: how many items are relevant; one that is not among the hits counts 0.

    Returns:
        A number in [0, 1], or NaN where nothing is relevant: the value is then undefined (0/0).
    """
    if num_relevant == 0:
        return math.nan
    return sum(hits / rank for hits, rank in enumerate(ranks, start=1)) / num_relevant


def average_precision(relevant: Iterable[Item], ranking: Iterable[Item]) -> float:
    """Average precision of one ranking, as the WIDER person search challenge computes it.

    Example:
        >>> average_precision({"a", "c"}, ["a", "b", "c"])
        0.8333333333333333

    Args:
        relevant: what should be found.
        ranking: the answer, best first; see `hit_ranks` for how repeated items count.

    Returns:
        See `average_precision_at`.
    """
    relevant = set(relevant)
    return average_precision_at(hit_ranks(relevant, ranking), len(relevant))


def matched_within(rank: int | None, k: int) -> float:
    """Return CMC@k of one query: 1.0 where the first hit, at `rank`, is among the first `k` answers, else 0.0."""
    return float(rank is not None and rank <= k)


def mean_average_precision(labels: Mapping[str, Collection[str]], submission: Mapping[str, Sequence[str]]) -> float:
    """Mean of the average precision over the labelled queries, which is the challenge's score.

    A query without any relevant candidate has no average precision. It is left out, as is usual in retrieval; the
    challenge has no such query.

    Args:
        labels: relevant candidate ids per cast id.
        submission: ranked candidate ids per cast id. A query that is missing here scores 0.

    Returns:
        A number in [0, 1], or NaN without a query to score.
    """
    scored = [average_precision(relevant, submission.get(cast, ())) for cast, relevant in labels.items() if relevant]
    return math.fsum(scored) / len(scored) if scored else math.nan
