"""Films and the portraits of their cast, as the configuration names them or as they lie in folders.

A film is a video file, and for each of its cast one or more portraits. Instead of naming them one by one, a film can be
a folder with one video file, and for each of the cast one image, `ada.jpg`, or a folder of images, `ada/`. These may
lie in a folder `cast` or `portraits` there. A file `truth.json` says who is where, if anybody knows. Films that share a
cast can lie in one folder, however deep.
"""

import os
import re
import unicodedata
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from math import ceil
from pathlib import Path

from castsearch.data.challenge import is_id
from castsearch.data.nameless import is_nameless
from castsearch.data.portrait_ids import portraits_of
from castsearch.errors import InputError
from castsearch.misnamed import nearly

VIDEOS: tuple[str, ...] = (".mp4", ".m4v", ".mov", ".mkv", ".webm", ".ts", ".m2ts", ".mts", ".mpg", ".mpeg", ".vob")
VIDEOS += (".avi", ".flv", ".wmv", ".asf", ".ogv", ".ogg", ".mxf", ".dv", ".nut", ".3gp")
TRUTH = "truth.json"
MAX_PARTS = 1000
# What is a portrait by its name. The last four cannot be read everywhere: then it is refused, and not passed over.
IMAGES: tuple[str, ...] = (".jpg", ".jpeg", ".jpe", ".jfif", ".png", ".webp", ".avif", ".bmp", ".tif", ".tiff", ".gif")
IMAGES += (".heic", ".heif", ".jp2", ".jxl")
_OF_ALL_PEOPLE = ("cast", "portraits")  # folders that hold everybody's portraits, and are nobody's name


@dataclass(frozen=True)
class FilmFiles:
    """The files of a film.

    Attributes:
        video: the video file.
        cast: portraits of each person, by name.
        fps: samples a second; None for the default.
        truth: file with the boxes of known people, with which the result is scored; None for none.
    """

    video: str
    cast: dict[str, list[str]]
    fps: float | None = None
    truth: str | None = None


Portraits = str | Mapping[str, str | list[str]]
"""Of a cast: a folder that has an image or a folder of images for each person, or a portrait or several by name."""


def find_films(films: str | Mapping[str, str | Mapping], cast: Portraits | None = None) -> dict[str, FilmFiles]:
    """Find the films of the configuration's `data.films`.

    Args:
        films: a folder that has a folder for each film; or by name of the film such a folder, or a mapping with
            `video`, `cast` and perhaps `fps` and `truth`. With a `cast` for all, a folder of videos, in which and below
            which every video is a film by the name of its file.
        cast: who is searched in every film, besides its own cast: `data.cast`. None where each film has its own alone.

    Raises:
        InputError: a file is missing, a folder has no video or several, or a name cannot be used; it names the key.
    """
    if isinstance(films, str):
        if not Path(films).is_dir():
            raise InputError(f"data.films: {films}: there is no such folder{nearly(Path(films))}")
        films = _folders(Path(films)) if cast is None else _videos_below(Path(films))
    if not films:
        raise InputError("data.films: there is no film; name one, or a folder that has a folder for each film")
    shared = {} if cast is None else _each_once("data.cast", _cast("data.cast", cast))
    found = {_name("data.films", name): _film(f"data.films.{name}", entry, shared) for name, entry in films.items()}
    _check_ids(found)
    return found


def passed_over(folder: str | Path, films: Mapping[str, FilmFiles]) -> list[str]:
    """Return the images and truths below a folder of videos that are nobody's portrait and no film's truth."""
    read = {os.path.realpath(path) for film in films.values() for paths in film.cast.values() for path in paths}
    return [
        str(path)
        for path in _below(Path(folder))
        if (path.suffix.lower() in IMAGES or path.name == TRUTH) and os.path.realpath(path) not in read
    ]


def number_of_parts(duration: float | None, minutes: int) -> int:
    """Return in how many parts a film is worked on; the last one has what is beyond the duration that a file claims.

    There are at most `MAX_PARTS`, since each is several jobs, and a file may claim a million years.
    """
    return min(MAX_PARTS, max(1, ceil((duration or 0) / (60 * minutes))))


def part_bounds(part: int, parts: int, minutes: int) -> tuple[int, int | None]:
    """Return start and end of a part, counted from 0, in seconds; the last part has no end."""
    return 60 * minutes * part, None if part == parts - 1 else 60 * minutes * (part + 1)


def _folders(films: Path) -> dict[str, str]:
    """The folders of films that a folder has, by name."""
    if loose := _videos(films):
        raise InputError(
            f"data.films: {films}: has {loose[0].name} itself, where a folder for each film was expected; give each "
            f"film a folder of its own, name the portraits of all films as data.cast, or write `films: {{my_film: "
            f"{films}}}` if this is one film's"
        )
    return {folder.name: str(folder) for folder in _visible(films) if folder.is_dir()}


def _videos_below(folder: Path) -> dict[str, dict[str, str]]:
    """An entry for each video in a folder, and in the folders below that are not hidden, by the name of its file."""
    found: dict[str, dict[str, str]] = {}
    for path in filter(_is_video, _below(folder)):
        if path.stem in found:
            raise InputError(
                f"data.films: {path}: has the name of {found[path.stem]['video']}; rename one of the two, "
                "or name each film in the configuration"
            )
        found[path.stem] = {"video": _plain("data.films", path)}
    return found


def _below(folder: Path, above: tuple[str, ...] = ()) -> Iterator[Path]:
    """What is in a folder, and in the folders below that are not hidden, apart from folders.

    Symbolic links are followed, except back to a folder `above`.
    """
    above = (*above, os.path.realpath(folder))
    for path in _visible(folder):
        if not path.is_dir():
            yield path
        elif os.path.realpath(path) not in above:
            yield from _below(path, above)


def _film(key: str, entry: str | Mapping, shared: dict[str, list[str]]) -> FilmFiles:
    own = _from_folder(key, Path(entry)) if isinstance(entry, str) else _from_entry(key, entry)
    if not own.cast:
        return replace(own, cast=shared)
    cast = {name: [*own.cast.get(name, ()), *shared.get(name, ())] for name in own.cast | shared}
    return replace(own, cast=_each_once(f"{key}.cast", cast))


def _from_entry(key: str, entry: Mapping) -> FilmFiles:
    _existing(f"{key}.video", entry["video"])
    film = FilmFiles(entry["video"], _cast(f"{key}.cast", entry.get("cast", {})), entry.get("fps"), entry.get("truth"))
    if film.truth is not None:
        _existing(f"{key}.truth", film.truth)
    return film


def _from_folder(key: str, folder: Path) -> FilmFiles:
    if not folder.is_dir():
        raise InputError(f"{key}: {folder}: there is no such folder{nearly(folder)}")
    videos = _videos(folder)
    if len(videos) != 1:
        found = ", ".join(path.name for path in videos) or "none"
        raise InputError(
            f"{key}: {folder}: one video file was expected in a film's folder, not {found}; "
            "give each film a folder of its own, or name its `video` and `cast` in the configuration"
        )
    truth, video = folder / TRUTH, _plain(key, videos[0])
    return FilmFiles(video, _portraits(key, folder), truth=str(truth) if truth.is_file() else None)


def _cast(key: str, cast: Portraits) -> dict[str, list[str]]:
    """The portraits of a cast, by name."""
    if isinstance(cast, str):
        if not Path(cast).is_dir():
            raise InputError(f"{key}: {cast}: there is no such folder{nearly(Path(cast))}")
        if not (found := _portraits(key, Path(cast), only_people=True)):
            raise InputError(
                f"{key}: {cast}: has no portrait; put an image or a folder of images for each person there"
            )
        return found
    by_name = {_name(key, name): [paths] if isinstance(paths, str) else list(paths) for name, paths in cast.items()}
    for name, paths in by_name.items():
        for path in paths:
            _existing(f"{key}.{name}", path)
    return by_name


def _portraits(key: str, folder: Path, only_people: bool = False) -> dict[str, list[str]]:
    """What a folder has of portraits: for each person an image, or a folder of images, or both.

    What is no portrait is passed over, but for a folder that can only be a person's: nobody would be searched by it.
    """
    cast: dict[str, list[str]] = {}
    empty: list[Path] = []
    for path, is_person in _people(folder, only_people):
        if path.is_dir():
            images = [image for image in sorted(path.iterdir()) if image.suffix.lower() in IMAGES]
            name = path.name
        else:
            images = [path] if path.suffix.lower() in IMAGES else []
            name = path.stem
        shown = [_plain(key, image) for image in images if not image.name.startswith(".")]
        if shown:
            cast.setdefault(_name(f"{key}: {path}", name), []).extend(shown)
        elif is_person and path.is_dir() and is_id(name) and not any(map(_is_video, _below(path))):
            empty.append(path)  # not such as @eaDir, which servers make, and no films beside the portraits
    if empty and (cast or not only_people):
        raise InputError(
            f"{key}: {empty[0]}: this folder has no image, so nobody would be searched by its name; put the person's "
            "images into it, or take it away from the portraits"
        )
    return cast


def _people(folder: Path, only_people: bool) -> Iterator[tuple[Path, bool]]:
    """Files and folders, each of which may be a person's portraits; and whether it can be nothing else, if a folder."""
    for path in _visible(folder):
        if path.is_dir() and path.name.casefold() in _OF_ALL_PEOPLE:
            yield from ((own, True) for own in _visible(path))
        else:
            yield path, only_people


def _check_ids(films: Mapping[str, FilmFiles]) -> None:
    """Refuse names by which two portraits would have one id, as the second of `ada` and the first of `ada.2`."""
    owner: dict[str, tuple[str, str]] = {}
    for film, files in films.items():
        for portrait in portraits_of(film, files.cast):
            if owner.setdefault(portrait.id, (film, portrait.path)) != (film, portrait.path):
                other = ", ".join(owner[portrait.id])
                raise InputError(
                    f"data.films.{film}: {portrait.path}: the portrait would have the id {portrait.id}, as that of "
                    f"{other} has; rename {portrait.person} or {film}, without a dot"
                )


def _each_once(key: str, cast: Mapping[str, list[str]]) -> dict[str, list[str]]:
    """The portraits without those that another spelling, or a symbolic link, names once more."""
    owner: dict[str, str] = {}
    kept: dict[str, list[str]] = {name: [] for name in cast}
    for name, paths in cast.items():
        for path in paths:
            file = os.path.realpath(path)
            if file not in owner:
                kept[name].append(path)
            elif owner[file] != name:
                raise InputError(f"{key}: {path}: is a portrait of both {owner[file]} and {name}")
            owner[file] = name
    return kept


def _visible(folder: Path) -> list[Path]:
    return [path for path in sorted(folder.iterdir()) if not path.name.startswith(".")]


def _videos(folder: Path) -> list[Path]:
    return [path for path in _visible(folder) if _is_video(path)]


def _is_video(path: Path) -> bool:
    # A symbolic link to a file that is gone is refused later, and not passed over.
    return (path.is_file() or not path.exists()) and path.suffix.lower() in VIDEOS


def _name(key: str, name: object) -> str:
    if not isinstance(name, str):
        raise InputError(f"{key}: YAML does not read the name {name!s} as text; put it into quotation marks")
    if not is_id(name):
        raise InputError(
            f"{key}: {name!r}: a name holds only up to 200 letters A to Z, digits, '.', '_' and '-', and begins with a "
            f"letter or digit{_such_as(name)}"
        )
    if is_nameless(name):
        raise InputError(f"{key}: {name}: stands for whoever has no name; choose another")
    return name


def _plain(key: str, path: Path) -> str:
    """A path that was found in a folder, as those in the configuration have to be."""
    if re.search(r"[{}\x00-\x1f\x7f\ud800-\udfff]", str(path)):  # the last stand for bytes that are no UTF-8
        raise InputError(
            f"{key}: {str(path)!r}: a path has no braces and no control characters, and is in UTF-8; rename it"
        )
    return str(path)


def _such_as(name: str) -> str:
    """The end of a message that a name cannot be used: the nearest that can; nothing where there is none."""
    letters = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode()
    nearest = re.sub(r"[^A-Za-z0-9.-]+", "_", letters.replace("'", "")).strip("_.-")
    return f", such as {nearest!r}" if is_id(nearest) and not is_nameless(nearest) else ""


def _existing(key: str, path: str) -> None:
    if not Path(path).is_file():
        raise InputError(f"{key}: {path}: there is no such file{nearly(Path(path))}")
