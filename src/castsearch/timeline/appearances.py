"""The tables of appearances: who is on screen from when to when. This is their one reader and writer.

A movie's table is tab-separated text with a row per track of a film, or per box of a movie that has no times, by start:

    start, end    in seconds with milliseconds; frames stand for time in a movie without times, counted from 0
    unit          "seconds" or "frames"
    shot          number of the shot, empty where there are none
    track         number of the track; the id of the box, where there are none
    person        name of the cast member; "unknown 1" and so on where somebody unknown is seen again; else "unknown"
    confidence    estimated probability that this is `likeliest`
    likeliest     name of the likeliest cast member; empty where nobody is likely
    boxes         in how many sampled frames the person was found

A person is on screen from the first box of a track to one sample after the last, but not beyond the shot's end. Here,
boxes count to which the person was followed.
"""

from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa

from castsearch.tsv import read_tsv, with_numbers, write_tsv

COLUMNS = ("start", "end", "unit", "shot", "track", "person", "confidence", "likeliest", "boxes")
_NUMBERS = {"start": "float64", "end": "float64", "shot": "Int64", "confidence": "float64", "boxes": "int64"}


def of_film(names: pd.DataFrame, boxes: pa.Table, shots: pd.DataFrame, step: float) -> pd.DataFrame:
    """Make the appearances of a film.

    Args:
        names: the film's table of names, see `castsearch.data.name_tables`.
        boxes: of the film's tracks, see `castsearch.film.followed.join_boxes`.
        shots: a row per shot, with `shot`, `start` and `end` in seconds.
        step: seconds from one sampled frame to the next.
    """
    seen = boxes.select(["time", "shot", "track", "found"]).to_pandas().groupby("track")
    spans = seen.agg(start=("time", "min"), last=("time", "max"), shot=("shot", "first"), boxes=("found", "sum"))
    spans = spans.join(shots.set_index("shot")["end"].rename("shot_end"), on="shot")
    spans["end"] = np.minimum(spans["last"] + step, spans["shot_end"].fillna(np.inf))
    named = names.drop_duplicates("track").set_index("track")[["person", "confidence", "likeliest"]]
    rows = spans.join(named, how="inner").reset_index().assign(unit="seconds")
    rows["track"] = rows["track"].astype(str)
    return rows.sort_values(["start", "end", "track"], kind="stable", ignore_index=True).loc[:, COLUMNS]


def of_boxes(names: pd.DataFrame) -> pd.DataFrame:
    """Make the appearances of a movie without times, of which each frame stands for one unit of time.

    Args:
        names: the movie's table of names, see `castsearch.data.name_tables`.
    """
    _, frame = np.unique(names["frame"].to_numpy(str), return_inverse=True)
    rows = names.assign(start=frame, end=frame + 1, unit="frames", track=names["box"], boxes=1)
    return rows.sort_values("start", kind="stable", ignore_index=True).loc[:, COLUMNS]


def write_appearances(path: str | Path, appearances: pd.DataFrame) -> None:
    """Write the table of a movie."""
    decimals = "{:.3f}".format if (appearances["unit"] == "seconds").any() else "{:.0f}".format
    table = appearances.assign(
        start=appearances["start"].map(decimals),
        end=appearances["end"].map(decimals),
        confidence=appearances["confidence"].map("{:.4f}".format),
    )
    write_tsv(path, table)


def as_written(appearances: pd.DataFrame) -> pd.DataFrame:
    """Return a film's table as `read_appearances` reads it: with times in whole milliseconds."""
    times = {column: appearances[column].map(lambda time: round(time, 3)) for column in ("start", "end")}
    return appearances.assign(**times)


def read_appearances(path: str | Path) -> pd.DataFrame:
    """Read the table of a movie."""
    return with_numbers(read_tsv(path), _NUMBERS)
