"""Stage crop: cut every person of a movie out of its frame, into one table of encoded crops.

The table has a row per person, cast first, then candidates, in annotation order:

    id, role ("cast" or "candidate"), label, frame      strings; label is null where the split has none
    x, y, width, height                                 int32, the box clipped to the frame (a portrait: all of it)
    image                                               JPEG bytes; null when it could not be had
    problem                                             the reason why not, one line; null when all is well
"""

import io
import json
import math
from collections.abc import Mapping, Sequence
from itertools import groupby
from pathlib import Path

import numpy as np
import pyarrow as pa
from PIL import Image
from tqdm import tqdm

from castsearch.data.challenge import Person, image_path, people
from castsearch.data.images import read_rgb
from castsearch.errors import InputError

SCHEMA = pa.schema(
    [
        ("id", pa.string()),
        ("role", pa.string()),
        ("label", pa.string()),
        ("frame", pa.string()),
        ("x", pa.int32()),
        ("y", pa.int32()),
        ("width", pa.int32()),
        ("height", pa.int32()),
        ("image", pa.binary()),
        ("problem", pa.string()),
    ]
)
_DROPPED = b"dropped"  # metadata key: records that could not become a row, as JSON [[id, reason], ...]
_LONGEST = 65_500  # pixels of a side, which is all that the JPEG library writes
_QUALITY = 95  # visually lossless; a face of 40 pixels must not lose what the detector looks for


def crop_movie(entry: Mapping, source: str, images: str | Path, on_bad_image: str) -> pa.Table:
    """Cut out all people of one movie.

    Args:
        entry: the movie's value in `{split}.json`.
        source: how error messages name the annotation file and the movie.
        images: the folder that `img` paths are relative to.
        on_bad_image: "stop" raises at the first record that cannot be used; "skip" keeps its row without an image.

    Returns:
        The crop table.

    Raises:
        InputError: a record cannot be used and `on_bad_image` is "stop"; or there are candidates and none of them can
            be used, which is a mistake in the settings rather than in the records.
    """
    persons, dropped = people(entry, source)
    if dropped and on_bad_image == "stop":
        raise InputError(dropped[0][1])
    rows: dict[str, dict] = {}
    by_frame = sorted(persons, key=lambda person: (person.role, person.img))  # decode each frame once
    progress = tqdm(total=len(persons), desc=f"crop {source}", unit="person", mininterval=2)
    for img, group in groupby(by_frame, key=lambda person: person.img):
        for person, row in _cut_frame(list(group), img, source, images):
            if row["problem"] and on_bad_image == "stop":
                raise InputError(row["problem"])
            rows[person.id] = row
            progress.update()
    progress.close()
    table = pa.Table.from_pylist([rows[person.id] for person in persons], schema=SCHEMA)
    table = table.replace_schema_metadata({_DROPPED: json.dumps(dropped)})
    candidates = table.slice(num_cast(table))
    if entry["candidates"] and candidates["image"].null_count == len(candidates):
        [reason, *_] = [*filter(None, candidates["problem"].to_pylist()), *(reason for _, reason in dropped)]
        raise InputError(f"{images}: none of the movie's candidates can be used; {reason}")
    return table


def _cut_frame(persons: Sequence[Person], img: str, source: str, images: str | Path):
    """Yield each person of one frame with its row."""
    for person in persons:
        if person.problem:
            yield person, _row(person, problem=f"{source}: {person.role} {person.id}: {person.problem}")
    persons = [person for person in persons if not person.problem]
    if not persons:
        return
    try:
        frame = read_rgb(image_path(images, img))
    except InputError as error:
        for person in persons:
            yield person, _row(person, problem=f"{source}: {person.role} {person.id}: {error}")
        return
    except OSError as error:  # which may pass, and then the picture is whole: it is not skipped
        raise InputError(f"{source}: {images}/{img} cannot be read now: {error.strerror}; run it again") from None
    for person in persons:
        box = (0, 0, *frame.size) if person.bbox is None else clip(person.bbox, *frame.size)
        if box is None:
            size = f"{frame.width}x{frame.height}"
            shown = [round(value, 2) for value in person.bbox]
            problem = f"{source}: {person.role} {person.id}: no part of box {shown} is inside {img} ({size})"
            yield person, _row(person, problem=problem)
        elif max(box[2] - box[0], box[3] - box[1]) > _LONGEST:
            size = f"{box[2] - box[0]}x{box[3] - box[1]}"
            problem = f"{source}: {person.role} {person.id}: {size} pixels of {img}, more than a JPEG's {_LONGEST}"
            yield person, _row(person, problem=problem)
        else:
            yield person, _row(person, box, _encode(frame.crop(box)))


def clip(bbox: Sequence[float], width: int, height: int) -> tuple[int, int, int, int] | None:
    """Clip x, y, width, height to a frame and round it to whole pixels.

    Returns:
        x1, y1, x2, y2 with x2 and y2 exclusive, or None when nothing of the box is inside the frame.
    """
    x, y, w, h = bbox
    if w <= 0 or h <= 0:
        return None
    # Clipped before rounding: the sum of two finite numbers can be infinite, which has no integer.
    x1, y1 = math.floor(max(0, x)), math.floor(max(0, y))
    x2, y2 = math.ceil(min(width, x + w)), math.ceil(min(height, y + h))
    return (x1, y1, x2, y2) if x1 < x2 and y1 < y2 else None


def _encode(image: Image.Image) -> bytes:
    buffer = io.BytesIO()
    # The frame's comment would go along, and may be longer than JPEG allows.
    image.save(buffer, format="JPEG", quality=_QUALITY, subsampling=0, comment=b"")
    return buffer.getvalue()


def _row(person: Person, box: Sequence[int] = (0, 0, 0, 0), image: bytes | None = None, problem: str | None = None):
    x1, y1, x2, y2 = box
    return {
        "id": person.id,
        "role": person.role,
        "label": person.label,
        "frame": person.img,
        "x": x1,
        "y": y1,
        "width": x2 - x1,
        "height": y2 - y1,
        "image": image,
        "problem": problem,
    }


def decode_rgb(image: bytes) -> np.ndarray:
    """Decode a crop's JPEG bytes to an H×W×3 uint8 RGB array."""
    with Image.open(io.BytesIO(image)) as opened:
        return np.asarray(opened.convert("RGB"))


def problems(table: pa.Table) -> list[tuple[str, str]]:
    """Return id and reason of every record of a crop table that could not be used."""
    dropped = json.loads(table.schema.metadata[_DROPPED])
    bad = zip(table["id"].to_pylist(), table["problem"].to_pylist(), strict=True)
    return [tuple(pair) for pair in dropped] + [(name, reason) for name, reason in bad if reason]


def num_cast(table: pa.Table) -> int:
    """Return how many of a crop table's rows, the first ones, are cast portraits."""
    return table["role"].to_pylist().count("cast")


def cast_ids(table: pa.Table) -> list[str]:
    """Return the ids of a crop table's cast."""
    return table["id"].to_pylist()[: num_cast(table)]


def candidate_ids(table: pa.Table) -> list[str]:
    """Return the ids of a crop table's candidates."""
    return table["id"].to_pylist()[num_cast(table) :]
