"""Who is where in a film, as somebody knows: a JSON file that `castsearch.demo.film` describes."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from castsearch import files
from castsearch.boxes import overlap
from castsearch.data.challenge import load_object
from castsearch.errors import InputError

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
        InputError: the file is missing, or not of this form.
    """
    truth = load_object(path, "docs/films.md")
    try:
        frames = truth["frames"]
        boxes = [np.array([box["box"] for box in frame["boxes"]], float).reshape(-1, 4) for frame in frames]
        return Truth(
            np.array(truth["changes"], float).reshape(-1, 2),
            np.array([frame["time"] for frame in frames], float),
            np.array([frame["shot"] for frame in frames], int),
            [np.concatenate([own[:, :2], own[:, :2] + own[:, 2:]], axis=1) for own in boxes],
            [[str(box["person"]) for box in frame["boxes"]] for frame in frames],
        )
    except (KeyError, TypeError, ValueError, OverflowError) as error:
        raise InputError(f"{path}: not the truth of a film ({type(error).__name__}: {error})") from None


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
        InputError: see `read_truth`.
    """
    labels: dict[str, list[str]] = {}
    for table, truth in zip(crops, truths, strict=True):
        labels |= label_candidates(files.read_table(table), read_truth(truth))
    return labels
