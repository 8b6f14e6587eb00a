"""The tables of names: whom each person box shows. This is their one reader and writer.

A table is tab-separated text with a row per box of the crop tables, in their order:

    movie, box, frame     ids, and the name of the frame that the box is cut out of
    time, shot, track     of the box in its film, time in seconds; empty where the movie is no film
    person                name of the cast member, or `castsearch.data.nameless.UNKNOWN`
    confidence            estimated probability that the box shows `likeliest`
    likeliest             name of the likeliest cast member; empty where nobody is likely
"""

from collections.abc import Iterable
from pathlib import Path

import pandas as pd

from castsearch.tsv import read_tsv, with_numbers, write_tsv

COLUMNS = ("movie", "box", "frame", "time", "shot", "track", "person", "confidence", "likeliest")
_NUMBERS = {"time": "Float64", "shot": "Int64", "track": "Int64", "confidence": "float64"}


def write_names(path: str | Path, names: pd.DataFrame) -> None:
    """Write a table of names."""
    table = names.loc[:, COLUMNS].assign(
        time=names["time"].map("{:.6f}".format, na_action="ignore"), confidence=names["confidence"].map("{:.4f}".format)
    )
    write_tsv(path, table)


def read_names(paths: Iterable[str | Path]) -> pd.DataFrame:
    """Read tables of names, one below the other."""
    tables = [pd.DataFrame(columns=COLUMNS, dtype=str), *map(read_tsv, paths)]
    return with_numbers(pd.concat(tables, ignore_index=True), _NUMBERS)
