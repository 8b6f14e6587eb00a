"""The tables of rankings that `castsearch.search.ranking_table` makes: how to read one variant's answers from them."""

import json
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray
from scipy import sparse

from castsearch import files
from castsearch.errors import InputError


def by_split(paths: Iterable[str | Path]) -> dict[str, list[Path]]:
    """Sort tables of rankings by the split that was searched."""
    splits: dict[str, list[Path]] = {}
    for path in map(Path, paths):
        split = files.read_table(path).schema.metadata[b"split"].decode()
        splits.setdefault(split, []).append(path)
    return splits


def read_doubts(paths: Iterable[str | Path]) -> list[tuple[str, str]]:
    """Read why features may be wrong: split and movie, or what else was searched as one, and the reason."""
    found = []
    for path in map(Path, paths):
        metadata = files.read_table(path).schema.metadata
        reasons = json.loads(metadata.get(b"doubts", b"[]"))
        found += [(f"{metadata[b'split'].decode()}/{path.stem}", reason) for reason in reasons]
    return found


def read_alike(paths: Iterable[str | Path]) -> dict[str, list[str]]:
    """Read of one split which portraits look like those of another name: cast id → ids of these."""
    alike: dict[str, list[str]] = {}
    for path in paths:
        for one, other in json.loads(files.read_table(path).schema.metadata.get(b"alike", b"[]")):
            alike.setdefault(one, []).append(other)
            alike.setdefault(other, []).append(one)
    return alike


def each_ranking(paths: Iterable[str | Path], variant: str) -> Iterator[tuple[str, list[str]]]:
    """Read one variant's rankings of several movies of one split, one after the other.

    Args:
        paths: tables with a row per variant and cast member: `variant`, `cast`, `name` and `ranking`, a list of
            candidate ids. Rows with a name are of people whom somebody has named, and are left out.
        variant: the variant's key.

    Yields:
        A cast id, and candidate ids, best first.

    Raises:
        InputError: a file has rankings, but none by this variant; or a cast id has two, of which only one could be
            scored or handed in.
    """
    for ids, orders in _orders(paths, variant):
        names = np.array(ids, object)  # so that each id is one object, however often ranked
        yield from ((cast, names[order].tolist()) for cast, order in orders.items())


def read_ranks(
    paths: Iterable[str | Path], variant: str, wanted: Mapping[str, Collection[str]], top: int = 0
) -> dict[str, dict[str, int]]:
    """Read at which ranks, from 1 on, one variant has what is wanted; no ranking is held as a whole.

    Args:
        paths: see `each_ranking`; so are the errors.
        variant: the variant's key.
        wanted: candidate ids by cast id.
        top: of how many of the best the ranks are wanted besides.

    Returns:
        Cast id → ranks of those wanted candidates that are ranked, by candidate id, in ascending order.
    """
    ranks: dict[str, dict[str, int]] = {}
    for ids, orders in _orders(paths, variant):
        place = {name: number for number, name in enumerate(ids)}
        for cast, order in orders.items():
            is_wanted = np.zeros(len(ids), bool)
            is_wanted[[place[name] for name in wanted.get(cast, ()) if name in place]] = True
            is_wanted[order[:top]] = True
            ranks[cast] = {ids[order[rank]]: rank + 1 for rank in np.flatnonzero(is_wanted[order]).tolist()}
    return ranks


def _orders(paths: Iterable[str | Path], variant: str) -> Iterator[tuple[list[str], dict[str, np.ndarray]]]:
    """Candidate ids, and by cast id their numbers in the order of one variant's ranking; see `each_ranking`."""
    seen: set[str] = set()
    for path in paths:
        for batch, rows in _batches(path, variant):
            own = rows[batch["name"].take(rows).is_null().to_numpy(zero_copy_only=False)]
            cast, starts = batch["cast"].take(own).to_pylist(), batch["ranking"].offsets.to_numpy()
            twice = next((name for name, times in Counter([*seen, *cast]).items() if times > 1), None)
            if twice is not None:
                raise InputError(f"{path}: cast {twice}: has a second ranking by {variant}")
            seen.update(cast)
            ranked = batch["ranking"].values
            numbers = ranked.indices.to_numpy()
            orders = [numbers[starts[row] : starts[row + 1]] for row in own]
            yield ranked.dictionary.to_pylist(), dict(zip(cast, orders, strict=True))


class Shares(NamedTuple):
    """What one variant says of c portraits and n candidates.

    Attributes:
        cast: c ids, those of boxes for people whom somebody has named.
        names: of these people, by such an id.
        person: (c,) numbers of whom the portraits show.
        candidates: n ids with their columns in the arrays.
        score: (people, n) float32, by rising number of the people; 0 where the share is too small.
        share: (people, n) float32; see `castsearch.search.search_result`.
    """

    cast: list[str]
    names: dict[str, str]
    person: NDArray[np.integer]
    candidates: dict[str, int]
    score: sparse.csc_array
    share: sparse.csc_array


def read_shares(path: str | Path, variant: str, least: float) -> Shares:
    """Read scores and shares of one variant that has them; without any cast, nobody has a score.

    Args:
        path: the table of rankings.
        variant: the variant's key.
        least: share from which on a candidate is of interest.

    Raises:
        InputError: the file has rankings, but none by this variant.
    """
    cast: list[str] = []
    names: dict[str, str] = {}
    person: list[int] = []
    ids: list[str] = []
    likely: dict[int, tuple[np.ndarray, np.ndarray, np.ndarray]] = {}
    for batch, own in _batches(path, variant):
        labels, numbers = (batch[name].take(own).to_pylist() for name in ("name", "person"))
        cast += batch["cast"].take(own).to_pylist()
        names |= {name: label for name, label in zip(cast[-len(own) :], labels, strict=True) if label}
        person += numbers
        ids = ids or batch["ranking"].values.dictionary.to_pylist()
        for row, number in zip(own.tolist(), numbers, strict=True):
            if number not in likely:  # portraits of one person have one answer
                share = batch["share"][row].values.to_numpy().astype(np.float32)
                places = np.flatnonzero(share >= least)
                order, score = (batch[name][row].values for name in ("ranking", "score"))
                likely[number] = order.indices.to_numpy()[places], score.to_numpy()[places], share[places]
    rows = [likely[number] for number in sorted(likely)]
    starts = np.cumsum([0, *(len(columns) for columns, _, _ in rows)])
    columns, score, share = map(np.concatenate, zip(*rows, strict=True)) if rows else np.empty((3, 0), int)
    by_column = (
        sparse.csr_array((values.astype(np.float32), columns, starts), shape=(len(rows), len(ids))).tocsc()
        for values in (score, share)
    )
    candidates = {name: column for column, name in enumerate(ids)}
    return Shares(cast, names, np.array(person, int), candidates, *by_column)


def _batches(path: str | Path, variant: str) -> Iterator[tuple[pa.RecordBatch, NDArray[np.integer]]]:
    """Yield the parts of a table of rankings that have some of one variant, and the numbers of those rows.

    They stay on the disk until they are looked at, where a variant across movies has gigabytes.
    """
    table = files.read_table(path)
    if len(table) and not pc.any(pc.equal(table["variant"], variant)).as_py():
        raise InputError(f"{path}: has no ranking by {variant}; delete it to have it made again")
    for batch in table.to_batches():
        own = np.flatnonzero(pc.equal(batch["variant"], variant))
        if len(own):
            yield batch, own
            files.release_pages()
