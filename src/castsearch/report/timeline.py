"""The timeline of a movie's page: a lane for each person, with a span for each appearance."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from castsearch.data.name_tables import UNKNOWN
from castsearch.timeline.appearances import read_appearances

_REVIEWED = 12  # appearances that are proposed to be looked at …
_SURE = 0.98  # … none of which is surer than that
_TICKS = 5


@dataclass(frozen=True)
class Span:
    """One appearance as it is drawn.

    Attributes:
        box: what a correction calls it: "track" and its number, or the id of a box.
        person: who it shows.
        likeliest: the likeliest cast member; empty where nobody is likely.
        start: when it begins, in words,
        end: and when it ends.
        left: where it begins, in per cent of the movie,
        width: and how long it is.
        row: of its lane, from 0, so that spans of one time lie one below the other.
        confidence: in that it is the likeliest cast member.
    """

    box: str
    person: str
    likeliest: str
    start: str
    end: str
    left: float
    width: float
    row: int
    confidence: float


@dataclass(frozen=True)
class Lane:
    """The appearances of one person, or of all who are unknown.

    Attributes:
        person: the name.
        time: how long on screen, in words; empty for the unknown, who are several people.
        spans: by start.
        rows: how many lie one below the other.
    """

    person: str
    time: str
    spans: Sequence[Span]
    rows: int


@dataclass(frozen=True)
class Timeline:
    """Who appears when in a movie.

    Attributes:
        unit: "seconds" or "frames".
        ticks: times in words, at equal distances from the start to the end.
        lanes: the cast by falling time on screen, then the unknown.
        review: what is least certain, and so is to be looked at first.
    """

    unit: str
    ticks: Sequence[str]
    lanes: Sequence[Lane]
    review: Sequence[Span]


def read_timeline(path: str | Path) -> Timeline:
    """Read a movie's table of appearances as its page shows it."""
    rows = read_appearances(path)
    unit = rows["unit"].iloc[0] if len(rows) else "frames"
    start, end = (rows["start"].min(), rows["end"].max()) if len(rows) else (0.0, 1.0)
    length = max(end - start, 1e-9)
    lanes = []
    for person, own in rows.groupby("person"):
        spans = _spans(own, start, length)
        time = "" if person == UNKNOWN else in_words((own["end"] - own["start"]).sum(), unit)
        lanes.append((person == UNKNOWN, -(own["end"] - own["start"]).sum(), Lane(person, time, *spans)))
    ordered = [lane for *_, lane in sorted(lanes, key=lambda each: (each[0], each[1], each[2].person))]
    doubtful = sorted(
        (span for lane in ordered for span in lane.spans if span.likeliest and span.confidence < _SURE),
        key=lambda span: (abs(span.confidence - 0.5), -span.width),
    )
    ticks = [in_words(start + length * tick / (_TICKS - 1), unit) for tick in range(_TICKS)] if len(rows) else []
    return Timeline(unit, ticks, ordered, doubtful[:_REVIEWED])


def in_words(time: float, unit: str) -> str:
    """Return a time as people read it: 1:02:03.4, or a number of frames."""
    if unit == "frames":
        return f"{time:.0f}"
    tenths = round(10 * time)
    hours, minutes, seconds = tenths // 36000, tenths // 600 % 60, tenths / 10 % 60
    return f"{hours}:{minutes:02d}:{seconds:04.1f}" if hours else f"{minutes}:{seconds:04.1f}"


def _spans(rows: pd.DataFrame, start: float, length: float) -> tuple[list[Span], int]:
    """The spans of one lane, and in how many rows they lie: each in the first that is free."""
    spans: list[Span] = []
    ends: list[float] = []
    for each in rows.itertuples(index=False):
        row = next((number for number, end in enumerate(ends) if end <= each.start), len(ends))
        ends[row : row + 1] = [each.end]
        spans.append(
            Span(
                box=f"track {each.track}" if each.unit == "seconds" else each.track,
                person=each.person,
                likeliest=each.likeliest,
                start=in_words(each.start, each.unit),
                end=in_words(each.end, each.unit),
                left=100 * (each.start - start) / length,
                width=100 * (each.end - each.start) / length,
                row=row,
                confidence=each.confidence,
            )
        )
    return spans, len(ends)
