"""What every format is written from: a film's frames, its appearances, and its boxes."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
import pyarrow as pa
from numpy.typing import NDArray

from castsearch import files
from castsearch.data.nameless import UNKNOWN
from castsearch.film.decode import Film
from castsearch.film.followed import join_boxes

NTSC = Fraction(1001, 1000)
"""What whole rates are divided by in television of some countries."""
USUAL_RATES = tuple(Fraction(rate, scale) for rate in (24, 25, 30, 48, 50, 60) for scale in (1, NTSC))
"""Frames a second that cameras and editing programs work with."""
_SAME_RATE = 0.0005  # relative difference, as the last frame's length is not known; 24 and 24000/1001 differ by 0.001
_STEADY = 0.25  # of a frame; a film whose frames stray further from one rate has no constant one


class Box(NamedTuple):
    """A box of a track in one frame: the frame's number, and the corners in pixels of the upright picture."""

    frame: int
    left: float
    top: float
    right: float
    bottom: float


class Appearance(NamedTuple):
    """A person in one track: from when to when in seconds, and where.

    Attributes:
        start: of the track.
        end: of the track.
        track: its number.
        person: a cast member, or "unknown".
        confidence: in that it is the likeliest cast member.
        boxes: by frame.
    """

    start: float
    end: float
    track: int
    person: str
    confidence: float
    boxes: list[Box]


@dataclass(frozen=True)
class FilmTimeline:
    """A film and who appears in it.

    Attributes:
        film: its name.
        video: the video file.
        size: width and height of the upright picture in pixels.
        times: of all frames, in seconds.
        rate: exact frames a second; one of `USUAL_RATES` where they come at a variable one.
        constant: whether the frames come at that rate.
        appearances: by start.
        timecode: of the first frame, as the file states it; None where it states none.
    """

    film: str
    video: Path
    size: tuple[int, int]
    times: NDArray[np.float64]
    rate: Fraction
    constant: bool
    appearances: list[Appearance]
    timecode: str | None = None

    @property
    def uri(self) -> str:
        """The video file as a URI."""
        return self.video.resolve().as_uri()

    @property
    def named(self) -> list[Appearance]:
        """The appearances of known people."""
        return [each for each in self.appearances if each.person != UNKNOWN]

    def frame_at(self, time: float) -> int:
        """Number of the first frame that is not shown before a time, from 0 on."""
        return int(np.searchsorted(self.times, time - 1e-6))

    def by_person(self) -> dict[str, list[Appearance]]:
        """The appearances of known people, by person; one that begins within another begins at its end instead."""
        people: dict[str, list[Appearance]] = {}
        for each in sorted(self.named, key=lambda own: (own.person, own.start)):
            own = people.setdefault(each.person, [])
            start = max(each.start, own[-1].end) if own else each.start
            if start < each.end:
                own.append(each._replace(start=start))
        return people


def load_timeline(
    film: str, video: str | Path, appearances: pd.DataFrame, tracks: str | Path, followed: Sequence[str | Path]
) -> FilmTimeline:
    """Gather what is known of a film.

    Args:
        film: its name.
        video: the video file.
        appearances: its table of appearances, see `castsearch.timeline.appearances`.
        tracks: its table of tracks.
        followed: the tables of who was followed, of its parts; none where boxes that were found are enough.

    Raises:
        InputError: the video cannot be read.
    """
    with Film(video) as opened:
        times = np.array([float(time) for time in opened.frame_times()])
        timecode = opened.timecode
    rate, constant = find_rate(times)
    table = files.read_table(tracks)
    boxes = _boxes(join_boxes(table, [files.read_table(path) for path in followed]), times)
    rows = appearances.itertuples(index=False)
    found = [
        Appearance(row.start, row.end, int(row.track), row.person, row.confidence, boxes[int(row.track)])
        for row in rows
    ]
    size = (table["width"][0].as_py(), table["height"][0].as_py()) if len(table) else (0, 0)
    return FilmTimeline(film, Path(video), size, times, rate, constant, found, timecode)


def find_rate(times: NDArray[np.float64]) -> tuple[Fraction, bool]:
    """Find the rate of frames, and whether they keep to it; 25 of a film of one frame.

    A film that keeps to a rate has one of `USUAL_RATES`, or one of whole or half frames a second, such as a silent film
    of 16, or this over 1.001. Any other film has the nearest of `USUAL_RATES`.

    Args:
        times: (n,) of all frames, in seconds, ascending.
    """
    if len(times) < 2:
        return Fraction(25), True
    mean = (len(times) - 1) / (times[-1] - times[0])
    usual = _nearest(mean)
    for rate in (usual, *(Fraction(round(2 * mean * scale), 2) / scale for scale in (1, NTSC))):
        if abs(float(rate) / mean - 1) <= _SAME_RATE and _keep_to(rate, times):
            return rate, True
    nominal = usual if abs(float(usual) / mean - 1) <= _SAME_RATE else _nearest(1 / float(np.median(np.diff(times))))
    return nominal, _keep_to(nominal, times)


def _nearest(rate: float) -> Fraction:
    """The usual rate that is relatively nearest."""
    return min(USUAL_RATES, key=lambda usual: abs(float(usual) / rate - 1))


def _keep_to(rate: Fraction, times: NDArray[np.float64]) -> bool:
    """Whether frames come at a rate, but for what file formats round."""
    strayed = np.abs(times - times[0] - np.arange(len(times)) / float(rate)) * float(rate)
    return bool(strayed.max() <= _STEADY)


def _boxes(table: pa.Table, times: NDArray[np.float64]) -> dict[int, list[Box]]:
    boxes: dict[int, list[Box]] = {}
    frames = np.searchsorted(times, table["time"].to_numpy() - 1e-6)
    corners: Iterable[list[float]] = table["box"].to_pylist()
    for track, frame, corner in zip(table["track"].to_pylist(), frames, corners, strict=True):
        boxes.setdefault(track, []).append(Box(int(frame), *corner))
    return boxes
