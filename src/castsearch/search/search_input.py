"""What every method of the search ranks from."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray


class Clothes(NamedTuple):
    """What the n candidates of films wear.

    Attributes:
        colours: (n, d) float32, see `castsearch.film.colours`.
        shots: (n,) numbers of the shots that they are seen in; no two films have one in common.
    """

    colours: NDArray[np.float32]
    shots: NDArray[np.integer]


@dataclass(frozen=True)
class SearchInput:
    """The features of c cast members and n candidates, and what is known of them.

    Attributes:
        face_similarity: (c, n) cosines or re-ranked similarities; of a candidate without a face, they mean nothing.
        cast_face: (c, d) face features of any length.
        face: (n, d) face features of the candidates.
        body: (n, d') body features of the candidates; None to go by faces alone.
        body_similarity: (n, n) similarities by re-ranked bodies, a row for a query; None where they are not re-ranked.
        frames: of the n candidates, see `moments.Frames`.
        has_face: (n,) bool, whether the candidate's face can be seen.
        frontal: (n,) how far that face looks at the camera, from 0 to 1, see `gallery.frontality`.
        person: (c,) numbers from 0 on, equal for portraits that are known to show one person.
        cast_movies: (c,) numbers of the portraits' movies; people of one movie are different.
        thresholds: of a method that has them.
        clothes: of the n candidates; None where they are no film's, or are searched by faces alone.
        facts: (people + 1, n) int8, what is certain of each person in `person`, and of strangers, see
            `facts.Facts`; None where nothing is. Methods without shares are not given it.
        reranked: whether `face_similarity` is re-ranked, and has no cosines.
    """

    face_similarity: np.ndarray
    cast_face: np.ndarray
    face: np.ndarray
    body: np.ndarray | None
    body_similarity: np.ndarray | None
    frames: Sequence[str | tuple[str, ...]]
    has_face: np.ndarray
    frontal: np.ndarray
    person: np.ndarray
    cast_movies: np.ndarray
    thresholds: Sequence[float] = ()
    clothes: Clothes | None = None
    facts: np.ndarray | None = None
    reranked: bool = False
