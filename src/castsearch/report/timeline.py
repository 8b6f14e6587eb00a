"""The timeline of a movie's page: a lane for each person, with a span for each appearance; and the unknown people."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from castsearch import files
from castsearch.data.crops import Crops, read_crops
from castsearch.data.nameless import UNKNOWN, is_nameless
from castsearch.report.stored_image import Encoded, stored_images
from castsearch.timeline.appearances import read_appearances
from castsearch.tsv import read_tsv

_TICKS = 5
_FACES = 4  # pictures of an unknown person


class Picture(NamedTuple):
    """What shows somebody best.

    Attributes:
        image: the crop; None where it cannot be read.
        quality: of the face in it, 0 where none is seen.
    """

    image: Encoded | None
    quality: float


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
        picture: its best crop; None where there is none to show.
        seconds: from when to when it lasts, from the start of the film's file; None where the movie has no times.
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
    picture: Picture | None = None
    seconds: tuple[float, float] | None = None

    @property
    def is_nameless(self) -> bool:
        """Whether it shows somebody unknown."""
        return is_nameless(self.person)

    @property
    def is_doubtful(self) -> bool:
        """Whether it may well be right and may well be wrong who it shows."""
        return bool(self.likeliest) and self.confidence < 0.9 and (self.confidence >= 0.1 or not self.is_nameless)


@dataclass(frozen=True)
class Lane:
    """The appearances of one person, or of all who are unknown and seen once.

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

    @property
    def is_group(self) -> bool:
        """Whether this is somebody unknown who is seen again."""
        return self.person.startswith(f"{UNKNOWN} ")

    @property
    def best(self) -> list[Span]:
        """The few spans that show the face best, those without a face last."""
        shown = [span for span in self.spans if span.picture is not None]
        return sorted(shown, key=lambda span: -span.picture.quality if span.picture else 0)[:_FACES]


@dataclass(frozen=True)
class Timeline:
    """Who appears when in a movie.

    Attributes:
        unit: "seconds" or "frames".
        ticks: times in words, at equal distances from the start to the end.
        lanes: the cast by falling time on screen, then unknown people, then the unknown who are seen once.
        review: whose answer would change most, and so is to be looked at first.
        screen_time: a row per person, see `castsearch.timeline.summary`, with times in words.
        together: a row per pair of people, likewise.
    """

    unit: str
    ticks: Sequence[str]
    lanes: Sequence[Lane]
    review: Sequence[Span]
    screen_time: Sequence[Mapping[str, str]] = ()
    together: Sequence[Mapping[str, str]] = ()

    @property
    def groups(self) -> list[Lane]:
        """The unknown people who are seen again."""
        return [lane for lane in self.lanes if lane.is_group]

    @property
    def known(self) -> list[Lane]:
        """Those who have a name, by falling time on screen."""
        return [lane for lane in self.lanes if not lane.is_group and lane.person != UNKNOWN]

    @property
    def people(self) -> list[str]:
        """The names of those who have one, by falling time on screen."""
        return [lane.person for lane in self.known]

    def lasting(self, lane: Lane) -> str:
        """How long somebody is on screen, with the unit where it is frames."""
        if self.unit != "frames":
            return lane.time
        return f"{lane.time} frame" if lane.time == "1" else f"{lane.time} frames"

    def in_short(self) -> "Timeline":
        """What of it the index of all movies says: how long those who have a name are on screen."""
        lanes = [replace(lane, spans=()) for lane in self.known]
        return Timeline(self.unit, self.ticks, lanes, review=())


@dataclass(frozen=True)
class Summaries:
    """What is read of all movies for their timelines.

    Attributes:
        review: by split and movie the boxes to look at first.
        screen_time: likewise the rows of that table.
        together: likewise.
    """

    review: Mapping[tuple[str, str], Sequence[str]]
    screen_time: Mapping[tuple[str, str], pd.DataFrame]
    together: Mapping[tuple[str, str], pd.DataFrame]


def read_timelines(
    appearances: Sequence[str | Path],
    crop_tables: Sequence[str | Path],
    face_tables: Sequence[str | Path],
    review: Iterable[tuple[str, str | Path]],
    summaries: tuple[str | Path, str | Path],
) -> Iterator[Timeline]:
    """Read the timelines of all movies, one after the other.

    Args:
        appearances: table of each movie, or none at all where nobody is named, and nobody has a timeline,
        crop_tables: its crops,
        face_tables: and its faces, which tell what shows somebody best.
        review: split and path of each table of what to look at first.
        summaries: the tables of screen time and of who is together, of all movies.
    """
    if not appearances:
        return
    proposed: dict[tuple[str, str], list[str]] = {}
    for split, path in review:
        for row in read_tsv(path).itertuples(index=False):
            proposed.setdefault((split, row.movie), []).append(row.box)
    text = {"split": str, "movie": str, "person": str, "other": str}
    tables = [pd.read_csv(path, sep="\t", dtype=text, keep_default_na=False) for path in summaries]
    of_movies = (dict(tuple(table.groupby(["split", "movie"]))) for table in tables)
    of_all = Summaries(proposed, *of_movies)
    for path, crops, faces in zip(appearances, crop_tables, face_tables, strict=True):
        yield read_timeline(path, crops, faces, of_all)


def read_timeline(path: str | Path, crop_table: str | Path, faces: str | Path, summaries: Summaries) -> Timeline:
    """Read what a movie's page shows of who appears when.

    Args:
        path: its table of appearances.
        crop_table: that of the movie.
        faces: its table of faces, which tells what shows somebody best.
        summaries: of all movies.
    """
    crops, rows = read_crops(crop_table), read_appearances(path)
    unit = rows["unit"].iloc[0] if len(rows) else "frames"
    start, end = (rows["start"].min(), rows["end"].max()) if len(rows) else (0.0, 1.0)
    length = max(end - start, 1e-9)
    lanes = _lanes(rows, start, length, _pictures(crop_table, crops, faces))
    movie = crops.split, crops.movie
    by_box = {span.box: span for lane in lanes for span in lane.spans}
    called = dict(zip(crops.candidates, _called(crops), strict=True))
    proposed = [called[box] for box in summaries.review.get(movie, ()) if box in called]
    ticks = [in_words(start + length * tick / (_TICKS - 1), unit) for tick in range(_TICKS)] if len(rows) else []
    return Timeline(
        unit,
        ticks,
        lanes,
        [by_box[box] for box in proposed if box in by_box],
        _in_words(summaries.screen_time.get(movie), ("on_screen", "low", "high", "first", "last")),
        _in_words(summaries.together.get(movie), ("in_frame", "in_shot")),
    )


def in_words(time: float, unit: str) -> str:
    """Return a time as people read it: 1:02:03.4, or a number of frames."""
    if unit == "frames":
        return f"{time:.0f}"
    tenths = round(10 * time)
    hours, minutes, seconds = tenths // 36000, tenths // 600 % 60, tenths / 10 % 60
    return f"{hours}:{minutes:02d}:{seconds:04.1f}" if hours else f"{minutes}:{seconds:04.1f}"


def _called(crops: Crops) -> list[str]:
    """What a correction calls each candidate."""
    tracks = crops.tracks[len(crops.cast) :].tolist()
    return [f"track {track}" if track > 0 else box for box, track in zip(crops.candidates, tracks, strict=True)]


def _pictures(crop_table: str | Path, crops: Crops, faces: str | Path) -> dict[str, Picture]:
    """What shows each track or box best: the crop with the largest sure face."""
    table = files.read_table(faces)
    quality = np.where(table["selected"].to_numpy(), table["size"].fill_null(0).to_numpy(), 0)
    quality = (quality * table["score"].fill_null(0).to_numpy())[len(crops.cast) :]
    best: dict[str, int] = {}
    for row, box in enumerate(_called(crops)):
        if box not in best or quality[row] > quality[best[box]]:
            best[box] = row
    images = stored_images(crop_table, crops.readable)[len(crops.cast) :]
    return {box: Picture(images[row], float(quality[row])) for box, row in best.items()}


def _in_words(table: pd.DataFrame | None, times: Sequence[str]) -> list[dict[str, str]]:
    """The rows of a table with its times in words."""
    rows = [] if table is None else table.to_dict("records")
    for row in rows:
        row |= {name: in_words(float(row[name]), row["unit"]) if str(row[name]) else "" for name in times}
    return rows


def _lanes(rows: pd.DataFrame, start: float, length: float, pictures: Mapping[str, Picture]) -> list[Lane]:
    """A lane for each person of a table of appearances, in the order of `Timeline.lanes`."""
    of_people: dict[str, list[Any]] = {}
    for row in rows.itertuples(index=False):
        of_people.setdefault(row.person, []).append(row)
    lanes = []
    for person, own in of_people.items():
        on_screen = sum(row.end - row.start for row in own)
        time = "" if person == UNKNOWN else in_words(on_screen, own[0].unit)
        lane = Lane(person, time, *_spans(own, start, length, pictures))
        lanes.append((person == UNKNOWN, lane.is_group, -on_screen, person, lane))
    return [lane for *_, lane in sorted(lanes, key=lambda each: each[:-1])]


def _spans(rows: Iterable[Any], start: float, length: float, pictures: Mapping[str, Picture]) -> tuple[list[Span], int]:
    """The spans of a lane, from rows of the table, and in how many rows they lie: each in the first that is free."""
    spans: list[Span] = []
    ends: list[float] = []
    for each in rows:
        row = next((number for number, end in enumerate(ends) if end <= each.start), len(ends))
        ends[row : row + 1] = [each.end]
        box = f"track {each.track}" if each.unit == "seconds" else each.track
        spans.append(
            Span(
                box=box,
                person=each.person,
                likeliest=each.likeliest,
                start=in_words(each.start, each.unit),
                end=in_words(each.end, each.unit),
                left=100 * (each.start - start) / length,
                width=100 * (each.end - each.start) / length,
                row=row,
                confidence=each.confidence,
                picture=pictures.get(box),
                seconds=(each.start, each.end) if each.unit == "seconds" else None,
            )
        )
    return spans, len(ends)
