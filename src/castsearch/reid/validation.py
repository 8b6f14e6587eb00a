"""How well features tell people apart who were not trained on: retrieval within labelled movies."""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
from numpy.typing import NDArray

from castsearch import evaluation
from castsearch.files import read_table
from castsearch.reid.features import extract
from castsearch.reid.networks import ReidNetwork

SCHEMA = pa.schema(
    [(name, pa.string()) for name in ("id", "frame")]
    + [("image", pa.binary())]
    + [(name, pa.string()) for name in ("movie", "person")]
)
SCORES = ("mAP", *(f"CMC@{k}" for k in evaluation.CMC_RANKS))


def collect(crop_tables: Iterable[str | Path], labels: Mapping[str, Sequence[str]]) -> pa.Table:
    """Gather the candidates of labelled movies, and whom they show.

    Args:
        crop_tables: the movies' crop tables, `…/{split}/{movie}.arrow`.
        labels: cast id → ids of the candidates that show this person.

    Returns:
        A row per candidate that has an image: `movie` ("{split}/{movie}"), `id`, `frame`, `image`, and `person`, the
        cast id of whom it shows; null for anybody else.
    """
    person_of = {candidate: cast for cast, candidates in labels.items() for candidate in candidates}
    tables = [SCHEMA.empty_table()]
    for path in map(Path, crop_tables):
        table = read_table(path)
        used = np.array(table["role"].to_pylist(), object) == "candidate"
        table = table.filter(pa.array(used & table["image"].is_valid().to_numpy()))
        people = [person_of.get(name) for name in table["id"].to_pylist()]
        movie = [f"{path.parent.name}/{path.stem}"] * len(table)
        tables.append(
            table.select(["id", "frame", "image"])
            .append_column("movie", pa.array(movie, pa.string()))
            .append_column("person", pa.array(people, pa.string()))
        )
    return pa.concat_tables(tables)


def score(
    features: NDArray[np.floating],
    *,
    movies: Sequence[str],
    ids: Sequence[str],
    frames: Sequence[str],
    people: Sequence[str | None],
) -> pd.Series:
    """Score features by retrieval: who is shown is asked of one crop, and answered by the rest of its movie.

    Each candidate that shows a cast member is a query. Its movie's candidates are ranked by the dot product with it;
    candidates of the query's own frame, itself among them, are left out, since nobody is twice in a frame. Relevant are
    those that show the same cast member; everybody else, strangers included, is a distractor. A candidate whose person
    is in no other frame is no query.

    Args:
        features: (n, d), see `features.extract`.
        movies: of each row.
        ids: of each row, distinct within a movie.
        frames: of each row, the image that the crop was cut out of.
        people: of each row the cast member, None for anybody else.

    Returns:
        `queries`, `mAP` and `CMC@k`, see `evaluation.summarize`; the scores are NaN without any query.
    """
    rows_of = pd.Series(range(len(movies))).groupby(np.array(movies, object), sort=False).indices
    queries = [
        _score_movie(features[rows], *(np.array(column, object)[rows] for column in (ids, frames, people)), movie)
        for movie, rows in rows_of.items()
    ]
    return evaluation.summarize(pd.concat([evaluation.score_queries({}, {}), *queries]))


def _score_movie(features: NDArray, ids: NDArray, frames: NDArray, people: NDArray, movie: str) -> pd.DataFrame:
    similarity = features @ features.T
    labels, rankings = {}, {}
    for row in np.flatnonzero(people != None):  # noqa: E711 - elementwise
        elsewhere = frames != frames[row]
        relevant = ids[elsewhere & (people == people[row])]
        if len(relevant):
            order = np.argsort(-similarity[row], kind="stable")
            labels[ids[row]] = relevant.tolist()
            rankings[ids[row]] = ids[order[elsewhere[order]]].tolist()
    return evaluation.score_queries(labels, rankings, dict.fromkeys(labels, movie))


def validate(network: ReidNetwork, gallery: pa.Table, *, device: str) -> pd.Series:
    """Score a network on what `collect` gathered, in float32 as its features are used later.

    The network comes back in evaluation mode; nothing else of it changes, and no random number is drawn.

    Returns:
        See `score`.

    Raises:
        InputError: a crop is not an image.
    """
    features = extract(network, gallery, device=device)
    columns = gallery.select(["movie", "id", "frame", "person"]).to_pydict()
    return score(
        features,
        movies=columns["movie"],
        ids=columns["id"],
        frames=columns["frame"],
        people=columns["person"],
    )
