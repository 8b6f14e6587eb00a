"""Delete a person from the results of a run: every file that was made of a movie in which the person is.

Pictures and features of one person cannot be taken out of a movie's tables alone, since what is made of these tables
knows the person, too. What is deleted is made again by the next run, from a configuration without the person.
"""

import shutil
from pathlib import Path

from castsearch.data.crops import Crops, read_crops
from castsearch.data.name_tables import read_names
from castsearch.errors import InputError, one_line

_OF_ALL_MOVIES = ("logs", "provenance", "report", "report.html", "ro-crate-metadata.json", "submission", "tables")
_OF_NO_MOVIE = ("demo", "models", "reid")
_TOGETHER = "all"  # what movies are called that are searched as one


def delete_person(results: str | Path, person: str) -> list[Path]:
    """Delete what a run has made of the movies in which a person is in the cast, or is named.

    Args:
        results: the folder of the results.
        person: the name in the tables, or the id of a portrait.

    Returns:
        What was deleted: files, and folders with all that was in them.

    Raises:
        InputError: no movie has this person.
    """
    results = Path(results)
    names = read_names(sorted(results.glob("names/*/*.tsv")))
    movies = set(names.loc[(names["person"] == person) | (names["likeliest"] == person), "movie"])
    movies |= {
        crops.movie for crops in map(read_crops, sorted(results.glob("crops/**/*.arrow"))) if _has(crops, person)
    }
    if not movies:
        raise InputError(f"{results}: {one_line(person)}: is in no movie there")
    deleted = []
    for path in _files(results, movies | {_TOGETHER}):
        if not path.exists():  # its folder is gone
            continue
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink()
        deleted.append(path)
    return deleted


def _has(crops: Crops, person: str) -> bool:
    """Whether a movie's cast has a person by this name or id; labels of candidates may name one of them, too."""
    return person in crops.cast or person in crops.labels


def _files(results: Path, movies: set[str]) -> list[Path]:
    """What a run has made of some movies, and of all movies."""
    own = [
        path
        for path in sorted(results.rglob("*"))
        if path.relative_to(results).parts[0] not in _OF_NO_MOVIE and {path.name, path.stem} & movies
    ]
    return [*(results / name for name in _OF_ALL_MOVIES), *own]
