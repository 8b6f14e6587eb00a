"""Persons by their faces: a box grown from each face that a face engine finds in the whole frame.

It needs no other model than the search itself. Whose face is not seen is not found; who turns away is followed, see
`castsearch.film.follow`.
"""

import logging
from collections.abc import Mapping
from functools import partial

from castsearch.faces import engines
from castsearch.film.persons import PersonDetector
from castsearch.film.upper_bodies import find_by_face

WARNING = (
    "Persons are boxes around faces, so that nobody is found in a shot in which their face is never seen; to find "
    "them, choose ssdlite as film.persons.detector, or yolox, nanodet, detr or torchvision with a file"
)
logger = logging.getLogger(__name__)


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
    logger.warning(WARNING)
    # The boxes are guessed from the face, and have as much of the background as of the clothes.
    return PersonDetector(
        partial(find_by_face, faces), faces.selection.candidate_score, least_colours=0, sees_backs=False
    )
