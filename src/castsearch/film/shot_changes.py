"""Where a film cuts, fades or dissolves from one picture to another.

A film may be looked at in parts. A part also reads the frames around it that decide about its own, so that adjoining
parts find the changes of one pass. Frames are made small first, as PySceneDetect and TransNetV2 do themselves, so that
most of the work is decoding.
"""

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from fractions import Fraction
from importlib import import_module
from typing import NamedTuple

import cv2
from scenedetect import AdaptiveDetector, ContentDetector, FrameTimecode, HistogramDetector, SceneDetector

from castsearch.film.decode import Film, seconds
from castsearch.film.frame import Frame
from castsearch.film.shots import Changes
from castsearch.threads import read_ahead

_LONGEST_SIDE = 256  # pixels, as PySceneDetect's command line has it


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
            # By name: torch takes seconds to import, and its versions count only where it is chosen.
            transnetv2 = import_module("castsearch.film.transnetv2")
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
