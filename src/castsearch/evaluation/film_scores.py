"""Scores of what a film becomes before its people are searched: shots, person boxes, and tracks."""

from collections.abc import Iterable, Mapping, Sequence
from itertools import islice
from math import floor
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
import pyarrow as pa
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment

from castsearch import files, vectors
from castsearch.boxes import overlap
from castsearch.evaluation.film_truth import Truth, check_times, read_truth

TOLERANCE = 0.1  # seconds by which a change of shots may be off
MATCH = 0.5  # overlap from which on a box is right


class Rates(NamedTuple):
    """Precision, recall, and their harmonic mean."""

    precision: float
    recall: float
    f1: float


class TrackedBoxes(NamedTuple):
    """Boxes, one a row: times (n,) in seconds, boxes (n, 4), scores (n,), and numbers of tracks (n,)."""

    times: NDArray[np.float64]
    boxes: NDArray[np.float32]
    scores: NDArray[np.float32]
    tracks: NDArray[np.int64]


def score_shots(starts: Sequence[float], truth: Truth, tolerance: float = TOLERANCE) -> Rates:
    """Score the times of first frames of shots, except the film's first.

    A time is right where a change has it, up to the tolerance; each change is found once.
    """
    found = np.array(starts, float)
    right = (found[:, None] >= truth.changes[:, 0] - tolerance) & (found[:, None] <= truth.changes[:, 1] + tolerance)
    pairs = linear_sum_assignment(right, maximize=True)
    return _rates(int(right[pairs].sum()), len(found), len(truth.changes))


def score_boxes(found: TrackedBoxes, truth: Truth, rate: float) -> tuple[float, float]:
    """Return average precision and recall of person boxes in the frames that are sampled `rate` times a second.

    The precision is averaged over all boxes of the truth, in the order of the scores, as in PASCAL VOC since 2010.
    """
    sampled = _sampled(truth, rate)
    right = np.zeros(len(found.times), bool)
    for frame in sampled:
        own = np.flatnonzero(found.times == truth.times[frame])
        left = np.ones(len(truth.boxes[frame]), bool)
        for row in own[np.argsort(-found.scores[own], kind="stable")]:
            overlaps = overlap(found.boxes[row][None].astype(float), truth.boxes[frame])[0] * left
            if len(overlaps) and overlaps.max() >= MATCH:
                right[row] = True
                left[overlaps.argmax()] = False
    total = sum(len(truth.boxes[frame]) for frame in sampled)
    hits = right[np.argsort(-found.scores, kind="stable")]
    precision = np.cumsum(hits) / np.arange(1, len(hits) + 1)
    best_later = np.maximum.accumulate(precision[::-1])[::-1]
    return float(best_later[hits].sum() / max(total, 1)), float(hits.sum() / max(total, 1))


def score_tracks(found: TrackedBoxes, truth: Truth, rate: float, match: float = MATCH) -> Rates:
    """Score who is followed: identity precision, recall and F1.

    Tracks of the truth, a person in a shot, and tracks that were found are paired so that as many boxes as possible
    overlap (Ristani, Solera, Zou, Cucchiara and Tomasi, "Performance Measures and a Data Set for Multi-Target,
    Multi-Camera Tracking", 2016). `match` is the overlap from which on two boxes are of one person.
    """
    agreement: dict[tuple[tuple[int, str], int], int] = {}
    total = 0
    for frame in _sampled(truth, rate):
        rows = np.flatnonzero(found.times == truth.times[frame])
        total += len(truth.persons[frame])
        matches = overlap(truth.boxes[frame], found.boxes[rows].astype(float)) >= match
        for person, row in zip(*np.nonzero(matches), strict=True):
            pair = (int(truth.shots[frame]), truth.persons[frame][person]), int(found.tracks[rows[row]])
            agreement[pair] = agreement.get(pair, 0) + 1
    persons, tracks = (
        {key: place for place, key in enumerate(sorted({pair[i] for pair in agreement}))} for i in (0, 1)
    )
    counts = np.zeros((len(persons), len(tracks)))
    for (person, track), count in agreement.items():
        counts[persons[person], tracks[track]] = count
    pairs = linear_sum_assignment(counts, maximize=True)
    return _rates(int(counts[pairs].sum()), len(found.times), total)


def score_films(
    parts: Mapping[str, int],
    shots: Iterable[str | Path],
    persons: Iterable[str | Path],
    tracks: Iterable[str | Path],
    truths: Iterable[str | Path],
) -> pd.DataFrame:
    """Score every film.

    Args:
        parts: by film, in how many parts its persons were looked for.
        shots: the table of shots of each film.
        persons: the tables of persons of all parts, film by film.
        tracks: the table of tracks of each film.
        truths: the truth of each film.

    Returns:
        A row for each film: `film`, and what `score_film` returns.

    Raises:
        InputError: see `film_truth.read_truth` and `film_truth.check_times`.
    """
    waiting, rows = iter(persons), []
    for (film, count), own_shots, own_tracks, path in zip(parts.items(), shots, tracks, truths, strict=True):
        starts = pd.read_csv(own_shots, sep="\t")["start"].tolist()[1:]
        found = [files.read_table(part) for part in islice(waiting, count)]
        truth = read_truth(path)
        for part in found:
            check_times(path, truth, part["time"].to_numpy())
        rows.append({"film": film} | score_film(starts, found, files.read_table(own_tracks), truth))
    return pd.DataFrame(rows)


def score_film(shots: Sequence[float], persons: Sequence[pa.Table], tracks: pa.Table, truth: Truth) -> dict[str, float]:
    """Return all scores of a film, by name.

    Args:
        shots: times of first frames of shots, except the film's first.
        persons: tables of persons of the film's parts.
        tracks: the film's table of tracks.
        truth: the film's.
    """
    rate = float(persons[0].schema.metadata[b"rate"])
    found = pa.concat_tables(part.replace_schema_metadata(None) for part in persons)
    changes = score_shots(shots, truth)
    precision, recall = score_boxes(detections(found), truth, rate)
    identity = score_tracks(detections(tracks), truth, rate)
    return {
        "shots_F1": changes.f1,
        "shots_precision": changes.precision,
        "shots_recall": changes.recall,
        "boxes_AP50": precision,
        "boxes_recall": recall,
        "tracks_IDF1": identity.f1,
        "tracks_IDP": identity.precision,
        "tracks_IDR": identity.recall,
    }


def detections(table: pa.Table) -> TrackedBoxes:
    """Return the boxes of a table of persons, or of tracks."""
    tracks = table["track"].to_numpy() if "track" in table.column_names else np.zeros(len(table), np.int64)
    return TrackedBoxes(table["time"].to_numpy(), vectors.to_rows(table["box"]), table["score"].to_numpy(), tracks)


def _sampled(truth: Truth, rate: float) -> list[int]:
    """The first frame in each interval of 1 / rate seconds."""
    first: dict[int, int] = {}
    for frame, time in enumerate(truth.times.tolist()):
        first.setdefault(floor(time * rate + 1e-6), frame)
    return list(first.values())


def _rates(right: int, found: int, total: int) -> Rates:
    return Rates(right / max(found, 1), right / max(total, 1), 2 * right / max(found + total, 1))
