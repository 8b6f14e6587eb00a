"""The challenge's annotation files: `{split}.json`, and the label file that maps a cast id to its candidates.

Everything in these files is untrusted: ids become parts of paths and of submission lines, and `img` is opened.
"""

import hashlib
import json
import math
import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import TypeGuard

from castsearch.data.nameless import is_nameless
from castsearch.errors import InputError
from castsearch.misnamed import instead_of, nearly

_SAFE_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,199}")  # a file name may have 255 characters
_LONGEST = 10**6  # pixels of a frame's side, of which a box can claim more
OTHERS = "others"  # a label that contains this word belongs to nobody of the cast


@dataclass(frozen=True)
class Record:
    """One record of a movie: a cast portrait, or one person box of a frame.

    Attributes:
        id: the record's id, unique in its movie.
        role: "cast" or "candidate".
        img: path relative to the split's image folder, in its shortest spelling: equal for people of one frame.
        bbox: x, y, width, height in frame pixels, as annotated; None for a portrait, which is used whole.
        label: the cast id, a label that contains "others", or None where the split has no labels.
        problem: why the record cannot be used, in a few words; None if it can be used. With a problem, `bbox` and
            `label` are None.
    """

    id: str
    role: str
    img: str
    bbox: tuple[float, float, float, float] | None
    label: str | None
    problem: str | None = None


def is_id(name: str) -> bool:
    """Whether a name can be an id, and part of a path: letters, digits, '.', '_' and '-', 200 at most.

    It begins with a letter or digit: what begins with a dot is hidden, and with a dash, an option.
    """
    return _SAFE_ID.fullmatch(name) is not None


def load_annotations(path: str | Path) -> dict[str, dict]:
    """Read `{split}.json` and check its outline: movie id → {"cast": [...], "candidates": [...]}.

    Raises:
        InputError: the file is missing, is not JSON or is COCO's, a movie's entry has another outline, two movies have
            the same cast id, for which labels and submission have but one place, or one of the cast is called as nobody
            may be.
    """
    annotations = load_object(path)
    if {"images", "annotations"} <= annotations.keys():
        raise InputError(f"{path}: is COCO's format; docs/own-movies.md shows how it becomes that of a movie")
    movie_of: dict[str, str] = {}
    for movie, entry in annotations.items():
        if not is_id(movie):
            raise InputError(
                f"{path}: movie {movie!r}: an id has up to 200 letters, digits, '.', '_' and '-', and begins with a "
                "letter or digit"
            )
        if not isinstance(entry, dict) or not all(isinstance(entry.get(k), list) for k in ("cast", "candidates")):
            raise InputError(
                f"{path}: movie {movie}: expected an object with the lists 'cast' and 'candidates', as in "
                "docs/own-movies.md"
            )
        for record in (record for record in entry["cast"] if isinstance(record, dict)):
            name, called = record.get("id"), record.get("label") or record.get("id")
            if isinstance(name, str) and movie_of.setdefault(name, movie) != movie:
                raise InputError(f"{path}: cast id {name!r} occurs in two movies, {movie_of[name]} and {movie}")
            if isinstance(called, str) and is_nameless(called):
                raise InputError(
                    f"{path}: movie {movie}: cast {name!r}: {called!r} stands for whoever has no name; choose another"
                )
    return annotations


def load_labels(path: str | Path) -> dict[str, list[str]]:
    """Read a label file: cast id → ids of the candidates that show this person.

    Raises:
        InputError: the file is missing, is not JSON, or an entry is no list of ids.
    """
    labels = load_object(path)
    for cast, candidates in labels.items():
        if not cast.isprintable():
            raise InputError(f"{path}: cast {cast!r}: an id holds no unprintable characters")
        if not isinstance(candidates, list) or not all(
            isinstance(name, str) and name.isprintable() for name in candidates
        ):
            raise InputError(f"{path}: cast {cast}: expected a list of candidate ids")
    return labels


def load_object(path: str | Path, page: str = "docs/own-movies.md") -> dict:
    """Read a JSON file that holds an object.

    Args:
        path: the file.
        page: what to read about its format, for messages.

    Raises:
        InputError: the file is missing, or is not JSON of that kind.
    """
    try:
        value = json.loads(Path(path).read_text(encoding="utf-8-sig"), object_pairs_hook=_unique_keys)
    except OSError as error:
        raise InputError(f"{path}: cannot be read: {error.strerror}{nearly(Path(path))}") from None
    except UnicodeDecodeError:
        raise InputError(f"{path}: {instead_of('JSON', Path(path), 'is not UTF-8 text')}") from None
    except json.JSONDecodeError as error:
        damage = f"is not complete JSON: {error.msg} at line {error.lineno}"
        raise InputError(f"{path}: {instead_of('JSON', Path(path), damage)}") from None
    except RecursionError:
        raise InputError(f"{path}: is nested too deeply") from None
    except ValueError as error:  # a key that is repeated, or an integer of thousands of digits
        raise InputError(f"{path}: cannot be used: {error}") from None
    if not isinstance(value, dict):
        raise InputError(f"{path}: expected a JSON object, found {type(value).__name__}; {page} shows the format")
    return value


def _unique_keys(pairs: Sequence[tuple[str, object]]) -> dict:
    """An object's dict, where the parser's own would keep the last value of a key and lose the others."""
    found = {}
    for key, value in pairs:
        if key in found:
            raise ValueError(f"the key {key!r} occurs twice in one object")
        found[key] = value
    return found


def movie_digest(entry: Mapping) -> str:
    """Return a short digest of one movie's annotation: what a rerun of this movie, and only this, depends on."""
    return hashlib.sha256(json.dumps(entry, sort_keys=True).encode()).hexdigest()[:16]


def frame_pixels(entry: Mapping) -> int:
    """Return about how many pixels a movie's frames have, by how far its boxes reach; 0 if one of these is damaged."""
    try:
        boxes = [record["bbox"] for record in entry["candidates"]]
        width = max((left + width for left, _, width, _ in boxes), default=0)
        height = max((top + height for _, top, _, height in boxes), default=0)
        return round(min(max(0, width), _LONGEST) * min(max(0, height), _LONGEST))
    except (TypeError, LookupError, ValueError, OverflowError):
        return 0


def parse_movie(entry: Mapping, source: str) -> tuple[list[Record], list[tuple[str, str]]]:
    """Parse one movie's annotation into its people, cast first, in annotation order.

    Args:
        entry: the movie's value in `{split}.json`.
        source: how error messages name the file and movie.

    Returns:
        The people, and for each record that had to be left out its id and the reason: one that has no usable id, or
        repeats an id.
    """
    found: dict[str, Record] = {}
    dropped = []
    for role, records in (("cast", entry["cast"]), ("candidate", entry["candidates"])):
        for position, record in enumerate(records):
            name = record.get("id") if isinstance(record, dict) else None
            if not isinstance(name, str) or not is_id(name):
                where = f"{role} {position}"
                dropped.append((where, f"{source}: {where}: has no id of letters, digits, '.', '_' and '-': {name!r}"))
            elif name in found:
                dropped.append((name, f"{source}: {role} {name}: this id occurs twice"))
            else:
                found[name] = _person(role, name, record)
    return list(found.values()), dropped


def _person(role: str, name: str, record: Mapping) -> Record:
    img, label, bbox = record.get("img"), record.get("label"), record.get("bbox")
    box = _box(bbox) if role == "candidate" and _is_box(bbox) else None
    if not _is_text(img):
        problem = "'img' is not a path"
    elif label is not None and not _is_text(label):
        problem = "'label' is neither a text nor null"
    elif role == "candidate" and box is None:
        problem = "'bbox' is not four finite numbers"
    else:
        img = str(PurePosixPath(img)) if img else img  # without './' and '//'
        return Record(name, role, img, box, label)
    return Record(name, role, img if _is_text(img) else "", None, None, problem)


def _is_text(value: object) -> TypeGuard[str]:
    """Whether a JSON value is a string that UTF-8 can hold: an escape can make half of a surrogate pair."""
    if not isinstance(value, str):
        return False
    try:
        value.encode()
    except UnicodeEncodeError:
        return False
    return True


def _is_box(value: object) -> TypeGuard[list[float]]:
    if not isinstance(value, list) or [type(number) in (int, float) for number in value] != [True] * 4:
        return False
    try:
        return all(map(math.isfinite, value))
    except OverflowError:  # an integer beyond the floats
        return False


def _box(bbox: list[float]) -> tuple[float, float, float, float]:
    x, y, width, height = map(float, bbox)
    return x, y, width, height


def image_path(folder: str | Path, img: str) -> Path:
    """Return the path of `img` below `folder`.

    Symbolic links are followed: clusters keep movies on several disks, and the links are the user's own.

    Raises:
        InputError: `img` is empty, absolute, climbs out of `folder`, or has backslashes.
    """
    relative = PurePosixPath(img)
    if "\\" in img:
        raise InputError(f"the image path {img!r} has backslashes; folders are separated by '/'")
    if not img or relative.is_absolute() or ".." in relative.parts or "\0" in img:
        raise InputError(f"the image path {img!r} does not stay inside its folder")
    return Path(folder, relative)


def is_cast_label(label: str | None) -> bool:
    """Whether a label names a person of the cast."""
    return label is not None and OTHERS not in label


def check_labels(
    path: str | Path, labels: Mapping[str, Sequence[str]], candidates: Mapping[str, Collection[str]], on_bad: str
) -> tuple[dict[str, list[str]], list[tuple[str, str]]]:
    """Compare a label file with the ids that its split has.

    Args:
        path: the label file, for messages.
        labels: cast id → ids of the candidates that show this person.
        candidates: for every cast id of the split, the ids of its movie's candidates; sets, best.
        on_bad: "stop" or "skip".

    Returns:
        The labels without what the split does not have, and id and reason of each thing left out.

    Raises:
        InputError: with `on_bad` "stop", for the first of them.
    """
    kept, left_out = {}, []
    for cast, relevant in labels.items():
        if cast not in candidates:
            left_out.append((cast, f"{path}: cast {cast}: the split has no such cast id"))
            continue
        kept[cast] = [name for name in relevant if name in candidates[cast]]
        left_out += [
            (name, f"{path}: cast {cast}: candidate {name}: the movie has no such candidate")
            for name in relevant
            if name not in candidates[cast]
        ]
    if left_out and on_bad == "stop":
        raise InputError(left_out[0][1])
    return kept, left_out
