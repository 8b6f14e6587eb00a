"""Delete a person or a movie from the results of a run: all files that were made of the movie, or of the person's.

Pictures and features of one person cannot be taken out of a movie's tables alone, since what is made of these tables
knows the person, too. What is deleted is made again by the next run, from a configuration without the person. A run
deletes nothing itself of a movie that the configuration has no longer.
"""

import shutil
from collections.abc import Collection, Iterable
from pathlib import Path

from castsearch.data.crops import Crops, read_crops
from castsearch.data.name_tables import read_names
from castsearch.errors import InputError, one_line

_OF_ALL_MOVIES = ("logs", "provenance", "report", "report.html", "ro-crate-metadata.json", "submission", "tables")
_OF_NO_MOVIE = ("demo", "models", "reid")
_BEFORE_PORTRAITS = ("persons", "shots", "tracks")  # made of a film alone, whoever is searched in it
_TOGETHER = "all"  # what movies are called that are searched as one


def delete_person(results: str | Path, person: str) -> list[Path]:
    """Delete what a run has made of the movies in which a person is in the cast, or is named.

    Of a film in which the person is named nowhere, shots, boxes, tracks and the faces in boxes stay, since no portrait
    was looked at for them.

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
    named = set(names.loc[(names["person"] == person) | (names["likeliest"] == person), "movie"])
    tables = map(read_crops, sorted(results.glob("crops/**/*.arrow")))
    searched = {crops.movie for crops in tables if _has(crops, person)} - named
    if not named | searched:
        raise InputError(f"{results}: {one_line(person)}: is in no movie there")
    everything = [results / name for name in _OF_ALL_MOVIES]
    by_portrait = [
        path for path in _files(results, searched) if path.relative_to(results).parts[0] not in _BEFORE_PORTRAITS
    ]
    return _delete([*everything, *_files(results, named | {_TOGETHER}), *by_portrait])


def delete_movies(results: str | Path, movies: Collection[str]) -> list[Path]:
    """Delete what a run has made of some movies alone, be they in the configuration or not.

    Args:
        results: the folder of the results.
        movies: their names.

    Returns:
        What was deleted: files, and folders with all that was in them.

    Raises:
        InputError: there is nothing of one of the movies; nothing is deleted then.
    """
    results = Path(results)
    found = _files(results, movies)
    there = set(map(_own_name, found))
    for movie in movies:
        if movie not in there:
            raise InputError(f"{results}: {one_line(movie)}: nothing there was made of a movie of this name")
    return _delete(found)


def movies_left(results: str | Path, movies: Collection[str]) -> list[str]:
    """Return the movies of which a folder of results still has crops or appearances, in order, besides those named."""
    paths = (path for kind in ("crops", "appearances") for path in Path(results, kind).rglob("[!.]*.*"))
    return sorted({path.stem for path in paths if path.is_file()} - set(movies))


def _delete(paths: Iterable[Path]) -> list[Path]:
    """Delete files and folders; return those that were there."""
    deleted = []
    for path in paths:
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


def _files(results: Path, movies: Collection[str]) -> list[Path]:
    """What a run has made of some movies alone.

    A movie may have the name of a split, of a kind of results, or the number of another film's part.
    """
    wanted, all_movies = set(movies), set(movies_left(results, []))
    splits = {folder.name for folder in results.glob("crops/*") if folder.is_dir()}

    def is_wanted(path: Path) -> bool:
        kind, *folders = path.relative_to(results).parts[:-1] or [""]
        if not kind or kind in _OF_NO_MOVIE or _own_name(path) not in wanted:
            return False
        if path.is_dir():
            return _own_name(path) in all_movies or _own_name(path) not in splits
        return not (path.stem.isdigit() and set(folders) & (all_movies - splits - wanted))

    return [path for path in sorted(results.rglob("*")) if is_wanted(path)]


def _own_name(path: Path) -> str:
    """What a folder or file is called; a folder's name may have a dot."""
    return path.name if path.is_dir() else path.stem
