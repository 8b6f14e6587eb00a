"""Stage detect: every face in every crop of a movie, in one table.

The table has a row per face, by person, best first:

    person       int32, row in the crop table
    id           string, of the person
    score        float32, on the detector's own scale
    box          float32[4] x1, y1, x2, y2 in pixels of the crop
    landmarks    float32[10], five times x, y
"""

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from tqdm import tqdm

from castsearch.data.crops import decode_rgb, read_crops
from castsearch.errors import InputError
from castsearch.faces.engine import Engine, Faces, identity

WRONG_FILE = "its model file may be damaged: get it anew"


def detect_table(crops: str | Path, engine: Engine) -> pa.Table:
    """Detect the faces of one movie's people.

    Args:
        crops: the movie's crop table; people without an image have no faces.
        engine: the detector.

    Returns:
        The table of detections, with the engine's `identity` in the schema's metadata under "engine".

    Raises:
        InputError: what the detector gives for a person is not finite.
    """
    people = read_crops(crops)
    ids, persons = people.ids, np.flatnonzero(people.readable).tolist()
    decoded = (decode_rgb(people.images[row].as_py()) for row in persons)
    progress = tqdm(engine.detect(decoded), f"detect {people.name}", len(persons), unit="crop", mininterval=2)
    found: list[Faces] = []
    try:
        for faces in progress:
            if not all(np.isfinite(part).all() for part in faces):
                raise FloatingPointError("the detector's boxes, scores or landmarks are not finite")
            found.append(faces)
    except FloatingPointError as error:
        raise InputError(f"{crops}: {ids[persons[len(found)]]}: {error}; {WRONG_FILE}") from None
    counts = [len(faces.scores) for faces in found]
    rows = np.repeat(np.array(persons, np.int32), counts)
    return pa.table(
        {
            "person": rows,
            "id": pa.array([ids[row] for row in rows], pa.string()),
            "score": _stack([faces.scores for faces in found]),
            "box": vectors(_stack([faces.boxes for faces in found]), 4),
            "landmarks": vectors(_stack([faces.landmarks for faces in found]), 10),
        }
    ).replace_schema_metadata(engine_metadata(engine))


def vectors(values: NDArray[np.float32], length: int, valid: NDArray[np.bool_] | None = None) -> pa.FixedSizeListArray:
    """Make a column of vectors of one `length` from an array with a row each; null where not `valid`."""
    mask = None if valid is None else pa.array(~valid)
    flat = pa.array(values.reshape(-1), pa.float32())
    return pa.FixedSizeListArray.from_arrays(flat, length, mask=mask)


def engine_metadata(engine: Engine) -> dict[bytes, bytes]:
    """Return the schema metadata that says which engine made a table."""
    return {b"engine": json.dumps(identity(engine)).encode()}


def _stack(arrays: Sequence[NDArray[np.float32]]) -> NDArray[np.float32]:
    return np.concatenate(arrays).astype(np.float32) if arrays else np.empty(0, np.float32)
