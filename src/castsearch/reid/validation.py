"""How well features tell people apart who were not trained on: retrieval within labelled movies."""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
from numpy.typing import NDArray

from castsearch.data.crops import read_crops
from castsearch.reid.determinism import Precision
from castsearch.reid.features import extract
from castsearch.reid.networks import ReidNetwork

SCHEMA = pa.schema(
    [(name, pa.string()) for name in ("id", "frame")]
    + [("image", pa.binary())]
    + [(name, pa.string()) for name in ("movie", "person")]
)
CMC_RANKS = (1, 5, 10)
SCORES = ("mAP", *(f"CMC@{k}" for k in CMC_RANKS))


def collect(crop_tables: Iterable[str | Path], labels: Mapping[str, Mapping[str, Sequence[str]]]) -> pa.Table:
    """Gather the candidates of labelled movies, and whom they show.

    Args:
        crop_tables: the movies' crop tables.
        labels: split → cast id → ids of the candidates that show this person. What the movies do not have is left out.

    Returns:
        A row per candidate that has an image: `movie` ("{split}/{movie}"), `id`, `frame`, `image`, and `person`, the
        cast id of whom it shows; null for anybody else.
    """
    tables = [SCHEMA.empty_table()]
    for path in crop_tables:
        crops = read_crops(path)
        # Of this movie's cast alone: a candidate's id is unique in its movie, not in the split.
        relevant = labels.get(crops.split, {})
        person_of = {name: person for person in crops.cast for name in relevant.get(person, ())}
        first = len(crops.cast)
        columns = {
            "id": crops.candidates,
            "frame": crops.frames[first:],
            "image": crops.images.slice(first),
            "movie": [crops.name] * len(crops.candidates),
            "person": [person_of.get(name) for name in crops.candidates],
        }
        tables.append(pa.table(columns, schema=SCHEMA).filter(pa.array(crops.readable[first:])))
    return pa.concat_tables(tables)


def score(
    features: NDArray[np.floating], *, movies: Sequence[str], frames: Sequence[str], people: Sequence[str | None]
) -> dict[str, float]:
    """Score features by retrieval: who is shown is asked of one crop, and answered by the rest of its movie.

    Each candidate that shows a cast member is a query. Its movie's candidates are ranked by the dot product with it,
    equal ones in their order; candidates of the query's own frame, itself among them, are left out, since nobody is
    twice in a frame. Relevant are those that show the same cast member; everybody else, strangers included, is a
    distractor. A candidate whose person is in no other frame is no query.

    AP and CMC are those of `castsearch.evaluation`, which is not imported here: the networks would be trained again
    whenever something in it is changed.

    Args:
        features: (n, d), see `features.extract`.
        movies: of each row.
        frames: of each row, the image that the crop was cut out of.
        people: of each row the cast member, None for anybody else.

    Returns:
        `queries`, how many there are, and their means, `SCORES`; NaN without any query.
    """
    frames, people = np.array(frames, object), np.array(people, object)
    queries = []
    for rows in pd.Series(movies, dtype=object).groupby(np.array(movies, object), sort=False).indices.values():
        similarity = features[rows] @ features[rows].T
        for query in np.flatnonzero(people[rows] != None):  # noqa: E711 - elementwise
            order = rows[np.argsort(-similarity[query], kind="stable")]
            order = order[frames[order] != frames[rows[query]]]
            hits = np.flatnonzero(people[order] == people[rows[query]])  # ranks from 0
            if len(hits):
                precision = np.arange(1, len(hits) + 1) / (hits + 1)
                queries.append([precision.mean(), *(float(hits[0] < k) for k in CMC_RANKS)])
    means = np.mean(queries, axis=0) if queries else np.full(len(SCORES), np.nan)
    return {"queries": len(queries), **dict(zip(SCORES, means.tolist(), strict=True))}


def validate(network: ReidNetwork, gallery: pa.Table, *, device: str, precision: Precision) -> dict[str, float]:
    """Score a network on what `collect` gathered, in the precision that its features are to be extracted in.

    The network comes back in evaluation mode; nothing else of it changes, and no random number is drawn.

    Returns:
        See `score`.

    Raises:
        InputError: a crop is not an image.
    """
    features = extract(network, gallery, device=device, precision=precision)
    columns = gallery.select(["movie", "frame", "person"]).to_pydict()
    return score(features, movies=columns["movie"], frames=columns["frame"], people=columns["person"])
