"""Stage tracks: the boxes of one person through the samples of one shot, in one table.

Boxes are linked from sample to sample by where they are expected and by the colours in them, by SciPy's optimal
assignment: first those of a high score, then, to what is still missing, those of a low one (Zhang et al., "ByteTrack:
Multi-Object Tracking by Associating Every Detection Box", ECCV 2022). A track ends with its shot, where its person has
been hidden for too long, or where the colours become too unlike.

The table has the rows of the tables of persons that belong to a track, with their time, width, height, box, score, and

    shot      int32, number of the shot, from 1
    track     int32, number of the track in the film, from 1, by time of its first box
    chosen    bool, one of the few that stand for their track: it is cut out, and its face and body are described

The schema's metadata has `rate` and `sees_backs` of the tables of persons.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment

from castsearch import vectors
from castsearch.boxes import overlap
from castsearch.film.shots import Shot, shot_numbers

GAP = 1.0  # seconds for which a person may be hidden
CHOSEN = 5  # boxes that stand for a track
_LEAST_OVERLAP = 0.15  # share of the union, with the box that is expected
_LEAST_OVERLAP_WEAK = 0.4  # the same of a box with a low score
_MEMORY = 0.5  # weight of a track's velocity before, against that of its last step
_COLOURS = 0.5  # weight of the similarity of colours, against that of the overlap
_LEAST_SIZE = 0.25  # of the larger box that the smaller one covers; a face that turns up in front of another is larger
_SAME_COLOURS = 0.9  # similarity from which on a box need not overlap, but only be near
_FADING = 0.1  # weight of a track's last box in its colours


class Detections(NamedTuple):
    """Boxes of persons, by time; those of one time are of one frame.

    Attributes:
        times: (n,) in seconds.
        boxes: (n, 4) x1, y1, x2, y2; they may leave the frame.
        scores: (n,) of the detector.
        colours: (n, d) of length 1, whose scalar product says how much alike two boxes are.
    """

    times: NDArray[np.float64]
    boxes: NDArray[np.float32]
    scores: NDArray[np.float32]
    colours: NDArray[np.float32]


@dataclass(eq=False)
class _Track:
    """A person who is followed: where they were last, their colours, and how they moved, in pixels a second."""

    number: int
    time: float
    box: NDArray[np.float64]
    colours: NDArray[np.float32]
    velocity: NDArray[np.float64] = field(default_factory=lambda: np.zeros(4))
    steps: int = 0

    def expected(self, time: float) -> NDArray[np.float64]:
        return self.box + self.velocity * (time - self.time)

    def move(self, time: float, box: NDArray[np.float64], colours: NDArray[np.float32]) -> None:
        # The whole box moves; that its sides move apart is noise more often than a person who comes nearer.
        step = (box - self.box) / (time - self.time)
        step = np.tile((step[:2] + step[2:]) / 2, 2)
        self.velocity = step if not self.steps else _MEMORY * self.velocity + (1 - _MEMORY) * step
        self.time, self.box, self.steps = time, box, self.steps + 1
        mixed = (1 - _FADING) * self.colours + _FADING * colours
        self.colours = (mixed / max(float(np.linalg.norm(mixed)), 1e-12)).astype(np.float32)


def track_table(parts: Sequence[pa.Table], shots: Sequence[Shot], gap: float = GAP, chosen: int = CHOSEN) -> pa.Table:
    """Link the boxes of a film to tracks.

    Args:
        parts: tables of persons of the film's parts, in their order.
        shots: of the film.
        gap: seconds for which a person may be hidden, in addition to the time from one sample to the next.
        chosen: how many boxes stand for a track.
    """
    facts = (b"certain_score", b"rate", b"least_colours")
    certain, rate, least_colours = (float(parts[0].schema.metadata[name]) for name in facts)
    table = pa.concat_tables(part.replace_schema_metadata(None) for part in parts)
    kept_facts = {name: parts[0].schema.metadata[name] for name in (b"rate", b"sees_backs")}
    times, scores = table["time"].to_numpy(), table["score"].to_numpy()
    boxes, whole, colours = (vectors.to_rows(table[name]) for name in ("box", "whole", "colours"))
    shot = shot_numbers(times, shots)
    hidden = gap + 1.5 / rate  # samples are 1 / rate apart, but not exactly
    track = link_boxes(Detections(times, whole, scores, colours), shot, certain, hidden, least_colours)
    kept = np.flatnonzero(track > 0)
    table = table.drop_columns(["whole", "colours"]).take(kept)
    table = table.append_column("shot", pa.array(shot[kept], pa.int32()))
    table = table.append_column("track", pa.array(track[kept], pa.int32()))
    stands = choose(times[kept], boxes[kept], scores[kept], track[kept], chosen)
    return table.append_column("chosen", pa.array(stands)).replace_schema_metadata(kept_facts)


def link_boxes(
    found: Detections, shots: NDArray[np.integer], certain: float, gap: float = GAP, least_colours: float = 0
) -> NDArray[np.int64]:
    """Give each box the number of its track, from 1, or 0 where it belongs to none.

    Args:
        found: n boxes.
        shots: (n,) of what shot each is; no track has boxes of two.
        certain: from which score on a box begins a track; others only continue one.
        gap: seconds between two boxes of a track at most.
        least_colours: similarity of a box's colours to its track's, at least.
    """
    times, boxes, scores, colours = found
    numbers = np.zeros(len(times), np.int64)
    tracks: list[_Track] = []
    count = 0
    frames = np.split(np.arange(len(times)), np.flatnonzero(np.diff(times)) + 1) if len(times) else []
    for before, rows in zip([None, *frames], frames, strict=False):
        time = times[rows[0]]
        if before is not None and shots[before[0]] != shots[rows[0]]:
            tracks = []
        tracks = [track for track in tracks if time - track.time <= gap]
        strong = scores[rows] >= certain
        waiting = list(tracks)
        for own, least, alike in (
            (rows[strong], _LEAST_OVERLAP, _SAME_COLOURS),
            (rows[~strong], _LEAST_OVERLAP_WEAK, np.inf),
        ):
            for track, row in _assign(waiting, found, own, least=least, alike=alike, least_colours=least_colours):
                track.move(time, boxes[row].astype(float), colours[row])
                numbers[row] = track.number
                waiting.remove(track)
        for row in rows[strong & (numbers[rows] == 0)]:
            count += 1
            numbers[row] = count
            tracks.append(_Track(count, time, boxes[row].astype(float), colours[row]))
    return numbers


def _assign(
    tracks: Sequence[_Track],
    detections: Detections,
    rows: NDArray[np.int64],
    *,
    least: float,
    alike: float,
    least_colours: float,
) -> list[tuple[_Track, int]]:
    """Pairs of tracks and rows of one time that fit best.

    Their boxes are of similar size, have colours of the similarity `least_colours`, and overlap by `least`, or are near
    and have colours of the similarity `alike`.
    """
    if not tracks or not len(rows):
        return []
    expected = np.stack([track.expected(detections.times[rows[0]]) for track in tracks])
    found = detections.boxes[rows].astype(float)
    overlaps = overlap(expected, found)
    similarities = np.stack([track.colours for track in tracks]) @ detections.colours[rows].T
    apart = np.abs((expected[:, :2] + expected[:, 2:])[:, None] - (found[:, :2] + found[:, 2:])) / 2
    sizes = (expected[:, 2:] - expected[:, :2])[:, None], found[:, 2:] - found[:, :2]
    smaller, larger = np.minimum(*sizes), np.maximum(*sizes)
    near = (apart <= larger).all(axis=2)
    possible = (overlaps >= least) | ((similarities >= alike) & near)
    possible &= smaller.prod(axis=2) >= _LEAST_SIZE * larger.prod(axis=2)
    possible &= similarities >= least_colours
    # What is impossible must not decide who gets what else.
    pairs = linear_sum_assignment(np.where(possible, overlaps + _COLOURS * similarities, 0), maximize=True)
    return [(tracks[i], int(rows[j])) for i, j in zip(*pairs, strict=True) if possible[i, j]]


def choose(
    times: NDArray[np.float64],
    boxes: NDArray[np.float32],
    scores: NDArray[np.float32],
    tracks: NDArray[np.integer],
    count: int = CHOSEN,
) -> NDArray[np.bool_]:
    """Choose the boxes that stand for each track: the best of each of `count` equal spans of its time.

    The best is the largest by score times the square root of the area: near, and surely a person.

    Args:
        times: (n,) in seconds.
        boxes: (n, 4) x1, y1, x2, y2 in pixels.
        scores: (n,) of the detector.
        tracks: (n,) numbers of the boxes' tracks.
        count: boxes of a track, at most.

    Returns:
        (n,) whether a box is chosen.
    """
    quality = scores * np.sqrt((boxes[:, 2:] - boxes[:, :2]).prod(axis=1))
    chosen = np.zeros(len(times), bool)
    order = np.lexsort((times, tracks))
    for rows in np.split(order, np.flatnonzero(np.diff(tracks[order])) + 1):
        if not len(rows):
            continue
        since, until = times[rows[0]], times[rows[-1]]
        spans = np.minimum((times[rows] - since) / max(until - since, 1e-9) * count, count - 1).astype(int)
        for span in np.unique(spans):
            own = rows[spans == span]
            chosen[own[np.argmax(quality[own])]] = True
    return chosen


def moments(times: NDArray[np.float64], tracks: NDArray[np.integer]) -> dict[int, list[int]]:
    """Number the moments that tell which tracks are different people: those of one frame.

    A moment is a set of tracks that have boxes in one frame, and that no other frame has all together with more. Two
    tracks have a moment in common where they have a frame in common.

    Args:
        times: (n,) of boxes, in seconds.
        tracks: (n,) numbers of their tracks.

    Returns:
        The numbers of each track's moments, from 1 on by time.
    """
    order = np.lexsort((tracks, times))
    frames = np.split(tracks[order], np.flatnonzero(np.diff(times[order])) + 1)
    together = dict.fromkeys(tuple(frame.tolist()) for frame in frames if len(frame))
    largest: dict[int, list[tuple[int, ...]]] = {track: [] for own in together for track in own}
    for own in sorted(together, key=len, reverse=True):
        rarest = min(own, key=lambda track: len(largest[track]))
        if not any(set(own) <= set(other) for other in largest[rarest]):
            for track in own:
                largest[track].append(own)
    kept = {own for sets in largest.values() for own in sets}
    numbers = {own: number for number, own in enumerate((own for own in together if own in kept), start=1)}
    return {track: sorted(numbers[own] for own in sets) for track, sets in largest.items()}
