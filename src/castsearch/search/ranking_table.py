"""The table of rankings, as stage fuse writes it; `castsearch.data.rankings` reads it.

It has a row for each variant of the search and each portrait.
"""

import json
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain

import numpy as np
import pyarrow as pa

from castsearch.search.facts import Facts
from castsearch.search.gallery import Gallery
from castsearch.search.neighbors import blocks
from castsearch.search.search_result import SearchResult
from castsearch.threads import in_threads

# A candidate's id is stored once, since each ranking has them all.
SCHEMA = pa.schema(
    [
        ("variant", pa.string()),
        ("cast", pa.string()),
        ("name", pa.string()),
        ("person", pa.int32()),
        ("ranking", pa.list_(pa.dictionary(pa.int32(), pa.string()))),
        ("score", pa.list_(pa.float16())),
        ("share", pa.list_(pa.float16())),
    ]
)
"""Columns of the table of rankings.

`variant` is the variant's key. `cast` is the id of a portrait, and `name` null; or `cast` is a box that is the portrait
of somebody who has none else, and `name` what corrections call that person. `person` is the number of whom the portrait
shows, among those of the variant. `score` and `share` are those of the ranked candidates, see `SearchResult`, in their
order; null where the method has none. They are 0 for what could not be read.
"""

TOGETHER = 1 << 24
"""Places of rankings that are written together: what they take beside the search's answer."""


def table_metadata(split: str, doubts: Sequence[str], alike: Iterable[tuple[str, str]]) -> dict[str, str]:
    """Return the metadata of a table of rankings.

    Args:
        split: that was searched.
        doubts: why features may be wrong, in sentences.
        alike: ids of every two portraits that look like one person's who has two names.
    """
    return {"split": split, "doubts": json.dumps(list(doubts)), "alike": json.dumps(sorted(set(alike)))}


def ranking_tables(gallery: Gallery, key: str, found: SearchResult, facts: Facts | None) -> Iterator[pa.Table]:
    """Make one variant's part of the table of rankings.

    Args:
        gallery: what was searched.
        key: of the variant.
        found: the answer to all portraits of the gallery, and then to the boxes that are portraits.
        facts: which boxes those are; None for none.

    Yields:
        Tables of `SCHEMA`, of some portraits after the others; those that could not be read come last.
    """
    lengths = np.array([len(own) for own in gallery.ranked], np.int32)
    ids = pa.array([*chain.from_iterable(gallery.ranked), *gallery.skipped_candidates], pa.string())
    searched = gallery.cast + [gallery.ranked[row][0] for row in (facts.portraits if facts else ())]
    cast = searched + gallery.skipped_cast
    names = [None] * len(gallery.cast) + (facts.names if facts else []) + [None] * len(gallery.skipped_cast)
    # A portrait that cannot be read is nobody's but its own.
    person = np.append(found.person, found.person.max(initial=-1) + 1 + np.arange(len(gallery.skipped_cast)))
    for rows in blocks(max(1, len(cast)), max(1, TOGETHER // max(1, len(ids)))):
        lists = _lists(found, found.person[rows], len(cast[rows]), lengths, ids)
        keys = pa.array([key] * len(cast[rows]), pa.string())
        yield pa.table([keys, cast[rows], names[rows], person[rows], *lists], schema=SCHEMA)


def _lists(
    found: SearchResult, person: np.ndarray, num_cast: int, lengths: np.ndarray, ids: pa.StringArray
) -> Iterator[pa.Array]:
    """The columns of some portraits that have lists.

    Args:
        found: the answer to all portraits.
        person: of those portraits, which come first, that could be read.
        num_cast: how many the portraits are.
        lengths: of n candidates, how many boxes each stands for.
        ids: of these boxes, and then of those that could not be read.
    """
    num_readable = lengths.sum()
    order = np.empty((num_cast, len(ids)), np.int32)
    order[: len(person), :num_readable] = _expand(found.order[person], lengths)
    order[len(person) :], order[:, num_readable:] = np.arange(len(ids)), np.arange(num_readable, len(ids))
    starts = np.arange(num_cast + 1, dtype=np.int32) * len(ids)
    yield pa.ListArray.from_arrays(starts, pa.DictionaryArray.from_arrays(order.ravel(), ids))
    for values in (found.score, found.share):
        if values is None:
            yield pa.nulls(num_cast, pa.list_(pa.float16()))
            continue
        by_rank = np.zeros(order.shape, np.float16)
        _put_by_rank(by_rank[: len(person), :num_readable], values, found.order, person, lengths)
        yield pa.ListArray.from_arrays(starts, pa.array(by_rank.ravel()))


def _put_by_rank(
    by_rank: np.ndarray, values: np.ndarray, order: np.ndarray, person: np.ndarray, lengths: np.ndarray
) -> None:
    """Write the values of some people's candidates into (c, boxes), in the order of their ranking."""

    def put(row: int) -> None:
        places = order[person[row]]
        # The same as astype, which takes 20 times as long for numbers that are tiny in half precision.
        half = pa.array(values[person[row], places]).cast(pa.float16()).to_numpy()
        by_rank[row] = np.repeat(half, lengths[places])

    in_threads(put, range(len(by_rank)))


def _expand(ranking: np.ndarray, lengths: np.ndarray) -> np.ndarray:
    """Put its boxes in the place of each candidate, in rankings (c, n); boxes count from one candidate to the next."""
    if (lengths == 1).all():
        return ranking
    starts = np.cumsum(lengths) - lengths
    expanded = np.empty((len(ranking), lengths.sum()), np.int32)
    for row, places in zip(expanded, ranking, strict=True):
        before = np.cumsum(lengths[places]) - lengths[places]
        row[:] = np.repeat(starts[places] - before, lengths[places]) + np.arange(len(row))
    return expanded
