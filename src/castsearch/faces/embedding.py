"""Stage embed_faces: one face per person, selected, aligned and described, in one table.

The table has a row for each of them:

    id              string
    num_faces       int32, how many faces the detector found
    detected        bool, it found any
    selected        bool, one of them is taken for the person's own
    score, size     float32, of that face; its size is the square root of the box's area in pixels
    box             float32[4], and
    landmarks       float32[10], as in the table of detections; these four are null where no face is selected
    turn            int16, as there; 0 where no face is selected
    feature         float32[d], raw; of the middle of the crop where no face is selected; null for a bad image
    feature_norm    float32, its length; grows with the quality of the face, unless the network normalises its features
"""

import logging
from collections.abc import Mapping
from typing import TypeVar

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from tqdm import tqdm

from castsearch import vectors
from castsearch.boxes import overlap
from castsearch.data.crops import Crops, decode_rgb
from castsearch.data.feature_check import FACES, check_features
from castsearch.errors import InputError
from castsearch.faces.detection import WRONG_FILE, detect_table, engine_metadata
from castsearch.faces.engine import Engine, Face
from castsearch.faces.selection import (
    Selection,
    head_distance,
    select_candidate_face,
    select_cast_face,
    select_tracked_face,
)

logger = logging.getLogger(__name__)

_Number = TypeVar("_Number", bound=np.number)

_SAME_FACE = 0.5  # overlap in the frame from which on two detections are one face
_AS_WELL = 0.15  # difference of `head_distance` up to which a face fits two people about as well …
_LOWER = 0.25  # … and of the lower ends of their boxes, in heights of the face, from which on one is before the other


def embed_table(people: Crops, detections: pa.Table, engine: Engine, selection: Selection | None = None) -> pa.Table:
    """Select and embed the faces of people.

    Args:
        people: of one movie.
        detections: their table of detections, made by the same engine.
        engine: the embedder.
        selection: thresholds; None takes the engine's own.

    Returns:
        The table of faces, with the engine's `identity` in the schema's metadata under "engine".

    Raises:
        InputError: a person's feature is not finite, or the features cannot tell people apart.
    """
    faces = _faces(people, detections, engine, selection)
    _check(people, faces)
    return faces


def add_portraits(people: Crops, portraits: Crops, boxes: pa.Table, engine: Engine, selection: Selection) -> pa.Table:
    """Detect, select and embed the faces of a film's portraits, and put them before those of its boxes.

    The table is the one that `embed_table` makes of all people of the film at once. But boxes need not be described
    anew for another portrait.

    Args:
        people: of the film, portraits and boxes.
        portraits: the portraits alone.
        boxes: the table of the boxes' faces, made by the same engine and thresholds.
        engine: detector and embedder.
        selection: thresholds.

    Returns:
        See `embed_table`, which also names the errors.
    """
    of_portraits = _faces(portraits, detect_table(portraits, engine), engine, selection)
    faces = pa.concat_tables([of_portraits, boxes]).combine_chunks()
    _check(people, faces)
    return faces


def _check(people: Crops, faces: pa.Table) -> None:
    """See `check_features`; the middle of a crop in which no face is selected tells nobody apart."""
    features = vectors.to_rows(faces["feature"], 0)
    selected = faces["selected"].to_numpy()
    check_features(people, np.where(selected[:, None], features, 0), FACES)


def _faces(people: Crops, detections: pa.Table, engine: Engine, selection: Selection | None) -> pa.Table:
    """The table of faces, whose features nobody has looked at yet; see `embed_table`."""
    ids, readable = people.ids, people.readable
    score = detections["score"].to_numpy()
    box = vectors.to_rows(detections["box"])
    landmarks = vectors.to_rows(detections["landmarks"])
    turn = detections["turn"].to_numpy()
    person = detections["person"].to_numpy()
    face, num_faces = select_faces(people, person, box, score, selection or engine.selection)
    selected = face >= 0
    for row, name in enumerate(people.cast):
        if readable[row] and not (num_faces[row] == 1 and selected[row]):
            taken = "the most prominent one" if selected[row] else "the middle of the picture"
            logger.warning("%s: portrait %s: %d faces found; described is %s", people.name, name, num_faces[row], taken)

    own_faces = {
        row: Face(box[face[row]], landmarks[face[row]].reshape(5, 2)) for row in np.flatnonzero(selected).tolist()
    }
    features = _embed(people, own_faces, engine)

    own = face[selected]
    return pa.table(
        {
            "id": pa.array(ids, pa.string()),
            "num_faces": pa.array(num_faces, pa.int32()),
            "detected": num_faces > 0,
            "selected": selected,
            "score": pa.array(_scatter(score[own], selected), mask=~selected),
            "box": vectors.to_column(_scatter(box[own], selected), 4, selected),
            "landmarks": vectors.to_column(_scatter(landmarks[own], selected), 10, selected),
            "turn": _scatter(turn[own], selected),
            "feature": vectors.to_column(features, engine.dimension, readable),
            "feature_norm": pa.array(np.linalg.norm(features, axis=1), mask=~readable),
            "size": pa.array(_scatter(_size(box[own]), selected), mask=~selected),
        }
    ).replace_schema_metadata(engine_metadata(engine))


def _embed(people: Crops, faces: Mapping[int, Face], engine: Engine) -> NDArray[np.float32]:
    """The features of people, some of whom have a face, by row; 0 for who cannot be read."""
    readable = np.flatnonzero(people.readable).tolist()
    samples = ((decode_rgb(people.image(row)), faces.get(row)) for row in readable)
    features = np.zeros((len(people.ids), engine.dimension), np.float32)
    progress = tqdm(engine.embed(samples), f"embed_faces {people.name}", len(readable), unit="crop", mininterval=2)
    for row, feature in zip(readable, progress, strict=True):
        if not np.isfinite(feature).all():
            raise InputError(f"{people.name}: {people.ids[row]}: the embedder's feature is not finite; {WRONG_FILE}")
        features[row] = feature
    return features


def select_faces(
    people: Crops,
    person: NDArray[np.integer],
    boxes: NDArray[np.float32],
    scores: NDArray[np.float32],
    selection: Selection,
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Pick each person's face among the detections of a movie.

    Boxes of one frame overlap, so that the same face may be found in several. It belongs to the person whose box it
    fits best, or who stands before the others; these take their next best one.

    Args:
        people: the movie's people.
        person: (n,) row in `people` of each detection.
        boxes: (n, 4) x1, y1, x2, y2 in pixels of the person's crop.
        scores: (n,) detection scores.
        selection: thresholds.

    Returns:
        For each person the index of their face among the detections, -1 for none; and how many faces were found.
    """
    faces = np.full(len(people.sizes), -1)
    num_faces = np.zeros(len(people.sizes), int)
    found = [np.flatnonzero((person == row) & (scores >= selection.min_score)) for row in range(len(people.sizes))]

    def select(row: int, among: NDArray[np.intp]) -> None:
        of_candidate = select_tracked_face if people.tracks[row] > 0 else select_candidate_face
        choose = select_cast_face if row < len(people.cast) else of_candidate
        width, height = people.sizes[row].tolist()
        choice = choose(width, height, boxes[among], scores[among], selection)
        faces[row] = -1 if choice is None else among[choice]

    for row, own in enumerate(found):
        num_faces[row] = len(own)
        select(row, own)
    in_frame = boxes + np.tile(people.corners[person], 2)
    for rows in _shared_frames(people):
        left = {row: found[row] for row in rows}
        while (loser := _loser(rows, faces, people, boxes, in_frame)) is not None:
            left[loser] = left[loser][left[loser] != faces[loser]]
            select(loser, left[loser])
    return faces, num_faces


def _shared_frames(people: Crops) -> list[list[int]]:
    """Rows of the candidates of each frame that has more than one."""
    rows: dict[str, list[int]] = {}
    for row in range(len(people.cast), len(people.sizes)):
        rows.setdefault(people.frames[row], []).append(row)
    return [own for own in rows.values() if len(own) > 1]


def _loser(
    rows: list[int],
    faces: NDArray[np.integer],
    people: Crops,
    boxes: NDArray[np.float32],
    in_frame: NDArray[np.float32],
) -> int | None:
    """The first of a frame's people whose face is one that fits another of them better; None where there is none.

    Who stands before somebody else hides them, and reaches lower in the picture. So a face that fits two about as well
    is theirs who reach lower.
    """
    rows = [row for row in rows if faces[row] >= 0]
    own = in_frame[faces[rows]]
    for first, second in zip(*np.nonzero(np.triu(overlap(own, own) > _SAME_FACE, 1)), strict=True):
        pair = rows[first], rows[second]
        distance = [head_distance(people.sizes[row, 0], people.sizes[row, 1], boxes[faces[row]]) for row in pair]
        lowest = [people.corners[row, 1] + people.sizes[row, 1] for row in pair]
        height = own[first, 3] - own[first, 1]
        if abs(distance[0] - distance[1]) <= _AS_WELL and abs(lowest[0] - lowest[1]) > _LOWER * height:
            return pair[int(np.argmin(lowest))]
        return pair[int(np.argmax(distance))]
    return None


def _scatter(values: NDArray[_Number], where: NDArray[np.bool_]) -> NDArray[_Number]:
    """Put values into the rows where they belong, zeros elsewhere."""
    scattered = np.zeros((len(where), *values.shape[1:]), values.dtype)
    scattered[where] = values
    return scattered


def _size(boxes: NDArray[np.float32]) -> NDArray[np.float32]:
    return np.sqrt((boxes[:, 2] - boxes[:, 0]) * (boxes[:, 3] - boxes[:, 1]))
