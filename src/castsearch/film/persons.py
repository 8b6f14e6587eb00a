"""Stage persons: the boxes of all persons in the sampled frames of a film, or of a part of it, in one table.

The table has a row per box, by time, best first:

    time             float64, of the frame, in seconds
    width, height    int32, of the frame, upright and with square pixels
    box              float32[4] x1, y1, x2, y2 in pixels, within the frame
    score            float32, on the detector's own scale

All that scores above a low threshold is there; what is too low for a track is left out later. The schema's metadata
says under "samples" how many frames were looked at, under "damaged" how many packets were left out, and under
"certain_score" from which score on a box may begin a track, and under "rate" how many samples a second were taken.
"""

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import islice
from typing import NamedTuple, TypeVar

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from tqdm import tqdm

from castsearch.errors import InputError
from castsearch.faces.engine import Image, read_ahead
from castsearch.film.decode import Film, seconds

LOWEST_SCORE = 0.1  # of detectors whose score is a probability

_Item = TypeVar("_Item")


class Boxes(NamedTuple):
    """What a detector found in one frame, best first, in pixels of that frame.

    Attributes:
        boxes: (n, 4) float32 x1, y1, x2, y2.
        scores: (n,) float32, on the detector's own scale.
    """

    boxes: NDArray[np.float32]
    scores: NDArray[np.float32]


class PersonDetector(NamedTuple):
    """A detector of persons.

    Attributes:
        detect: from frames to the persons in each, in the same order, so that a detector may batch frames as it likes.
        certain_score: from which score on a box is hardly ever a mistake, and may begin a track.
    """

    detect: Callable[[Iterable[Image]], Iterator[Boxes]]
    certain_score: float


def find_persons(
    film: Film, detector: PersonDetector, rate: float, start: float = 0, end: float | None = None
) -> pa.Table:
    """Find the persons in the sampled frames of the part [start, end) of a film.

    The film is decoded in one thread while the detector works in another.

    Args:
        film: the film.
        detector: from frames to boxes.
        rate: samples a second; see `Film.samples`.
        start: of the part, in seconds.
        end: of the part; None for the end of the film.

    Raises:
        InputError: the film cannot be read, or the detector's boxes or scores are not finite.
    """
    shown: deque[tuple[float, int, int]] = deque()  # time, width and height of what the detector has not answered yet

    def images() -> Iterator[Image]:
        for frame in film.samples(rate, start, end):
            image = frame.rgb()
            shown.append((seconds(frame.time), *image.shape[1::-1]))
            yield image

    progress = tqdm(detector.detect(read_ahead(images())), f"persons {film.path.name}", unit="frame", mininterval=2)
    rows = []
    for persons in progress:
        time, width, height = shown.popleft()
        if not (np.isfinite(persons.boxes).all() and np.isfinite(persons.scores).all()):
            raise InputError(f"{film.path}: {time} s: the person detector's numbers are not finite; get its file anew")
        rows.append((time, width, height, _clipped(persons, width, height)))
    facts = {"samples": len(rows), "damaged": film.damaged, "certain_score": detector.certain_score, "rate": rate}
    return _table(rows).replace_schema_metadata({name: str(fact) for name, fact in facts.items()})


def batched(items: Iterable[_Item], size: int) -> Iterator[list[_Item]]:
    """Yield the items in lists of `size`; the last may be shorter."""
    iterator = iter(items)
    while batch := list(islice(iterator, size)):
        yield batch


def _clipped(persons: Boxes, width: int, height: int) -> Boxes:
    """Clip boxes to the frame; those of which less than a pixel is left are dropped."""
    boxes = persons.boxes.clip(0, [width, height, width, height]).astype(np.float32)
    kept = (boxes[:, 2:] - boxes[:, :2] >= 1).all(axis=1)
    return Boxes(boxes[kept], persons.scores[kept])


def _table(rows: Sequence[tuple[float, int, int, Boxes]]) -> pa.Table:
    counts = [len(persons.scores) for *_, persons in rows]
    boxes = np.concatenate([np.empty((0, 4), np.float32), *(persons.boxes for *_, persons in rows)])
    scores = np.concatenate([np.empty(0, np.float32), *(persons.scores for *_, persons in rows)])
    frames = np.repeat(np.arange(len(rows)), counts)
    times, widths, heights = (np.array([row[place] for row in rows]) for place in range(3))
    return pa.table(
        {
            "time": pa.array(times[frames], pa.float64()),
            "width": pa.array(widths[frames], pa.int32()),
            "height": pa.array(heights[frames], pa.int32()),
            "box": pa.FixedSizeListArray.from_arrays(pa.array(boxes.ravel(), pa.float32()), 4),
            "score": pa.array(scores, pa.float32()),
        }
    )
