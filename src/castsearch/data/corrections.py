"""Corrections: what somebody who looked says of who a box shows, in a table that is written by hand or by a tool.

A file is tab-separated text with a header and a row per correction, in any order:

    movie     the movie's id, or the film's name
    box       the id of a box, or "track" and its number in the film, such as "track 7"
    person    a cast member by the name that the tables of names have, or "unknown" for anybody else
    right     "yes" if the box shows this person, "no" if it does not, and "new" if it shows somebody who has no
              portrait and is called `person` from now on: the box is the portrait

In place of a file, a folder of such files can be named, with one for each movie, say.
"""

from collections.abc import Collection
from pathlib import Path
from typing import NamedTuple

from castsearch.errors import InputError, one_line
from castsearch.misnamed import instead_of, nearly

COLUMNS = ("movie", "box", "person", "right")
_LONGEST_NAME = 200  # characters, as of an id
YES, NO, NEW = ANSWERS = ("yes", "no", "new")


class Correction(NamedTuple):
    """One row of a file of corrections.

    Attributes:
        place: file and line, for messages.
        movie: id of the movie.
        box: id of a box, or "track" and a number.
        person: name of a cast member, or "unknown".
        right: YES, NO or NEW.
    """

    place: str
    movie: str
    box: str
    person: str
    right: str


def correction_files(path: str | Path) -> list[Path]:
    """Return the files of corrections that a path stands for: itself, or all `.tsv` of a folder by name.

    Raises:
        InputError: the folder has none.
    """
    path = Path(path)
    if not path.is_dir():
        return [path]
    if found := sorted(file for file in path.glob("*.tsv") if not file.name.startswith(".")):
        return found
    raise InputError(f"{path}: this folder has no file of corrections, whose name ends in .tsv")


def read_corrections(path: str | Path, movies: Collection[str]) -> list[Correction]:
    """Read a file of corrections, or all files of a folder.

    Args:
        path: the file or the folder.
        movies: ids of all movies that are searched.

    Raises:
        InputError: the file cannot be read, or a row is no correction of one of the movies; names the line.
    """
    return [row for file in correction_files(path) for row in _read(file, movies)]


def _read(path: Path, movies: Collection[str]) -> list[Correction]:
    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except OSError as error:
        raise InputError(f"{path}: cannot be read: {error.strerror}{nearly(path)}") from None
    except UnicodeDecodeError:
        raise InputError(f"{path}: {instead_of('a text', path, 'is not UTF-8 text')}") from None
    if not lines or tuple(lines[0].split("\t")) != COLUMNS:
        wrong = f"line 1: the header must be the words {', '.join(COLUMNS)}, with tabs between them"
        raise InputError(f"{path}: {instead_of('a text', path, wrong)}")
    corrections = []
    for number, line in enumerate(lines[1:], start=2):
        if not line.strip():
            continue
        place, cells = f"{path}: line {number}", line.split("\t")
        if len(cells) != len(COLUMNS):
            raise InputError(f"{place}: has {len(cells)} cells, not {len(COLUMNS)} with tabs between them")
        movie, box, person, right = cells
        if movie not in movies:
            raise InputError(f"{place}: movie {one_line(movie)}: is not searched in this run")
        if right not in ANSWERS:
            raise InputError(f"{place}: right is {one_line(right)!r}; it must be yes, no or new")
        if right == NEW and not _can_be_name(person):
            raise InputError(
                f"{place}: {one_line(person)!r} cannot be a new name, which has up to {_LONGEST_NAME} printable "
                "characters, and no space at its beginning or end"
            )
        corrections.append(Correction(place, movie, box, person, right))
    return corrections


def _can_be_name(person: str) -> bool:
    """Whether every table can hold a new name, and nobody takes it for another: not `ada` with a space behind it."""
    return 0 < len(person) <= _LONGEST_NAME and person.isprintable() and person == person.strip()
