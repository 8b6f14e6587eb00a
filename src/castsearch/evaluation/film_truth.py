"""Who is where in a film, as somebody knows: a JSON file that `castsearch.demo.film` describes."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from castsearch import files
from castsearch.boxes import overlap
from castsearch.data.challenge import load_object
from castsearch.errors import InputError

_ROUNDED = 1e-3  # seconds by which times differ that stand for one frame
SAME_PERSON = 0.3  # overlap from which on a box shows a known person, at least for the most part


@dataclass(frozen=True)
class Truth:
    """Who is where in a film.

    Attributes:
        changes: (k, 2) start and end of each change of shots, in seconds.
        times: (m,) of all frames, in seconds.
        shots: (m,) numbers of their shots.
        boxes: of each frame, (n, 4) x1, y1, x2, y2.
        persons: of each frame, n names.
    """

    changes: NDArray[np.float64]
    times: NDArray[np.float64]
    shots: NDArray[np.int64]
    boxes: list[NDArray[np.float64]]
    persons: list[list[str]]


def read_truth(path: str | Path) -> Truth:
    """Read a film's truth.

    Raises:
        InputError: the file is missing, or not of this form; names the frame.
    """
    truth = load_object(path, "docs/films.md")
    place, frames = "changes", []
    try:
        changes = _finite(truth["changes"]).reshape(-1, 2)
        place = "frames"
        for number, frame in enumerate(truth["frames"]):
            place = f"frame {number}"
            frames.append(_read_frame(frame))
    except (KeyError, TypeError, ValueError, OverflowError) as error:
        raise InputError(f"{path}: not the truth of a film: {place} ({type(error).__name__}: {error})") from None
    times, shots, boxes, persons = zip(*frames, strict=True) if frames else [()] * 4
    return Truth(changes, np.array(times, float), np.array(shots, int), list(boxes), list(persons))


def _read_frame(frame: Mapping[str, Any]) -> tuple[float, np.int64, NDArray[np.float64], list[str]]:
    """Time, shot, boxes and persons of a frame; whatever is wrong raises an error of Python's own."""
    boxes = _finite([box["box"] for box in frame["boxes"]]).reshape(-1, 4)
    corners = np.concatenate([boxes[:, :2], boxes[:, :2] + boxes[:, 2:]], axis=1)
    persons = [str(box["person"]) for box in frame["boxes"]]
    time, shot = _finite(float(frame["time"])), np.int64(int(frame["shot"]))
    return float(time), shot, corners, persons


def _finite(numbers: object) -> NDArray[np.float64]:
    array = np.array(numbers, float)
    if not np.isfinite(array).all():
        raise ValueError("a number is not finite")
    return array


def check_times(path: str | Path, truth: Truth, times: NDArray[np.floating]) -> None:
    """Check that times of a truth are not rounded: no box would be compared with it, and all scores would be low.

    Args:
        path: of the truth, for the message.
        truth: the film's.
        times: (n,) of sampled frames, in seconds.

    Raises:
        InputError: a frame has nearly the time of a sample.
    """
    known = np.sort(truth.times)
    if not len(known):
        return
    for time in np.setdiff1d(times, known):
        at = np.searchsorted(known, time)
        near = known[[max(at - 1, 0), min(at, len(known) - 1)]]
        wrong = near[np.abs(near - time).argmin()]
        if abs(wrong - time) < _ROUNDED:
            raise InputError(
                f"{path}: the frame at {time} s has the time {wrong} there; times have to be exact to a microsecond"
            )


def label_candidates(crops: pa.Table, truth: Truth) -> dict[str, list[str]]:
    """Return for each of a film's cast the ids of the candidates that show them.

    A candidate shows the person of the box that it overlaps most, if it overlaps one by `SAME_PERSON`.

    Args:
        crops: the film's crop table.
        truth: the film's.
    """
    frame_at = {time: frame for frame, time in enumerate(truth.times.tolist())}
    shown: dict[str, list[str]] = {}
    labels: dict[str, list[str]] = {}
    for row in crops.select(["id", "role", "label", "time", "x", "y", "width", "height"]).to_pylist():
        if row["role"] == "cast":
            labels[row["id"]] = shown.setdefault(row["label"], [])
        elif row["time"] in frame_at:
            frame = frame_at[row["time"]]
            box = np.array([[row["x"], row["y"], row["x"] + row["width"], row["y"] + row["height"]]], float)
            overlaps = overlap(box, truth.boxes[frame])[0]
            if len(overlaps) and overlaps.max() >= SAME_PERSON:
                shown.setdefault(truth.persons[frame][int(overlaps.argmax())], []).append(row["id"])
    return labels


def label_films(crops: Iterable[str | Path], truths: Iterable[str | Path]) -> dict[str, list[str]]:
    """Return what `label_candidates` returns, of all films.

    Args:
        crops: the crop table of each film.
        truths: the truth of each film.

    Raises:
        InputError: see `read_truth` and `check_times`.
    """
    labels: dict[str, list[str]] = {}
    for table, path in zip(map(files.read_table, crops), truths, strict=True):
        truth = read_truth(path)
        check_times(path, truth, table["time"].drop_null().to_numpy())
        labels |= label_candidates(table, truth)
    return labels
