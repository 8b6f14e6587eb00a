"""Stage persons: the boxes of all persons in the sampled frames of a film, or of a part of it, in one table.

The table has a row per box, by time, best first:

    time             float64, of the frame, in seconds
    width, height    int32, of the frame, upright and with square pixels
    box              float32[4] x1, y1, x2, y2 in pixels, within the frame
    whole            float32[4], the same as the detector gave it: it may leave the frame
    score            float32, on the detector's own scale
    colours          float16[132], see `castsearch.film.colours`

All that scores above a low threshold is there; what is too low for a track is left out later. The schema's metadata:

    samples          how many frames were looked at
    damaged          how many packets were left out
    rate             how many samples a second were taken
    certain_score    the score from which on a box may begin a track
    least_colours    how similar the colours of one person's boxes are at least
    sees_backs       1 where people who turn away are seen, else 0
"""

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from fractions import Fraction
from itertools import islice
from math import floor
from typing import NamedTuple, TypeVar

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from tqdm import tqdm

from castsearch.errors import InputError
from castsearch.faces.engine import Image
from castsearch.film import colours
from castsearch.film.decode import Film, exact_rate, seconds
from castsearch.threads import read_ahead

LOWEST_SCORE = 0.1  # of detectors whose score is a probability
_LOOKS = 2  # a second that a detector takes at least, of those that look again

_Item = TypeVar("_Item")


class Boxes(NamedTuple):
    """What a detector found in one frame, best first, in pixels of that frame.

    Attributes:
        boxes: (n, 4) float32 x1, y1, x2, y2.
        scores: (n,) float32, on the detector's own scale.
    """

    boxes: NDArray[np.float32]
    scores: NDArray[np.float32]


_Answer = tuple[Fraction, Image, Boxes]  # time and image of a sample, and who was found in it


class _Sample(NamedTuple):
    """The persons of one frame, none of whose boxes is empty."""

    time: float
    width: int
    height: int
    found: Boxes
    boxes: NDArray[np.float32]
    colours: NDArray[np.float16]


class PersonDetector(NamedTuple):
    """A detector of persons.

    Attributes:
        detect: from frames to the persons in each, in the same order, so that a detector may batch frames as it likes.
        certain_score: from which score on a box is hardly ever a mistake, and may begin a track.
        least_colours: how similar the colours in two boxes of one person are at least, see `castsearch.film.colours`.
            Where a shot changes unseen, as in a dissolve, this keeps people apart who stand in one place.
        sees_backs: whether it sees people who turn away; if not, they are followed, see `castsearch.film.follow`.
        look_again: from a frame and what `detect` found there to that and more, where this takes much longer; None for
            no such thing. It is called for the first sample of each half second of the film, and for the others of
            those in whose first sample it found more.
    """

    detect: Callable[[Iterable[Image]], Iterator[Boxes]]
    certain_score: float
    least_colours: float = 0.75
    sees_backs: bool = True
    look_again: Callable[[Image, Boxes], Boxes] | None = None


def find_persons(
    film: Film, detector: PersonDetector, rate: float, start: float = 0, end: float | None = None
) -> pa.Table:
    """Find the persons in the sampled frames of the part [start, end) of a film.

    The film is decoded in one thread while the detector works in another.

    Args:
        film: the film.
        detector: from frames to boxes.
        rate: samples a second; see `Film.samples`.
        start: of the part, in seconds; whole ones for a detector that looks again.
        end: of the part; None for the end of the film.

    Raises:
        InputError: the film cannot be read, or the detector's boxes or scores are not finite.
    """
    shown: deque[tuple[Fraction, Image]] = deque()  # what the detector has not answered yet

    def images() -> Iterator[Image]:
        for frame in film.samples(rate, start, end):
            image = frame.rgb()
            shown.append((frame.time, image))
            yield image

    progress = tqdm(detector.detect(read_ahead(images())), f"persons {film.path.name}", unit="frame", mininterval=2)
    samples: list[_Sample] = []
    answers: Iterator[_Answer] = ((*shown.popleft(), persons) for persons in progress)
    if detector.look_again is not None:
        answers = _again(answers, exact_rate(rate), detector.look_again)
    for exact_time, image, persons in answers:
        time = seconds(exact_time)
        if not (np.isfinite(persons.boxes).all() and np.isfinite(persons.scores).all()):
            raise InputError(f"{film.path}: {time} s: the person detector's numbers are not finite; get its file anew")
        samples.append(_sample(time, image, persons))
    facts = {"samples": len(samples), "damaged": film.damaged, "certain_score": detector.certain_score, "rate": rate}
    facts |= {"least_colours": detector.least_colours, "sees_backs": int(detector.sees_backs)}
    return _table(samples).replace_schema_metadata({name: str(fact) for name, fact in facts.items()})


def _again(answers: Iterable[_Answer], rate: Fraction, look: Callable[[Image, Boxes], Boxes]) -> Iterator[_Answer]:
    """Yield what `look` may have found more in; see `PersonDetector` and, for the rate, `Film.samples`."""
    before, found_more = None, False
    for time, image, persons in answers:
        # A film may be cut between two intervals that begin in different seconds, so a new look begins there anyway.
        span = floor(floor(time * rate) / rate), floor(_LOOKS * time)
        found = look(image, persons) if span != before or found_more else persons
        if span != before:
            found_more = len(found.boxes) > len(persons.boxes)
        before = span
        yield time, image, found


def batched(items: Iterable[_Item], size: int) -> Iterator[list[_Item]]:
    """Yield the items in lists of `size`; the last may be shorter."""
    iterator = iter(items)
    while batch := list(islice(iterator, size)):
        yield batch


def _sample(time: float, image: Image, persons: Boxes) -> _Sample:
    """Clip boxes to the frame and describe what is in them; those of which less than a pixel is left are dropped."""
    height, width = image.shape[:2]
    boxes = persons.boxes.clip(0, [width, height, width, height]).astype(np.float32)
    kept = (boxes[:, 2:] - boxes[:, :2] >= 1).all(axis=1)
    found = Boxes(persons.boxes[kept], persons.scores[kept])
    return _Sample(time, width, height, found, boxes[kept], colours.describe(image, boxes[kept]))


def _table(samples: Sequence[_Sample]) -> pa.Table:
    counts = [len(sample.boxes) for sample in samples]

    def each(values: Sequence[float], kind: pa.DataType) -> pa.Array:
        return pa.array(np.repeat(np.array(values), counts), kind)

    def rows(arrays: Iterable[NDArray], kind: pa.DataType, length: int) -> pa.Array:
        joined = np.concatenate([np.empty((0, length), kind.to_pandas_dtype()), *arrays])
        return pa.FixedSizeListArray.from_arrays(pa.array(joined.ravel(), kind), length)

    scores = np.concatenate([np.empty(0, np.float32), *(sample.found.scores for sample in samples)])
    return pa.table(
        {
            "time": each([sample.time for sample in samples], pa.float64()),
            "width": each([sample.width for sample in samples], pa.int32()),
            "height": each([sample.height for sample in samples], pa.int32()),
            "box": rows((sample.boxes for sample in samples), pa.float32(), 4),
            "whole": rows((sample.found.boxes for sample in samples), pa.float32(), 4),
            "score": pa.array(scores, pa.float32()),
            "colours": rows((sample.colours for sample in samples), pa.float16(), colours.LENGTH),
        }
    )
