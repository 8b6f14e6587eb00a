"""What is certain of who candidates are, from corrections, as the search takes it."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from castsearch.data.corrections import NEW, NO, YES, Correction
from castsearch.data.crops import Crops
from castsearch.data.nameless import UNKNOWN, is_nameless
from castsearch.errors import InputError, one_line
from castsearch.search.gallery import Gallery
from castsearch.search.moments import presence


class Facts(NamedTuple):
    """What is certain of n candidates.

    Attributes:
        certain: (people + 1, n), 1 where a candidate certainly shows a person, −1 where certainly not, 0 where nothing
            is known; people are those of `gallery.person`, then those whom somebody has named, then strangers.
        portraits: (p,) rows of the candidates that are portraits of named people,
        person: (p,) their numbers,
        movies: (p,) the numbers of their movies,
        names: and what they are called.
    """

    certain: NDArray[np.int8]
    portraits: NDArray[np.int64]
    person: NDArray[np.int64]
    movies: NDArray[np.int64]
    names: list[str]


def gather_facts(corrections: Iterable[Correction], gallery: Gallery, movies: Sequence[Crops]) -> Facts | None:
    """Say what corrections tell of the candidates of a gallery.

    Who is certainly one person is nobody else, and nobody else in the frame is that person. People of one name in
    several movies may be one person, so that nothing follows for them.

    Args:
        corrections: of the gallery's movies.
        gallery: what is searched.
        movies: the crops that it was made of.

    Returns:
        None where nothing is known at all.

    Raises:
        InputError: a correction names a box or a person that is not there, gives a new name to somebody in the cast or
            to a box without a face, or contradicts an earlier one.
    """
    corrections = list(corrections)
    if not corrections:
        return None
    people, candidates = _people(gallery, movies), _candidates(gallery, movies)
    present = presence(gallery.frames)
    stranger = _add_named(people, corrections, gallery.person.max(initial=-1) + 1)
    facts = np.zeros((stranger + 1, len(gallery.candidates)), np.int8)
    said: dict[tuple[int, int], Correction] = {}
    for each in corrections:
        candidate = _candidate_of(each, candidates)
        person = stranger if each.person == UNKNOWN else _person_of(each, people)
        namesakes = {number for (_, name), number in people.items() if name == each.person}
        others = [number for number in range(stranger + 1) if number != person and number not in namesakes]
        alone = person != stranger  # of strangers, several may be in a frame
        for row, column, value in _follows(each.right != NO, person, candidate, others, present if alone else None):
            if facts[row, column] == -value:
                raise InputError(f"{each.place}: contradicts {said[row, column].place}; keep the one that is right")
            facts[row, column] = value
            said.setdefault((row, column), each)
    portraits = _portraits(corrections, candidates, gallery)
    numbers = {crops.movie: number for number, crops in enumerate(movies)}
    named = list(portraits.values())
    return Facts(
        certain=facts,
        portraits=np.array(list(portraits), int),
        person=np.array([people[each.movie, each.person] for each in named], int),
        movies=np.array([numbers[each.movie] for each in named], int),
        names=[one_line(each.person) for each in named],
    )


def _portraits(
    corrections: Iterable[Correction], candidates: Mapping[tuple[str, str], int], gallery: Gallery
) -> dict[int, Correction]:
    """By the row of a candidate that is a portrait, the last correction that says so; all engines must see its face."""
    portraits: dict[int, Correction] = {}
    for each in corrections:
        if each.right != NEW:
            continue
        candidate = _candidate_of(each, candidates)
        if not all(faces.selected[candidate] for faces in gallery.faces.values()):
            raise InputError(f"{each.place}: {one_line(each.box)}: shows no face clear enough to be a portrait")
        portraits[candidate] = each
    return portraits


def _candidate_of(correction: Correction, candidates: Mapping[tuple[str, str], int]) -> int:
    """The row of the box or track that a correction is about."""
    movie, box = correction.movie, correction.box
    if (movie, box) in candidates:
        return candidates[movie, box]
    track = f"track {box}"
    hint = f"; write {track!r}" if (movie, track) in candidates else ""
    raise InputError(f"{correction.place}: {one_line(box)}: no such box in {movie}, or it could not be read{hint}")


def _person_of(correction: Correction, people: Mapping[tuple[str, str], int]) -> int:
    """The number of the person whom a correction names."""
    movie, person = correction.movie, correction.person
    if (movie, person) in people:
        return people[movie, person]
    known = ", ".join(name for other, name in people if other == movie)
    raise InputError(
        f"{correction.place}: {one_line(person)}: not in the cast of {movie}: {known}; "
        f"whoever else it is, is called {UNKNOWN}, or gets a new name by {NEW} in place of {correction.right}"
    )


def _add_named(people: dict[tuple[str, str], int], corrections: Iterable[Correction], number: int) -> int:
    """Give those who have a name, but no portrait, the numbers from one on; and return the first that is left."""
    cast = set(people)
    for each in corrections:
        if each.right != NEW:
            continue
        if (each.movie, each.person) in cast or is_nameless(each.person):
            raise InputError(
                f"{each.place}: {one_line(each.person)}: is no new name in {each.movie}; write {YES}, or another name"
            )
        if (each.movie, each.person) not in people:
            people[each.movie, each.person] = number
            number += 1
    return number


def _follows(
    right: bool, person: int, candidate: int, others: Iterable[int], present: sparse.csr_array | None
) -> Iterator[tuple[int, int, int]]:
    """Yield person, candidate and fact of what a correction says, and of what follows for others and the frame."""
    yield person, candidate, 1 if right else -1
    if not right:
        return
    yield from ((other, candidate, -1) for other in others)
    if present is not None:
        together = (present @ present[[candidate]].T).nonzero()[0].tolist()
        yield from ((person, other, -1) for other in together if other != candidate)


def _people(gallery: Gallery, movies: Sequence[Crops]) -> dict[tuple[str, str], int]:
    """The number of each person, by movie and name."""
    numbers = dict(zip(gallery.cast, gallery.person.tolist(), strict=True))
    return {
        (crops.movie, name): numbers[portrait]
        for crops in movies
        for portrait, name in zip(crops.cast, crops.cast_names, strict=True)
        if portrait in numbers
    }


def _candidates(gallery: Gallery, movies: Sequence[Crops]) -> dict[tuple[str, str], int]:
    """The row of each candidate, by movie and the id of a box, or by movie and track."""
    movie_of = {name: crops.movie for crops in movies for name in crops.candidates}
    rows = {}
    for row, (name, boxes) in enumerate(zip(gallery.candidates, gallery.ranked, strict=True)):
        movie = movie_of[boxes[0]]
        rows.update(dict.fromkeys(((movie, box) for box in boxes), row))
        if name in gallery.boxes:
            rows[movie, f"track {name.removeprefix(f'{movie}.track')}"] = row
    return rows
