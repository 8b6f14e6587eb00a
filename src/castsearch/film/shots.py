"""Shots: what the parts of a film tell of its changes, and the table of shots that is made of it.

How changes are found is in `shot_changes`, so that stages which only read shots do not run again with it.
"""

import json
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from castsearch import files
from castsearch.tsv import write_tsv

SHORTEST = 0.4  # seconds; what two changes closer than that enclose is a flash, or a part of a transition


class Shot(NamedTuple):
    """From the time of its first frame up to that of the next shot's first frame, in seconds."""

    start: float
    end: float


class Changes(NamedTuple):
    """What a part of a film tells about its shots, in seconds.

    Attributes:
        times: of the first frames of new shots.
        first: time of the part's first frame, None where it has none,
        end: and the time until which its last frame is shown.
        frames: how many the part has.
        damaged: how many packets were left out.
    """

    times: list[float]
    first: float | None
    end: float | None
    frames: int
    damaged: int


def write_changes(path: str | Path, changes: Changes) -> None:
    """Write what a part tells about its shots."""
    files.write_json(path, changes._asdict())


def read_changes(path: str | Path) -> Changes:
    """Read what `write_changes` wrote."""
    return Changes(**json.loads(Path(path).read_text()))


def join_changes(parts: Sequence[Changes], shortest: float = SHORTEST) -> list[Shot]:
    """Make the shots of a film of what its parts tell, in their order; a film without a change has one shot.

    A change that follows the last one, or the film's first frame, by less than `shortest` seconds is none.
    """
    starts: list[float] = []
    end = None
    for part in parts:
        if part.first is None or part.end is None:
            continue
        starts = starts or [part.first]
        end = part.end
        for time in part.times:
            if time - starts[-1] >= shortest:
                starts.append(time)
    return [] if end is None else [Shot(*bounds) for bounds in pairwise([*starts, end])]


def shot_numbers(times: NDArray[np.float64], shots: Sequence[Shot]) -> NDArray[np.int64]:
    """Return the number of the shot, from 1 on, that each of (n,) times in seconds lies in, (n,)."""
    return np.searchsorted([shot.start for shot in shots], times, side="right")


def write_shots(path: str | Path, shots: Sequence[Shot]) -> None:
    """Write a table with number, start, end and length of each shot, in seconds."""
    table = pd.DataFrame(shots, columns=Shot._fields)
    table.insert(0, "shot", np.arange(1, len(table) + 1))
    table["length"] = table["end"] - table["start"]
    write_tsv(path, table)


def read_shots(path: str | Path) -> list[Shot]:
    """Read what `write_shots` wrote."""
    table = pd.read_csv(path, sep="\t", dtype=float)
    return [Shot(*bounds) for bounds in table[["start", "end"]].to_numpy().tolist()]
