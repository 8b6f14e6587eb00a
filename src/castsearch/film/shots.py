"""Shots: where a film cuts, fades or dissolves from one picture to another.

A film may be looked at in parts. A part also reads the frames around it that decide about its own, so that adjoining
parts find the changes of one pass. Frames are made small first, as PySceneDetect and TransNetV2 do themselves, so that
most of the work is decoding.
"""

import json
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scenedetect import AdaptiveDetector, ContentDetector, FrameTimecode, HistogramDetector, SceneDetector

from castsearch import files
from castsearch.film.decode import Film, seconds
from castsearch.film.frame import Frame
from castsearch.threads import read_ahead

SHORTEST = 0.4  # seconds; what two changes closer than that enclose is a flash, or a part of a transition
_LONGEST_SIDE = 256  # pixels, as PySceneDetect's command line has it


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


class ShotDetector(NamedTuple):
    """How changes are found.

    Attributes:
        find: from frames in their order, and the score from which on a frame is a change, to times of first frames.
        threshold: the score, where nothing else is wanted.
        before: how many frames before a part decide about its first,
        after: and how many after it about its last.
    """

    find: Callable[[Iterator[Frame], float], Iterator[Fraction]]
    threshold: float
    before: int
    after: int


def find_changes(
    film: Film, detector: str, start: float = 0, end: float | None = None, threshold: float | None = None
) -> Changes:
    """Find the first frames of new shots in the part [start, end) of a film.

    The film is decoded in one thread while the detector works in another.

    Args:
        film: the film.
        detector: "adaptive" or "content", PySceneDetect's, which see cuts; its "histogram", which also sees dissolves
            and takes changes of light for changes of shots; or "transnetv2", which sees cuts, fades and dissolves.
        start: of the part, in seconds.
        end: of the part; None for the end of the film.
        threshold: the score from which on a frame is a change; None for the detector's own default.

    Raises:
        InputError: the film cannot be read.
    """
    kind = _detector(detector)
    context = _frames_before(film, Fraction(start), kind.before)
    damaged_before = film.damaged
    bounds: list[Frame] = []  # the part's first and last
    count = 0

    def watched() -> Iterator[Frame]:
        nonlocal count
        yield from context
        for frame in film.frames(Fraction(start), end, kind.after):
            if end is None or frame.time < end:
                count += 1
                bounds[1:] = [frame] if bounds else [frame, frame]
            yield frame

    found = list(kind.find(read_ahead(watched()), kind.threshold if threshold is None else threshold))
    damaged = film.damaged - damaged_before
    if not bounds:
        return Changes([], None, None, 0, damaged)
    first, last = bounds
    return Changes(
        [seconds(time) for time in found if first.time <= time <= last.time],
        seconds(first.time),
        seconds(last.time + last.duration),
        count,
        damaged,
    )


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
    """Return the number of the shot that each time lies in, from 1 on."""
    return np.searchsorted([shot.start for shot in shots], times, side="right")


def write_shots(path: str | Path, shots: Sequence[Shot]) -> None:
    """Write a table with number, start, end and length of each shot, in seconds."""
    table = pd.DataFrame(shots, columns=Shot._fields)
    table.insert(0, "shot", np.arange(1, len(table) + 1))
    table["length"] = table["end"] - table["start"]
    files.write_text(path, table.to_csv(sep="\t", index=False, float_format="%.6f"))


def read_shots(path: str | Path) -> list[Shot]:
    """Read what `write_shots` wrote."""
    table = pd.read_csv(path, sep="\t", dtype=float)
    return [Shot(*bounds) for bounds in table[["start", "end"]].to_numpy().tolist()]


def _frames_before(film: Film, start: Fraction, count: int) -> Sequence[Frame]:
    """Return the last `count` frames before a part; fewer at the film's start."""
    lead = 2  # seconds in which as many frames are expected
    context: deque[Frame] = deque(maxlen=count)
    while start > 0 and len(context) < count:
        context.clear()
        context.extend(film.frames(max(Fraction(0), start - lead), start))
        if lead >= start:
            break
        lead *= 4
    return context


def _detector(name: str) -> ShotDetector:
    match name:
        case "adaptive":
            # A frame's score compares it with the last one, and is compared with those of two frames on either side.
            return ShotDetector(_driving(AdaptiveDetector), 3.0, 3, 2)
        case "content":
            return ShotDetector(_driving(ContentDetector), 27.0, 1, 0)
        case "histogram":
            return ShotDetector(_driving(HistogramDetector), 0.05, 1, 0)
        case "transnetv2":
            from castsearch.film import transnetv2  # noqa: PLC0415 (torch takes seconds to import)

            return ShotDetector(transnetv2.find, 0.5, transnetv2.BEFORE, transnetv2.AFTER)
    raise ValueError(f"shot detector {name!r}: unknown; there are: adaptive, content, histogram, transnetv2")


def _driving(kind: Callable[..., SceneDetector]) -> Callable[[Iterator[Frame], float], Iterator[Fraction]]:
    """Drive a detector of PySceneDetect, with a least shot length of 0, by our own frames.

    It is given numbers in place of times: it keeps times as floats, which would not be a frame's own again. Where the
    picture's size changes, as in recordings of television, a new shot begins: the detectors cannot compare the two.
    """

    def find(frames: Iterator[Frame], threshold: float) -> Iterator[Fraction]:
        times: list[Fraction] = []
        shape = None
        for number, frame in enumerate(frames):
            times.append(frame.time)
            bgr = cv2.cvtColor(frame.rgb(_LONGEST_SIDE), cv2.COLOR_RGB2BGR)
            if bgr.shape != shape:
                if shape is not None:
                    yield frame.time
                detector, shape = kind(threshold, min_scene_len=0), bgr.shape
            for change in detector.process_frame(FrameTimecode(number, fps=25.0), bgr):
                yield times[change.frame_num]

    return find
