"""The challenge's annotation files: `{split}.json`, and the label file that maps a cast id to its candidates.

Everything in these files is untrusted: ids become parts of paths and of submission lines, and `img` is opened.
"""

import hashlib
import json
import math
import re
from collections.abc import Container, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from castsearch.errors import InputError

_SAFE_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
OTHERS = "others"  # a label that contains this word belongs to nobody of the cast


@dataclass(frozen=True)
class Person:
    """One record of a movie: a cast portrait, or one person box of a frame.

    Attributes:
        id: the record's id, unique in its movie.
        role: "cast" or "candidate".
        img: path relative to the split's image folder.
        bbox: x, y, width, height in frame pixels, as annotated; None for a portrait, which is used whole.
        label: the cast id, a label that contains "others", or None where the split has no labels.
    """

    id: str
    role: str
    img: str
    bbox: tuple[float, float, float, float] | None
    label: str | None


def load_annotations(path: str | Path) -> dict[str, dict]:
    """Read `{split}.json` and check its outline: movie id → {"cast": [...], "candidates": [...]}.

    Raises:
        InputError: the file is missing, is not JSON, or a movie's entry has another outline.
    """
    annotations = _load_object(path)
    for movie, entry in annotations.items():
        if not _SAFE_ID.fullmatch(movie):
            raise InputError(f"{path}: movie {movie!r}: an id holds only letters, digits, '.', '_' and '-'")
        if not isinstance(entry, dict) or not all(isinstance(entry.get(k), list) for k in ("cast", "candidates")):
            raise InputError(f"{path}: movie {movie}: expected an object with the lists 'cast' and 'candidates'")
    return annotations


def load_labels(path: str | Path) -> dict[str, list[str]]:
    """Read a label file: cast id → ids of the candidates that show this person.

    Raises:
        InputError: the file is missing, is not JSON, or an entry is no list of strings.
    """
    labels = _load_object(path)
    for cast, candidates in labels.items():
        if not isinstance(candidates, list) or not all(isinstance(candidate, str) for candidate in candidates):
            raise InputError(f"{path}: cast {cast}: expected a list of candidate ids")
    return labels


def _load_object(path: str | Path) -> dict:
    try:
        value = json.loads(Path(path).read_text(encoding="utf-8"))
    except OSError as error:
        raise InputError(f"{path}: cannot be read: {error.strerror}") from None
    except UnicodeDecodeError:
        raise InputError(f"{path}: is not UTF-8 text") from None
    except json.JSONDecodeError as error:
        raise InputError(f"{path}: is not complete JSON: {error.msg} at line {error.lineno}") from None
    if not isinstance(value, dict):
        raise InputError(f"{path}: expected a JSON object, found {type(value).__name__}")
    return value


def movie_digest(entry: Mapping) -> str:
    """Return a short digest of one movie's annotation: what a rerun of this movie, and only this, depends on."""
    return hashlib.sha256(json.dumps(entry, sort_keys=True).encode()).hexdigest()[:16]


def people(entry: Mapping, source: str) -> tuple[list[Person], list[tuple[str, str]]]:
    """Parse one movie's annotation into its people, cast first, in annotation order.

    Args:
        entry: the movie's value in `{split}.json`.
        source: how error messages name the file and movie.

    Returns:
        The people, and for each record that had to be left out its id and the reason: one that has no usable id, or
        repeats an id.
    """
    found: dict[str, Person] = {}
    dropped = []
    for role, records in (("cast", entry["cast"]), ("candidate", entry["candidates"])):
        for position, record in enumerate(records):
            name = record.get("id") if isinstance(record, dict) else None
            if not isinstance(name, str) or not _SAFE_ID.fullmatch(name):
                where = f"{role} {position}"
                dropped.append((where, f"{source}: {where}: has no id of letters, digits, '.', '_' and '-': {name!r}"))
            elif name in found:
                dropped.append((name, f"{source}: {role} {name}: this id occurs twice"))
            else:
                found[name] = _person(role, name, record)
    return list(found.values()), dropped


def _person(role: str, name: str, record: Mapping) -> Person:
    img, label, bbox = record.get("img"), record.get("label"), record.get("bbox")
    return Person(
        id=name,
        role=role,
        img=img if isinstance(img, str) else "",
        bbox=None if role == "cast" else _numbers(bbox),
        label=label if isinstance(label, str) else None,
    )


def _numbers(bbox: object) -> tuple[float, float, float, float]:
    """Four finite numbers, or a box of no size, which the crop stage reports."""
    numbers = isinstance(bbox, list) and len(bbox) == 4 and all(isinstance(value, int | float) for value in bbox)
    return tuple(map(float, bbox)) if numbers and all(map(math.isfinite, bbox)) else (0.0, 0.0, 0.0, 0.0)


def image_path(folder: str | Path, img: str) -> Path:
    """Return the path of `img` below `folder`.

    Symbolic links are followed: clusters keep movies on several disks, and the links are the user's own.

    Raises:
        InputError: `img` is empty, absolute, or climbs out of `folder`.
    """
    relative = PurePosixPath(img)
    if not img or relative.is_absolute() or ".." in relative.parts or "\\" in img or "\0" in img:
        raise InputError(f"the image path {img!r} does not stay inside its folder")
    return Path(folder, relative)


def is_cast_label(label: str | None) -> bool:
    """Whether a label names a person of the cast."""
    return label is not None and OTHERS not in label


def check_labels(
    path: str | Path, labels: Mapping[str, list[str]], cast: Container[str], on_bad: str
) -> list[tuple[str, str]]:
    """Compare a label file with the cast ids that its split has.

    Returns:
        With `on_bad` "skip": id and reason of every cast id that the split does not have.

    Raises:
        InputError: with `on_bad` "stop", for the first of them.
    """
    unknown = [(name, f"{path}: cast {name}: the split has no such cast id") for name in labels if name not in cast]
    if unknown and on_bad == "stop":
        raise InputError(unknown[0][1])
    return unknown
