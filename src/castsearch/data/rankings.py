"""The tables of rankings that the search writes: how to read one variant's answers from them."""

import json
from collections.abc import Iterable
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
    for path in paths:
        table = files.read_table(path)
        if len(table) and not pc.any(pc.equal(table["variant"], variant)).as_py():
            raise InputError(f"{path}: has no ranking by {variant}; delete it to have it made again")
        # Batch by batch: only what is asked for leaves the disk, where a variant across movies has 50 MB.
        for batch in table.to_batches():
            own = batch.filter(pc.and_(pc.equal(batch["variant"], variant), pc.is_null(batch["name"])))
            if len(own) == 0:
                continue
            ranked = own["ranking"].flatten()
            ids = np.array(ranked.dictionary.to_pylist(), object)  # so that each id is one object, however often ranked
            ends = np.cumsum(own["ranking"].value_lengths().to_numpy())
            orders = np.split(ids[ranked.indices.to_numpy()], ends[:-1])
            for cast, order in zip(own["cast"].to_pylist(), orders, strict=True):
                if cast in rankings:
                    raise InputError(f"{path}: cast {cast}: has a second ranking by {variant}")
                rankings[cast] = order.tolist()
    return rankings


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
        np.put_along_axis(values, order, by_rank.astype(np.float32), axis=1)
        by_candidate.append(values)
    cast = own["cast"].to_pylist()
    names = {name: label for name, label in zip(cast, own["name"].to_pylist(), strict=True) if label}
    return Shares(cast, names, own["person"].to_numpy(), ranked.dictionary.to_pylist(), *by_candidate)
