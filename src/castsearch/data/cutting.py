"""Stage crop: cut every person of a movie out of its frame, into the crop table."""

import logging
import math
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import groupby
from pathlib import Path
from tempfile import TemporaryFile
from typing import Any, BinaryIO

from tqdm import tqdm

from castsearch.data.challenge import Record, image_path, parse_movie
from castsearch.data.crops import encode_rgb, write_crops
from castsearch.data.images import read_rgb
from castsearch.errors import InputError, one_line

logger = logging.getLogger(__name__)

_LONGEST = 65_500  # pixels of a side, which is all that the JPEG library writes
_ENOUGH = 10  # boxes of a movie, of which the form can be told


def crop_movie(
    path: str | Path, split: str, movie: str, entry: Mapping, *, source: str, images: str | Path, on_bad_image: str
) -> None:
    """Cut out all people of one movie, and write its crop table.

    Each frame is decoded once, and no more than one is held; a file without a name beside `path` keeps what was cut out
    of the others until all are there, since rows are in the order of the annotations.

    Args:
        path: of the table.
        split: the split that the movie belongs to.
        movie: the movie's id.
        entry: the movie's value in `{split}.json`.
        source: how error messages name the annotation file and the movie.
        images: the folder that `img` paths are relative to.
        on_bad_image: "stop" raises at the first record that cannot be used; "skip" keeps its row without an image.

    Raises:
        InputError: a record cannot be used, or the boxes seem to be corners, and `on_bad_image` is "stop"; or there
            are candidates and none of them can be used, which is a mistake in the settings rather than in the records.
    """
    persons, dropped = parse_movie(entry, source)
    persons = _one_spelling(persons, images)
    if dropped and on_bad_image == "stop":
        raise InputError(dropped[0][1])
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    with TemporaryFile(dir=Path(path).parent) as cut:
        rows = _cut(persons, source, images, on_bad_image, cut)
        candidates = [rows[person.id] for person in persons if person.role == "candidate"]
        if entry["candidates"] and all(row["problem"] for row in candidates):
            reasons = [row["problem"] for row in candidates] + [reason for _, reason in dropped]
            raise InputError(f"{images}: none of the movie's candidates can be used; {reasons[0]}")
        if _seem_corners([(person, rows[person.id]) for person in persons if person.bbox is not None]):
            problem = (
                f"{source}: half of the boxes leave their image, and none would if they were x1, y1, x2, y2; "
                "`bbox` is x, y, width, height"
            )
            if on_bad_image == "stop":
                raise InputError(f"{problem}. If they are right, go on with data.on_bad_image: skip")
            logger.warning("%s", problem)
        write_crops(path, split, movie, (_with_image(rows[person.id], cut) for person in persons), dropped)


def _one_spelling(persons: Sequence[Record], images: str | Path) -> list[Record]:
    """Give people of one frame one `img`, the first, where symbolic links lead from several to it."""
    first: dict[tuple[str, str], str] = {}
    same = []
    for person in persons:
        try:
            file = os.path.realpath(image_path(images, person.img))
        except InputError:  # which is said when it is to be opened
            same.append(person)
            continue
        same.append(replace(person, img=first.setdefault((person.role, file), person.img)))
    return same


def _cut(
    persons: Sequence[Record], source: str, images: str | Path, on_bad_image: str, cut: BinaryIO
) -> dict[str, dict[str, Any]]:
    """Rows by person, with the place of each image in the file `cut` instead of the image."""
    rows: dict[str, dict[str, Any]] = {}
    by_frame = sorted(persons, key=lambda person: (person.role, person.img))
    progress = tqdm(total=len(persons), desc=f"crop {source}", unit="person", mininterval=2)
    for img, group in groupby(by_frame, key=lambda person: person.img):
        for person, row in _cut_frame(list(group), img, source, images):
            if row["problem"] and on_bad_image == "stop":
                raise InputError(row["problem"])
            if row["image"] is not None:
                start = cut.tell()
                row["image"] = (start, cut.write(row["image"]))
            rows[person.id] = row
            progress.update()
    progress.close()
    return rows


def _seem_corners(boxes: Sequence[tuple[Record, Mapping[str, Any]]]) -> bool:
    """Whether a movie's boxes, with their rows, were written as x1, y1, x2, y2 by mistake.

    Then many of them leave their image to the right or below, which as corners none does.
    """
    leaving = 0
    for person, row in boxes:
        x, y, width, height = person.bbox or (0, 0, 0, 0)
        if width <= x or height <= y:
            return False
        if row["problem"]:
            continue
        right, bottom = row["x"] + row["width"], row["y"] + row["height"]  # the image's own, of a box that leaves it
        leaving += x + width > right + 1 or y + height > bottom + 1
        if width > right + 1 or height > bottom + 1:
            return False
    return len(boxes) >= _ENOUGH and 2 * leaving >= len(boxes)


def _with_image(row: Mapping[str, Any], cut: BinaryIO) -> dict[str, Any]:
    if row["image"] is None:
        return dict(row)
    start, length = row["image"]
    cut.seek(start)
    return {**row, "image": cut.read(length)}


def _cut_frame(
    persons: Sequence[Record], img: str, source: str, images: str | Path
) -> Iterator[tuple[Record, dict[str, Any]]]:
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
            shown = [round(value, 2) for value in person.bbox or ()]
            wrong = f"no part of box {shown} is inside" if min(shown[2:]) > 0 else f"box {shown} has no area in"
            problem = f"{source}: {person.role} {person.id}: {wrong} {img} ({size})"
            yield person, _row(person, problem=problem)
        elif max(box[2] - box[0], box[3] - box[1]) > _LONGEST:
            size = f"{box[2] - box[0]}x{box[3] - box[1]}"
            problem = f"{source}: {person.role} {person.id}: {size} pixels of {img}, more than a JPEG's {_LONGEST}"
            yield person, _row(person, problem=problem)
        else:
            yield person, _row(person, box, encode_rgb(frame.crop(box)))


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


def _row(
    person: Record, box: Sequence[int] = (0, 0, 0, 0), image: bytes | None = None, problem: str | None = None
) -> dict[str, Any]:
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
        "problem": problem and one_line(problem),
    }
