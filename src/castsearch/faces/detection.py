"""Stage detect: every face in every crop of a movie, in one table.

The table has a row per face, by person, best first:

    person       int32, number of the person in the movie, or among the boxes of a film, from 0 on
    id           string, of the person
    score        float32, on the detector's own scale
    box          float32[4] x1, y1, x2, y2 in pixels of the crop
    landmarks    float32[10], five times x, y
    turn         int16, by how many degrees the picture was turned clockwise to find the face; not 0 for portraits only.
                 Box and landmarks are those in the picture as it is
"""

import json
import logging
from collections.abc import Iterable, Sequence

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from tqdm import tqdm

from castsearch import vectors
from castsearch.data.crops import Crops, decode_rgb
from castsearch.errors import InputError
from castsearch.faces.engine import Engine, Faces, identity

logger = logging.getLogger(__name__)

_TURNS = (0, 1, 2, 3)
_GAIN = 0.02
"""By how much a face in a turned picture must score more. Of 74 portraits, YuNet's score is the highest for the picture
as it is, by 0.03 at least. It finds many faces on their side too, but misplaces the landmarks, so that the features are
like nobody's."""

WRONG_FILE = "its model file may be damaged: get it anew"


def detect_table(people: Crops, engine: Engine) -> pa.Table:
    """Detect the faces of people.

    Portraits are tried in all four positions, since people scan them on their side.

    Args:
        people: of one movie; those without an image have no faces.
        engine: the detector.

    Returns:
        The table of detections, with the engine's `identity` in the schema's metadata under "engine".

    Raises:
        InputError: what the detector gives for a person is not finite.
    """
    ids, persons = people.ids, np.flatnonzero(people.readable).tolist()
    tries = [(row, turn) for row in persons for turn in (_TURNS if row < len(people.cast) else _TURNS[:1])]
    decoded = (np.ascontiguousarray(np.rot90(decode_rgb(people.image(row)), -turn)) for row, turn in tries)
    progress = tqdm(engine.detect(decoded), f"detect {people.name}", len(tries), unit="crop", mininterval=2)
    found: list[Faces] = []
    try:
        for faces in progress:
            if not all(np.isfinite(part).all() for part in faces):
                raise FloatingPointError("the detector's boxes, scores or landmarks are not finite")
            found.append(faces)
    except FloatingPointError as error:
        raise InputError(f"{people.name}: {ids[tries[len(found)][0]]}: {error}; {WRONG_FILE}") from None
    found, turns = _choose_turns(people, tries, found)
    counts = [len(faces.scores) for faces in found]
    rows = np.repeat(np.array(persons, np.int32), counts)
    return pa.table(
        {
            "person": rows,
            "id": pa.array([ids[row] for row in rows], pa.string()),
            "score": _stack([faces.scores for faces in found]),
            "box": vectors.to_column(_stack([faces.boxes for faces in found]), 4),
            "landmarks": vectors.to_column(_stack([faces.landmarks for faces in found]), 10),
            "turn": pa.array(np.repeat(np.array(turns, np.int16) * 90, counts)),
        }
    ).replace_schema_metadata(engine_metadata(engine))


def turn_back(faces: Faces, turn: int, width: int, height: int) -> Faces:
    """Say where faces of a turned picture are in the picture as it is.

    Args:
        faces: found in the turned picture.
        turn: by how many quarters it was turned clockwise.
        width: of the picture as it is, in pixels.
        height: of the same.
    """

    def back(points: NDArray[np.float32]) -> NDArray[np.float32]:
        x, y = points[..., 0], points[..., 1]
        return np.stack([(x, y), (y, height - x), (width - x, height - y), (width - y, x)][turn], -1)

    corners = back(faces.boxes.reshape(-1, 2, 2))
    boxes = np.concatenate([corners.min(axis=1), corners.max(axis=1)], axis=1)
    return Faces(boxes, faces.scores, back(faces.landmarks))


def _choose_turns(
    people: Crops, tries: Sequence[tuple[int, int]], found: Iterable[Faces]
) -> tuple[list[Faces], list[int]]:
    """For each picture the faces of the turn in which the best one is clearest, and that turn in quarters."""
    best: dict[int, tuple[float, int, Faces]] = {}
    for (row, turn), faces in zip(tries, found, strict=True):
        score = float(faces.scores.max(initial=0)) - (_GAIN if turn else 0)
        if row not in best or score > best[row][0]:
            best[row] = score, turn, faces
    for row, (_, turn, _) in best.items():
        if turn:
            logger.warning(
                "%s: portrait %s: lies on its side; its face is found when it is turned clockwise by %d degrees",
                people.name,
                people.ids[row],
                90 * turn,
            )
    turned = [turn_back(faces, turn, *people.sizes[row].tolist()) for row, (_, turn, faces) in best.items()]
    return turned, [turn for _, turn, _ in best.values()]


def engine_metadata(engine: Engine) -> dict[bytes, bytes]:
    """Return the schema metadata that says which engine made a table."""
    return {b"engine": json.dumps(identity(engine)).encode()}


def _stack(arrays: Sequence[NDArray[np.float32]]) -> NDArray[np.float32]:
    return np.concatenate(arrays).astype(np.float32) if arrays else np.empty(0, np.float32)
