"""What a search of one split should find: its cast, whom each is searched among, and the labels."""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from castsearch.data.challenge import check_labels, is_cast_label, load_annotations, load_labels, parse_movie
from castsearch.data.crops import Crops


@dataclass(frozen=True)
class Cast:
    """The cast of one split, by cast id.

    Attributes:
        movies: the movie of each.
        names: the person's name, which is the same in all movies; None where there is none.
        candidates: the ids of the movie's candidates.
        everyone: the ids of all movies' candidates, those of movies without a cast among them.
    """

    movies: dict[str, str] = field(default_factory=dict)
    names: dict[str, str | None] = field(default_factory=dict)
    candidates: dict[str, set[str]] = field(default_factory=dict)
    everyone: set[str] = field(default_factory=set)


def gather_cast(movies: Iterable[tuple[str, Mapping[str, str | None], Collection[str]]]) -> Cast:
    """Gather the cast of a split.

    Args:
        movies: of each movie its id, the name of the person by cast id, and the ids of the candidates.
    """
    cast = Cast()
    for movie, names, candidates in movies:
        of_movie = set(candidates)
        cast.movies.update(dict.fromkeys(names, movie))
        cast.names.update(names)
        cast.candidates.update(dict.fromkeys(names, of_movie))
        cast.everyone.update(of_movie)
    return cast


def cast_of(movies: Iterable[Crops]) -> Cast:
    """Gather the cast of one split from the crops of its movies."""
    return gather_cast(
        (crops.movie, dict(zip(crops.cast, crops.labels, strict=False)), crops.candidates) for crops in movies
    )


def read_split(annotations: Path) -> Cast:
    """Read the cast of one split from its annotation file, `{split}.json`.

    Raises:
        InputError: see `challenge.load_annotations`.
    """
    return gather_cast(_read_annotations(annotations))


def _read_annotations(path: Path) -> Iterator[tuple[str, dict[str, str | None], list[str]]]:
    for movie, entry in load_annotations(path).items():
        persons, _ = parse_movie(entry, f"{path}: movie {movie}")
        names = {person.id: person.label for person in persons if person.role == "cast"}
        yield movie, names, [person.id for person in persons if person.role == "candidate"]


def read_labels(
    path: str | Path, cast: Cast, on_bad: str, across: bool
) -> tuple[dict[str, list[str]], list[tuple[str, str]]]:
    """Read a label file for a search of one split.

    Args:
        path: the file.
        cast: the split's cast.
        on_bad: whether an id that the split does not have is to "stop" the run, or to be left out: "skip".
        across: whether all movies of the split are searched together; see `across_movies`.

    Returns:
        The ids of the relevant candidates per cast id, and id and reason of each thing left out.

    Raises:
        InputError: see `challenge.load_labels` and `challenge.check_labels`.
    """
    labels, left_out = check_labels(path, load_labels(path), cast.candidates, on_bad)
    return across_movies(labels, cast.names) if across else labels, left_out


def across_movies(labels: Mapping[str, Sequence[str]], names: Mapping[str, str | None]) -> dict[str, list[str]]:
    """Labels for a search of all movies: every candidate that shows the person, in whichever movie.

    Args:
        labels: cast id → ids of the movie's candidates that show this person.
        names: cast id → the person's name, which is the same in all movies; None where it is not known.

    Returns:
        Cast id → ids of all movies' candidates that show this person.
    """
    persons = {cast: name if name and is_cast_label(name) else cast for cast, name in names.items()}
    appearances: dict[str, list[str]] = {}
    for cast, relevant in labels.items():
        appearances.setdefault(persons.get(cast, cast), []).extend(relevant)
    return {cast: appearances[persons.get(cast, cast)] for cast in labels}
