"""How well features tell people apart who were not trained on: retrieval within labelled movies."""

import copy
from collections.abc import Sequence

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from castsearch.evaluation.metrics import average_precision_at, matched_within
from castsearch.float_precision import FloatPrecision
from castsearch.reid.features import extract
from castsearch.reid.heads import ReidNetwork
from castsearch.reid.torch_features import describer, merge_norms
from castsearch.reid.transforms import Images

SCORES = ("mAP", "CMC@1")  # the two that papers on person re-identification report


def score(
    features: NDArray[np.floating], *, movies: Sequence[str], frames: Sequence[str], people: Sequence[str | None]
) -> dict[str, float]:
    """Score features by retrieval: who is shown is asked of one crop, and answered by the rest of its movie.

    Each candidate that shows a cast member is a query. Its movie's candidates are ranked by the dot product with it,
    equal ones in their order; candidates of the query's own frame, itself among them, are left out, since nobody is
    twice in a frame. Relevant are those that show the same cast member; everybody else, strangers included, is a
    distractor. A candidate whose person is in no other frame is no query.

    Args:
        features: (n, d), see `features.extract`.
        movies: of each row.
        frames: of each row, the image that the crop was cut out of.
        people: of each row the cast member, None for anybody else.

    Returns:
        `queries`, how many there are, and their means, `SCORES`; NaN without any query.
    """
    movie_of, frame_of, person_of = (np.array(column, object) for column in (movies, frames, people))
    queries = []
    for movie in dict.fromkeys(movies):
        rows = np.flatnonzero(movie_of == movie)
        similarity = features[rows] @ features[rows].T
        for query in np.flatnonzero(person_of[rows] != None):  # noqa: E711 - elementwise
            order = rows[np.argsort(-similarity[query], kind="stable")]
            order = order[frame_of[order] != frame_of[rows[query]]]
            ranks = (1 + np.flatnonzero(person_of[order] == person_of[rows[query]])).tolist()
            if ranks:
                queries.append([average_precision_at(ranks, len(ranks)), matched_within(ranks[0], 1)])
    means = np.mean(queries, axis=0) if queries else np.full(len(SCORES), np.nan)
    return {"queries": len(queries), **dict(zip(SCORES, means.tolist(), strict=True))}


def validate(
    network: ReidNetwork, gallery: pa.Table, *, device: str, precision: FloatPrecision, image: Images | None = None
) -> dict[str, float]:
    """Score a network on what `collect_labelled` gathered, by features as they are to be extracted.

    Nothing of the network changes, and no random number is drawn.

    Args:
        network: in training or evaluation mode.
        gallery: the candidates.
        device: see `describer`, as `precision`.
        precision: of the features.
        image: see `extract`.

    Returns:
        See `score`.

    Raises:
        InputError: a crop is not an image.
    """
    # Buffers are cloned, since those of fake devices, as in the tests, can be copied in no other way.
    network = copy.deepcopy(network, {id(buffer): buffer.clone() for buffer in network.buffers()}).eval()
    merge_norms(network)
    features = extract(describer(network, device=device, precision=precision), gallery, image)
    columns = gallery.select(["movie", "frame", "person"]).to_pydict()
    return score(features, movies=columns["movie"], frames=columns["frame"], people=columns["person"])
