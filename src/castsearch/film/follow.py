"""People are followed by their clothes to where no box was found: forward from a track's end, back from its beginning.

A detector of faces does not see who turns away. The colours of somebody's clothes, where they differ from those around,
make a map of how probably each pixel is theirs (a ratio of histograms, as in Swain and Ballard, "Color Indexing",
1991). The map around their last box is looked for in that of the next sample, by normalised correlation, and so on,
until map or colours become too unlike, somebody else was found in that place, half of the box has left the frame, or
the shot ends. Nobody is followed for longer than they were found. What was found for less than a second may be no
person, and is not followed.
"""

from collections import deque
from collections.abc import Iterator, Sequence
from typing import NamedTuple

import cv2
import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from castsearch.boxes import cover
from castsearch.film.decode import seconds
from castsearch.film.followed import SAME_PLACE, SCHEMA
from castsearch.film.frame import Frame
from castsearch.film.shots import Shot

LONGEST = 10.0  # seconds for which somebody is followed at most
_DIGITS = 6  # of times, as tables have them: sums of them are rounded, or equal ones would differ
_LEAST_FOUND = 1.0  # seconds for which somebody must have been found
_SIDE = 320  # pixels of the longer side of the pictures that are looked at
_BINS = 8  # of each of CIELAB's axes
_LIGHTNESS = (np.arange(256) * _BINS // 256).astype(np.uint16)  # the bin of each of OpenCV's numbers
_HUES = ((np.arange(256) - 80) // 12).clip(0, _BINS - 1).astype(np.uint16)  # the same; grey is 128

# Regions, in widths and heights of a box.
_CLOTHES = np.array([0.2, 0.3, 0.8, 0.9])
_AROUND = np.array([-0.5, -0.25, 1.5, 1.25])
_SHAPE = np.array([-0.15, -0.08, 1.15, 1.08])  # what is looked for
_REACH = np.array([0.5, 0.2])  # how far a box moves at most from one sample to the next

# Chosen on the generated films of the seeds 0 to 2.
_LEAST_PIXELS = 20  # of clothes
_DISTINCT = 0.25  # by how much the clothes are more probable than what is around them, at least
_ALIKE = 0.3  # product of three similarities of up to 1, at least: of the maps, their means, and the colours
_VISIBLE = 0.5  # share of a box that is within the frame, at least


class Look(NamedTuple):
    """What somebody looks like.

    Attributes:
        theirs: (colours,) the probability that a pixel of a colour is of their clothes.
        worn: (colours,) the share of each colour in their clothes.
        shape: (height, width) map of that probability around them.
        mean: of the map in their clothes.
    """

    theirs: NDArray[np.float32]
    worn: NDArray[np.float64]
    shape: NDArray[np.float32]
    mean: float


class _Walk(NamedTuple):
    """Whom to follow from where until when: forward if `until` is later than `time`, else back."""

    track: int
    shot: int
    time: float
    until: float
    box: NDArray[np.float64]


class _Sample(NamedTuple):
    """A picture: the numbers of its colours, and their pixels in each of the frame's."""

    time: float
    colours: NDArray[np.uint16]
    scale: float


class Followers:
    """Follows those whose track begins or ends in a part of a film, while somebody else reads its samples.

    Attributes:
        span: first and last time at which a sample is needed, also beyond the part; None where nobody is followed.
        rows: who was followed to where, see `castsearch.film.followed`.
    """

    def __init__(self, tracks: pa.Table, shots: Sequence[Shot], start: float = 0, end: float | None = None):
        """Plan whom to follow.

        Args:
            tracks: the film's table of tracks.
            shots: of the film.
            start: of the part, in seconds.
            end: of the part; None for the end of the film.
        """
        walks = list(_plan(tracks, shots, start, np.inf if end is None else end))
        self._from: dict[float, list[_Walk]] = {}
        for walk in walks:
            self._from.setdefault(walk.time, []).append(walk)
        self._bounds = np.sort([[walk.time, walk.until] for walk in walks]).reshape(-1, 2)
        self.span = (self._bounds[:, 0].min(), self._bounds[:, 1].max()) if walks else None
        self._found: dict[float, list[list[float]]] = {}
        for time, box in zip(tracks["time"].to_pylist(), tracks["box"].to_pylist(), strict=True):
            self._found.setdefault(time, []).append(box)
        self._before: deque[_Sample] = deque()
        self._followed: list[tuple[_Walk, Look, NDArray[np.float64]]] = []
        self.rows: list[dict] = []

    def see(self, frame: Frame) -> None:
        """Look at the next sample of the film."""
        time = seconds(frame.time)
        if not ((self._bounds[:, 0] <= time) & (time <= self._bounds[:, 1])).any():
            return
        colours = quantise(frame.rgb(_SIDE))
        sample = _Sample(time, colours, colours.shape[1] / frame.size[0])
        following = []
        for walk, look, last in self._followed:
            box = self._go_on(walk, look, last, sample) if time < walk.until else None
            if box is not None:
                following.append((walk, look, box))
        for walk in self._from.get(time, []):
            learned = learn(colours, walk.box * sample.scale)
            if learned is None:
                continue
            if walk.until > time:
                following.append((walk, learned, walk.box))
            else:
                self._go_back(walk, learned)
        self._followed = following
        self._before.append(sample)
        while self._before[0].time < time - LONGEST:
            self._before.popleft()

    def table(self) -> pa.Table:
        """Return who was followed, see `castsearch.film.followed`."""
        return pa.Table.from_pylist(self.rows, SCHEMA)

    def _go_back(self, walk: _Walk, look: Look) -> None:
        """Follow somebody through the samples before, from the last one back."""
        box: NDArray[np.float64] | None = walk.box
        for sample in reversed(self._before):
            if box is None or sample.time < walk.until:
                break
            box = self._go_on(walk, look, box, sample)

    def _go_on(self, walk: _Walk, look: Look, last: NDArray[np.float64], sample: _Sample) -> NDArray[np.float64] | None:
        """Find somebody in a sample and note it; None where they are not seen."""
        time, colours, scale = sample
        found = find(look, colours, last * scale)
        if found is None:
            return None
        box = found / scale
        others = np.array(self._found.get(time, []), float).reshape(-1, 4)
        if cover(box[None], others).max(initial=0) >= SAME_PLACE:
            return None
        within = (found.clip(0, [*colours.shape[1::-1]] * 2) / scale).astype(np.float32)
        row = {"time": time, "box": within, "shot": walk.shot, "track": walk.track, "backward": time < walk.time}
        self.rows.append(row)
        return box


def _plan(tracks: pa.Table, shots: Sequence[Shot], start: float, end: float) -> Iterator[_Walk]:
    """Whom to follow from their tracks' beginnings and ends in [start, end), unless the shot begins or ends there.

    Where the detector sees who turns away, nobody is: whom it does not see is hardly in the picture.
    """
    if int(tracks.schema.metadata[b"sees_backs"]):
        return
    step = 1 / float(tracks.schema.metadata[b"rate"])
    times, numbers = tracks["time"].to_numpy(), tracks["track"].to_numpy()
    order = np.lexsort((times, numbers))
    starts = np.flatnonzero(np.diff(numbers[order], prepend=0))
    firsts, lasts = order[starts], order[np.append(starts[1:], len(order)) - 1] if len(order) else order
    boxes, shot = tracks["box"].combine_chunks(), tracks["shot"].to_numpy()
    for first, last in zip(firsts, lasts, strict=True):
        gone = times[last] + step
        longest = min(round(gone - times[first], _DIGITS), LONGEST)
        if longest < _LEAST_FOUND:
            continue
        bounds = shots[shot[first] - 1]
        for row, until, goes_on in (
            (last, min(round(gone + longest, _DIGITS), bounds.end), round(gone, _DIGITS) < bounds.end),
            (
                first,
                max(round(times[first] - longest, _DIGITS), bounds.start),
                round(times[first] - step, _DIGITS) >= bounds.start,
            ),
        ):
            if goes_on and start <= times[row] < end:
                box = np.array(boxes[row].as_py(), float)
                yield _Walk(int(numbers[row]), int(shot[row]), float(times[row]), float(until), box)


def quantise(image: NDArray[np.uint8]) -> NDArray[np.uint16]:
    """Return the number of the colour of each pixel of an RGB picture, (height, width)."""
    lightness, *hue = cv2.split(cv2.cvtColor(image, cv2.COLOR_RGB2LAB))
    first, second = (_HUES[axis] for axis in hue)
    return (_LIGHTNESS[lightness] * _BINS + first) * _BINS + second


def learn(colours: NDArray[np.uint16], box: NDArray[np.float64]) -> Look | None:
    """Learn what somebody looks like.

    Args:
        colours: (height, width) numbers, see `quantise`.
        box: (4,) x1, y1, x2, y2 in pixels of the picture.

    Returns:
        None where their clothes are too small, or too like what is around them.
    """
    clothes = _part(colours, _region(box, _CLOTHES))
    if clothes.size < _LEAST_PIXELS:
        return None
    around = (_count(_part(colours, _region(box, _AROUND))) - _count(_part(colours, box))).clip(0)
    around = around / max(around.sum(), 1)
    worn = _count(clothes) / clothes.size
    theirs = (worn / (worn + around + 0.01)).astype(np.float32)
    mean = float(worn @ theirs)
    if mean - float(around @ theirs) < _DISTINCT:
        return None
    return Look(theirs, worn, theirs[_part(colours, _region(box, _SHAPE))], mean)


def find(look: Look, colours: NDArray[np.uint16], last: NDArray[np.float64]) -> NDArray[np.float64] | None:
    """Find somebody near their last box; None where they are not seen.

    Args:
        look: what they look like.
        colours: (height, width) numbers, see `quantise`.
        last: (4,) x1, y1, x2, y2 in pixels, of their box in the sample before or after.

    Returns:
        Their box, (4,), which may leave the picture.
    """
    extent = look.shape.shape[::-1]
    size = last[2:] - last[:2]
    reach = np.maximum(np.round(_REACH * size), 2)
    corner = np.round(_region(last, _SHAPE)[:2])
    window = np.concatenate([corner - reach, corner + extent + reach])
    match = cv2.matchTemplate(look.theirs[_part(colours, window)], look.shape, cv2.TM_CCOEFF_NORMED)
    _, alike, _, place = cv2.minMaxLoc(match)
    box = last + np.tile(place - reach, 2)
    clothes = _part(colours, _region(box, _CLOTHES))
    worn = _count(clothes) / max(clothes.size, 1)
    alike *= min(float(worn @ look.theirs) / look.mean, 1) * float(np.sqrt(worn * look.worn).sum())
    seen = box.clip(0, [*colours.shape[1::-1]] * 2)
    visible = (seen[2:] - seen[:2]).prod() / size.prod()
    return box if alike >= _ALIKE and visible >= _VISIBLE else None


def _region(box: NDArray[np.float64], shares: NDArray[np.float64]) -> NDArray[np.float64]:
    """A region that is given in widths and heights of a box."""
    return np.tile(box[:2], 2) + shares * np.tile(box[2:] - box[:2], 2)


def _part(colours: NDArray[np.uint16], region: NDArray[np.float64]) -> NDArray[np.uint16]:
    """The pixels of a region; beyond the picture, those at its edge."""
    left, top, right, bottom = np.round(region).astype(int)
    height, width = colours.shape
    rows, columns = np.arange(top, bottom).clip(0, height - 1), np.arange(left, right).clip(0, width - 1)
    return colours[np.ix_(rows, columns)]


def _count(colours: NDArray[np.uint16]) -> NDArray[np.intp]:
    return np.bincount(colours.ravel(), minlength=_BINS**3)
