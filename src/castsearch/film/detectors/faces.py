"""Persons by their faces: a box grown from each face that a face engine finds in the whole frame.

It needs no other model than the search itself. Whose face is not seen is not found; who turns away is followed, see
`castsearch.film.follow`.
"""

import logging
from collections.abc import Iterable, Iterator, Mapping

import numpy as np

from castsearch.faces import engines
from castsearch.faces.engine import Image
from castsearch.film.persons import Boxes, PersonDetector

WARNING = (
    "Persons are boxes around faces, so that nobody is found in a shot in which their face is never seen; to find "
    "them, choose yolox, nanodet, detr or torchvision as film.persons.detector, and name its file"
)
_logger = logging.getLogger(__name__)

# In widths and heights of the face: shoulders are three faces wide, and of a person's seven heads a film shows the
# upper half more often than the rest.
_BESIDE = 1.0
_ABOVE = 0.6
_BELOW = 4.5


def make(engine: str, options: Mapping[str, object], threads: int = 1) -> PersonDetector:
    """Make a detector of the persons whose face an engine finds; its score is the face's.

    Args:
        engine: name of the face engine.
        options: of the engine.
        threads: that its network may use.

    Raises:
        InputError: a model file of the engine is missing.
    """
    faces = engines.load(engine).make(options, threads)
    _logger.warning(WARNING)
    least = faces.selection.min_score

    def detect(images: Iterable[Image]) -> Iterator[Boxes]:
        for found in faces.detect(images):
            kept = found.scores >= least
            yield Boxes(grow(found.boxes[kept]), found.scores[kept])

    # The boxes are guessed from the face, and have as much of the background as of the clothes.
    return PersonDetector(detect, faces.selection.candidate_score, least_colours=0, sees_backs=False)


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
