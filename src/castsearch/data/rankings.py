"""The tables of rankings that the search writes: how to read one variant's answers from them."""

import json
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pyarrow.compute as pc

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


def read_rankings(paths: Iterable[str | Path], variant: str) -> dict[str, list[str]]:
    """Read one variant's rankings of several movies of one split.

    Args:
        paths: tables with a row per variant and cast member: `variant`, `cast`, `name` and `ranking`, a list of
            candidate ids. Rows with a name are of people whom somebody has named, and are left out.
        variant: the variant's key.

    Returns:
        Cast id → candidate ids, best first.

    Raises:
        InputError: a file has rankings, but none by this variant; or a cast id has two, of which only one could be
            scored or handed in.
    """
    rankings: dict[str, list[str]] = {}
    for ids, orders in _orders(paths, variant):
        names = np.array(ids, object)  # so that each id is one object, however often ranked
        rankings |= {cast: names[order].tolist() for cast, order in orders.items()}
    return rankings


def read_ranks(
    paths: Iterable[str | Path], variant: str, wanted: Mapping[str, Collection[str]]
) -> dict[str, list[int]]:
    """Read at which ranks, from 1 on, one variant has what is wanted; no ranking is held as a whole.

    Args:
        paths: see `read_rankings`; so are the errors.
        variant: the variant's key.
        wanted: candidate ids by cast id.

    Returns:
        Cast id → ascending ranks of those wanted candidates that are ranked.
    """
    ranks: dict[str, list[int]] = {}
    for ids, orders in _orders(paths, variant):
        place = {name: number for number, name in enumerate(ids)}
        for cast, order in orders.items():
            is_wanted = np.zeros(len(ids), bool)
            is_wanted[[place[name] for name in wanted.get(cast, ()) if name in place]] = True
            ranks[cast] = (np.flatnonzero(is_wanted[order]) + 1).tolist()
    return ranks


def _orders(paths: Iterable[str | Path], variant: str) -> Iterator[tuple[list[str], dict[str, np.ndarray]]]:
    """Candidate ids, and by cast id their numbers in the order of one variant's ranking; see `read_rankings`.

    They stay on the disk until they are looked at, where a variant across movies has gigabytes.
    """
    seen: set[str] = set()
    for path in paths:
        table = files.read_table(path)
        if len(table) and not pc.any(pc.equal(table["variant"], variant)).as_py():
            raise InputError(f"{path}: has no ranking by {variant}; delete it to have it made again")
        for batch in table.to_batches():
            own = np.flatnonzero(pc.and_(pc.equal(batch["variant"], variant), pc.is_null(batch["name"])))
            if len(own) == 0:
                continue
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
    """What one variant says of c portraits and n candidates, in one order of the candidates.

    Attributes:
        cast: c ids, those of boxes for people whom somebody has named.
        names: of these people, by such an id.
        person: (c,) numbers of whom the portraits show.
        candidates: n ids.
        score: (c, n) float32,
        share: (c, n) float32; see `castsearch.search.search_result`.
    """

    cast: list[str]
    names: dict[str, str]
    person: np.ndarray
    candidates: list[str]
    score: np.ndarray
    share: np.ndarray


def read_shares(path: str | Path, variant: str) -> Shares:
    """Read scores and shares of one variant that has them; without any cast, nobody has a score.

    Raises:
        InputError: the file has rankings, but none by this variant.
    """
    table = files.read_table(path)
    own = table.filter(pc.equal(table["variant"], variant)).combine_chunks()
    if len(own) == 0:
        if len(table):
            raise InputError(f"{path}: has no ranking by {variant}; delete it to have it made again")
        return Shares([], {}, np.empty(0, int), [], *np.empty((2, 0, 0), np.float32))
    ranked = own["ranking"].combine_chunks().flatten()
    order = ranked.indices.to_numpy().reshape(len(own), -1)
    by_candidate = []
    for name in ("score", "share"):
        values = np.zeros(order.shape, np.float32)
        by_rank = own[name].combine_chunks().flatten().to_numpy(zero_copy_only=False).reshape(order.shape)
        for row, places, known in zip(values, order, by_rank, strict=True):
            row[places] = known
        by_candidate.append(values)
    cast = own["cast"].to_pylist()
    names = {name: label for name, label in zip(cast, own["name"].to_pylist(), strict=True) if label}
    return Shares(cast, names, own["person"].to_numpy(), ranked.dictionary.to_pylist(), *by_candidate)
