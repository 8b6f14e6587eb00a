"""Stage names: whom each box shows, a cast member or somebody unknown, and how sure that is.

The search says how probable each person is, see `search_result.SearchResult`; `bench/real.py` and `bench/names.py`
measure how right that is. Nobody is twice in a frame, nor in two tracks at one time: the better score has the name.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from castsearch.data.crops import Crops, read_crops
from castsearch.data.name_tables import COLUMNS
from castsearch.data.nameless import UNKNOWN
from castsearch.data.rankings import Shares, read_shares
from castsearch.errors import one_line
from castsearch.search.moments import Frames, presence

_UNLIKELY = 0.02  # confidence below which nobody is likely


def assign(score: NDArray[np.floating], probability: NDArray[np.floating], frames: Frames) -> NDArray[np.int64]:
    """Give each candidate one person at most, and each person one candidate at a moment, by falling score.

    Args:
        score: (people, n).
        probability: (people, n) that candidates show people; those below a fiftieth are none.
        frames: of the n candidates, see `moments.Frames`.

    Returns:
        (n,) numbers of the people, −1 for nobody.
    """
    present = presence(frames)
    assigned = np.full(present.shape[0], -1)
    seen: dict[int, set[int]] = {}
    people, candidates = np.nonzero(probability >= _UNLIKELY)
    for at in np.argsort(-score[people, candidates], kind="stable"):
        person, candidate = people[at], candidates[at]
        own = present.indices[present.indptr[candidate] : present.indptr[candidate + 1]].tolist()
        taken = seen.setdefault(int(person), set())
        if assigned[candidate] < 0 and taken.isdisjoint(own):
            assigned[candidate] = person
            taken.update(own)
    return assigned


def name_group(crops: Sequence[str | Path], rankings: str | Path, variant: str, least: float) -> pd.DataFrame:
    """Name the boxes of the movies that are searched together.

    Args:
        crops: crop table of each movie.
        rankings: the table of their rankings.
        variant: key of a variant that has shares.
        least: confidence below which a box is unknown.

    Returns:
        A table as `castsearch.data.name_tables` describes it.
    """
    shares = read_shares(rankings, variant, _UNLIKELY)
    movies = [read_crops(path) for path in crops]
    labels = {name: label for movie in movies for name, label in zip(movie.cast, movie.labels, strict=False)}
    labels |= shares.names
    return pd.concat(
        [pd.DataFrame(columns=COLUMNS), *(name_movie(movie, shares, labels, least) for movie in movies)],
        ignore_index=True,
    )


def name_movie(crops: Crops, shares: Shares, labels: Mapping[str, str | None], least: float) -> pd.DataFrame:
    """Name the boxes of one movie; see `name_group`.

    Args:
        crops: of the movie.
        shares: of all people who are searched in it.
        labels: by portrait the name of whom it shows, or None.
        least: confidence below which a box is unknown.
    """
    people = np.unique(shares.person)
    tracked = bool(len(crops.candidates)) and (crops.tracks[len(crops.cast) :] > 0).all()
    units, boxes, frames = _tracks(crops) if tracked else _boxes(crops)
    score, probability = np.zeros((2, len(people), len(boxes)), np.float32)
    if len(people):
        columns = [shares.candidates[crops.candidates[box]] for box in boxes]
        score, probability = (likely[:, columns].toarray() for likely in (shares.score, shares.share))
    assigned = assign(score, probability, frames)
    names = np.array([*_names(crops, shares, people, labels), ""], object)
    sure = np.append(probability, np.zeros((1, len(boxes))), axis=0)[assigned, np.arange(len(boxes))]
    likeliest = names[assigned]
    person = np.where((assigned >= 0) & (sure >= least), likeliest, UNKNOWN)
    own = slice(len(crops.cast), None)
    return pd.DataFrame(
        {
            "movie": crops.movie,
            "box": crops.candidates,
            "frame": crops.frames[own],
            "time": pd.array(np.where(tracked, crops.times[own], np.nan), "Float64"),
            "shot": pd.array(crops.shots[own], "Int64"),
            "track": pd.array(crops.tracks[own], "Int64"),
            "person": person[units],
            "confidence": sure[units],
            "likeliest": likeliest[units],
        }
    ).replace({"shot": {-1: pd.NA}, "track": {-1: pd.NA}})


def _boxes(crops: Crops) -> tuple[np.ndarray, np.ndarray, Frames]:
    """Each box is a candidate of its own, in one frame: see `_tracks`."""
    rows = np.arange(len(crops.candidates))
    return rows, rows, crops.frames[len(crops.cast) :]


def _tracks(crops: Crops) -> tuple[np.ndarray, np.ndarray, Frames]:
    """Of a film: which track each box is of; and of each track its first box, and the moments at which it is seen."""
    own = slice(len(crops.cast), None)
    _, boxes, units = np.unique(crops.tracks[own], return_index=True, return_inverse=True)
    moments = crops.moments.take(len(crops.cast) + boxes).to_pylist()
    return units, boxes, [tuple(map(str, each)) for each in moments]


def _names(crops: Crops, shares: Shares, people: NDArray[np.integer], labels: Mapping[str, str | None]) -> list[str]:
    """What people are called: by the label of a portrait, or else its id; the movie's own portraits come first."""
    names = []
    for person in people:
        portraits = [shares.cast[row] for row in np.flatnonzero(shares.person == person)]
        portraits.sort(key=lambda name: name not in crops.cast)
        names.append(one_line(next((labels[name] for name in portraits if labels.get(name)), None) or portraits[0]))
    return names
