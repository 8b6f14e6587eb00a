"""Persons by their faces: boxes of upper bodies that are grown from boxes of faces."""

from collections.abc import Iterable, Iterator

import numpy as np

from castsearch.faces.engine import Engine, Image
from castsearch.film.persons import Boxes

# In widths and heights of the face: shoulders are three faces wide, and of a person's seven heads a film shows the
# upper half more often than the rest.
_BESIDE = 1.0
_ABOVE = 0.6
_BELOW = 4.5


def find_by_face(engine: Engine, images: Iterable[Image]) -> Iterator[Boxes]:
    """Find the persons of each frame whose face an engine finds; their score is the face's."""
    for found in engine.detect(images):
        kept = found.scores >= engine.selection.min_score
        yield Boxes(grow(found.boxes[kept]), found.scores[kept])


def grow(faces: np.ndarray) -> np.ndarray:
    """Grow boxes of faces, (n, 4) x1, y1, x2, y2, to those of upper bodies; they may leave the frame."""
    width, height = faces[:, 2] - faces[:, 0], faces[:, 3] - faces[:, 1]
    return np.stack(
        [
            faces[:, 0] - _BESIDE * width,
            faces[:, 1] - _ABOVE * height,
            faces[:, 2] + _BESIDE * width,
            faces[:, 3] + _BELOW * height,
        ],
        axis=1,
    )
