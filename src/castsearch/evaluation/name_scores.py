"""Stage evaluate_names: how right the names of boxes are, and how right their confidence is.

`scores` has a row per person of each movie, one for all of a movie, and one for all of a split, which are called `ALL`:

    true, named, right        boxes that show the person, that are named so, and both
    precision, recall, F1     of these
    time, named_time          how long the person is on screen, and is said to be, in seconds, or in frames where the
                              movie has no times; only in the rows of people, and of boxes that were found
    time_error                named_time / time − 1
    calibration_error         expected calibration error of all that are named so: the mean difference of confidence and
                              share of right names over ten bins of confidence (Guo et al., "On Calibration of Modern
                              Neural Networks", ICML 2017); only in the rows of movies and splits

`reliability` has a row per split and bin of confidence, of the likeliest person of every box, named or not:

    low, high                 bounds of the bin
    boxes                     how many are in it
    confidence, right         mean confidence, and the share of them that show that person

Only names of people who have labels are judged: a movie without any labels is left out, and whoever has none counts as
nobody, since it is not known where they are.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from castsearch.data.crops import Crops, read_splits
from castsearch.data.name_tables import read_names
from castsearch.data.nameless import UNKNOWN
from castsearch.evaluation.labels import cast_of, read_labels
from castsearch.timeline.appearances import read_appearances

ALL = "(all)"
BINS = 10
_COUNTS = ("true", "named", "right", "precision", "recall", "F1")
_TIMES = ("time", "named_time", "time_error")
SCORES = ("split", "movie", "person", *_COUNTS, *_TIMES, "calibration_error")
RELIABILITY = ("split", "low", "high", "boxes", "confidence", "right")


class NameScores(NamedTuple):
    """Tables of scores of names; see above."""

    scores: pd.DataFrame
    reliability: pd.DataFrame


def score_names(
    labels: Mapping[str, str | Path],
    crop_tables: Sequence[str | Path],
    names: Sequence[tuple[str, str | Path]],
    appearances: Mapping[tuple[str, str], str | Path],
    on_bad: str,
) -> NameScores:
    """Score the names of every labelled split; see above.

    Args:
        labels: label file per split.
        crop_tables: those of all movies of the splits.
        names: split and path of each table of names.
        appearances: by split and movie its table of appearances.
        on_bad: "stop" or "skip"; see `labels.read_labels`.

    Raises:
        InputError: a label file cannot be used.
    """
    movies = read_splits(crop_tables)
    scores, reliability = [], []
    for split, label_file in labels.items():
        crops = movies.get(split, [])
        relevant, _ = read_labels(label_file, cast_of(crops), on_bad, across=False)
        table = read_names(path for other, path in names if other == split)
        truth = {(each.movie, box): person for each in crops for box, person in true_names(each, relevant).items()}
        judged = {(each.movie, name) for each in crops for name in _labelled_names(each, relevant)}
        table = table[table["movie"].isin({movie for movie, _ in judged})].reset_index(drop=True)
        for column, nobody in (("person", UNKNOWN), ("likeliest", "")):  # labels know nobody else
            own = zip(table["movie"], table[column], strict=True)
            table[column] = [name if (movie, name) in judged else nobody for movie, name in own]
        table["truth"] = [truth.get(key, UNKNOWN) for key in zip(table["movie"], table["box"], strict=True)]
        table["length"] = 0.0
        for movie, own in table.groupby("movie"):
            table.loc[own.index, "length"] = _lengths(own, read_appearances(appearances[split, movie]))
        scores += _score_split(split, table)
        reliability += _reliability(split, table)
    return NameScores(pd.DataFrame(scores, columns=SCORES), pd.DataFrame(reliability, columns=RELIABILITY))


def true_names(crops: Crops, labels: Mapping[str, Sequence[str]]) -> dict[str, str]:
    """Return whom the labelled boxes of a movie show, by the name that the search gives them."""
    names = zip(crops.cast, crops.cast_names, strict=True)
    return {box: name for portrait, name in names for box in labels.get(portrait, ())}


def _labelled_names(crops: Crops, labels: Mapping[str, Sequence[str]]) -> set[str]:
    """Who of a movie's cast has labels, be it that no box shows them."""
    return {name for portrait, name in zip(crops.cast, crops.cast_names, strict=True) if portrait in labels}


def calibration_error(confidence: NDArray[np.floating], right: NDArray[np.bool_]) -> float:
    """Return the expected calibration error over `BINS` equal bins; 0 of nothing.

    Args:
        confidence: (n,) from 0 to 1.
        right: (n,) whether what was said with it is right.
    """
    bins = np.minimum((confidence * BINS).astype(int), BINS - 1)
    gaps = [abs(confidence[own].sum() - right[own].sum()) for own in (bins == number for number in range(BINS))]
    return float(sum(gaps) / max(1, len(confidence)))


def _score_split(split: str, table: pd.DataFrame) -> list[tuple]:
    rows = []
    for movie, own in table.groupby("movie", sort=False):
        people = sorted({*own["truth"], *own["person"]} - {UNKNOWN})
        for person in people:
            true, named = own["truth"] == person, own["person"] == person
            rates, times = _rates(true, named, true & named), _times(own["length"], true, named)
            rows.append((split, movie, person, *rates, *times, np.nan))
        rows.append((split, movie, *_row_of_all(own)))
    return [*rows, (split, ALL, *_row_of_all(table))]


def _row_of_all(own: pd.DataFrame) -> tuple:
    known, named = own["truth"] != UNKNOWN, own["person"] != UNKNOWN
    right = named & (own["truth"] == own["person"])
    error = calibration_error(own["confidence"][named].to_numpy(), right[named].to_numpy())
    return ALL, *_rates(known, named, right), *[np.nan] * len(_TIMES), error


def _lengths(names: pd.DataFrame, appearances: pd.DataFrame) -> NDArray[np.floating]:
    """What each box is of the time of its appearance, which a track's boxes divide evenly."""
    whose = names["track"].astype("string").fillna(names["box"].astype("string"))
    length = (appearances["end"] - appearances["start"]).set_axis(appearances["track"])
    return (whose.map(length) / whose.map(whose.value_counts())).fillna(0).to_numpy(float)


def _times(length: pd.Series, true: pd.Series, named: pd.Series) -> tuple[float, float, float]:
    """Seconds or frames on screen, as said, and the error."""
    times = float(length[true].sum()), float(length[named].sum())
    return *times, times[1] / times[0] - 1 if times[0] else np.nan


def _rates(true: pd.Series, named: pd.Series, right: pd.Series) -> tuple:
    """How many there are of each, precision, recall and F1; NaN of nothing."""
    counts = int(true.sum()), int(named.sum()), int(right.sum())
    precision, recall = (counts[2] / count if count else np.nan for count in (counts[1], counts[0]))
    f1 = 2 * counts[2] / (counts[0] + counts[1]) if counts[0] + counts[1] else np.nan
    return *counts, precision, recall, f1


def _reliability(split: str, table: pd.DataFrame) -> list[tuple]:
    likely = table[table["likeliest"] != ""]
    bins = np.minimum((likely["confidence"].to_numpy() * BINS).astype(int), BINS - 1)
    right = (likely["likeliest"] == likely["truth"]).to_numpy()
    rows = []
    for number in range(BINS):
        own = bins == number
        means = [values[own].mean() if own.any() else np.nan for values in (likely["confidence"].to_numpy(), right)]
        rows.append((split, number / BINS, (number + 1) / BINS, int(own.sum()), *means))
    return rows
