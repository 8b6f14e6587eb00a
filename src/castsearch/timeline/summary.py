"""Screen time of each person, and who is on screen with whom, from the tables of appearances.

`screen_time` has a row per movie and person, by falling screen time:

    on_screen            how long, in `unit`: seconds, or frames where the movie has no times
    low, high            interval that has the true value with a probability of about 95 %, if the confidences are right
    share                of the movie
    first, last          when the person is first seen, and until when
    appearances          how many tracks, or boxes

`together` has a row per movie and pair of people who share a frame or a shot: how long they are on screen at one time
(`in_frame`), and how long the shots are in which both appear (`in_shot`, empty where there are no shots).
"""

from collections.abc import Iterable, Mapping
from itertools import combinations

import networkx as nx
import numpy as np
import pandas as pd

from castsearch.data.nameless import UNKNOWN

SCREEN_TIME = ("split", "movie", "person", "unit", "on_screen", "low", "high", "share", "first", "last", "appearances")
TOGETHER = ("split", "movie", "person", "other", "unit", "in_frame", "in_shot")
_INTERVAL = 1.96  # standard deviations of a normal distribution, for 95 %


def screen_time(split: str, movie: str, appearances: pd.DataFrame, length: float) -> pd.DataFrame:
    """Sum up how long each person is on screen.

    Args:
        split: of the movie.
        movie: its name.
        appearances: its table, see `castsearch.timeline.appearances`.
        length: of the movie, in seconds or frames.
    """
    rows = []
    likely = dict(tuple(appearances.groupby("likeliest")))
    for person, own in appearances[appearances["person"] != UNKNOWN].groupby("person", sort=True):
        time = _length(_union(own))
        low, high = _interval(likely.get(person, appearances[:0]), time)
        share = time / length if length else 0.0
        bounds = (own["start"].min(), own["end"].max())
        rows.append((split, movie, person, own["unit"].iloc[0], time, low, high, share, *bounds, len(own)))
    table = pd.DataFrame(rows, columns=SCREEN_TIME)
    return table.sort_values(["on_screen", "person"], ascending=[False, True], ignore_index=True)


def together(split: str, movie: str, appearances: pd.DataFrame, shots: Mapping[int, float]) -> pd.DataFrame:
    """Sum up how long each two people are on screen together.

    Args:
        split: of the movie.
        movie: its name.
        appearances: its table, see `castsearch.timeline.appearances`.
        shots: length of each shot by its number; empty where there are none.
    """
    # A shot of a film's last frame alone may have no length, and nobody is together there.
    lasting = appearances["end"] > appearances["start"]
    named = appearances[lasting & (appearances["person"] != UNKNOWN)]
    people = {person: (_union(own), set(own["shot"].dropna())) for person, own in named.groupby("person")}
    unit = appearances["unit"].iloc[0] if len(appearances) else "seconds"
    rows = []
    for person, other in sorted(_meeting(named)):
        (times, own), (other_times, other_own) = people[person], people[other]
        in_frame = _length(_common(times, other_times))
        in_shot = sum(shots[shot] for shot in own & other_own) if shots else np.nan
        rows.append((split, movie, person, other, unit, in_frame, in_shot))
    return pd.DataFrame(rows, columns=TOGETHER)


def graph(screen: pd.DataFrame, pairs: pd.DataFrame) -> nx.Graph:
    """Make a graph of people, with their screen time, and of how long they are together.

    A node's id has split and movie before the person's name, which several movies may have.
    """
    network = nx.Graph()
    for row in screen.itertuples(index=False):
        values = {"split": row.split, "movie": row.movie, "label": row.person, "unit": row.unit}
        network.add_node(f"{row.split}/{row.movie}/{row.person}", **values, on_screen=float(row.on_screen))
    for row in pairs.itertuples(index=False):
        values = {"in_frame": float(row.in_frame)} | ({"in_shot": float(row.in_shot)} if row.in_shot >= 0 else {})
        place = f"{row.split}/{row.movie}"
        network.add_edge(f"{place}/{row.person}", f"{place}/{row.other}", **values)
    return network


def to_graphml(network: nx.Graph) -> str:
    """Return a graph as the text of a GraphML file."""
    return "\n".join(nx.generate_graphml(network, named_key_ids=True)) + "\n"


def _meeting(appearances: pd.DataFrame) -> set[tuple[str, str]]:
    """Pairs of people, each in the order of names, who share a moment or a shot: of many people, few do."""
    rows = appearances.sort_values("start", kind="stable")
    people = rows["person"].tolist()
    until = np.searchsorted(rows["start"], rows["end"])  # how many start before a row ends
    pairs = {(person, other) for row, person in enumerate(people) for other in people[row + 1 : until[row]]}
    for _, own in rows.groupby("shot")["person"]:
        pairs |= {*combinations(set(own), 2)}
    return {(min(pair), max(pair)) for pair in pairs if pair[0] != pair[1]}


def _union(appearances: pd.DataFrame) -> np.ndarray:
    """(m, 2) starts and ends of the times that are covered by any, one after the other."""
    merged: list[list[float]] = []
    for start, end in sorted(zip(appearances["start"], appearances["end"], strict=True)):
        if merged and start <= merged[-1][1]:
            merged[-1][1] = max(merged[-1][1], end)
        else:
            merged.append([start, end])
    return np.array(merged, float).reshape(-1, 2)


def _common(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    """(m, 2) what two unions have in common."""
    start = np.maximum(one[:, None, 0], other[None, :, 0]).ravel()
    end = np.minimum(one[:, None, 1], other[None, :, 1]).ravel()
    return np.column_stack([start, end])[end > start]


def _length(spans: np.ndarray) -> float:
    return float((spans[:, 1] - spans[:, 0]).sum())


def _interval(likely: pd.DataFrame, time: float) -> tuple[float, float]:
    """What the time of independent appearances is, each with its confidence; it holds the time that was found.

    By a normal distribution, which few appearances do not have: then `high` may be more than all of them last.

    Nobody says how sure a group of unknown people is, so that it has none.
    """
    if likely.empty:
        return np.nan, np.nan
    lengths, sure = (likely["end"] - likely["start"]).to_numpy(), likely["confidence"].to_numpy()
    expected = (sure * lengths).sum()
    deviation = np.sqrt((sure * (1 - sure) * lengths**2).sum())
    low, high = expected - _INTERVAL * deviation, expected + _INTERVAL * deviation
    return max(0.0, min(low, time)), max(high, time)


def stack(tables: Iterable[pd.DataFrame], columns: tuple[str, ...]) -> pd.DataFrame:
    """Put the tables of movies one below the other."""
    filled = [table for table in tables if len(table)]
    return pd.concat(filled, ignore_index=True) if filled else pd.DataFrame(columns=columns)
