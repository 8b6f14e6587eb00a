"""Which portraits show one person: an actor may have one in each of several movies."""

import numpy as np
from scipy import sparse
from scipy.sparse.csgraph import connected_components

from castsearch.search.neighbors import l2_normalize
from castsearch.search.strangers import show_one_person


def number_people(
    portraits: np.ndarray, movies: np.ndarray, face: np.ndarray, person: np.ndarray | None = None
) -> np.ndarray:
    """Number the people that portraits show: an actor may have one in each of several movies.

    Portraits that are alike are linked. Where all links together would make one person of two of a movie's cast, such
    as of sisters who are in several movies, links are made from the strongest on, and one that would do so is left out,
    as in constrained agglomerative clustering.

    Args:
        portraits: (c, d) face features of any length.
        movies: (c,) numbers; the cast of one movie are different people, but for those of one number in `person`.
        face: (n, d) face features of candidates, among whom most are different people.
        person: (c,) numbers, equal for portraits that are known to show one person; None where nothing is known.

    Returns:
        (c,) int64 numbers from 0 on, equal for portraits of one person.
    """
    person = np.arange(len(portraits)) if person is None else person
    same = show_one_person(portraits, face)
    same[movies[:, None] == movies] = False
    same |= person[:, None] == person
    found = connected_components(sparse.csr_array(same), directed=False)[1].astype(np.int64)
    cast = np.unique(np.stack([found, movies, person]), axis=1)  # each person of a movie once
    twice = (cast[:2, 1:] == cast[:2, :-1]).all(axis=0)
    for number in np.unique(cast[0, 1:][twice]):
        own = np.flatnonzero(found == number)
        unit = l2_normalize(portraits[own])
        parts = _link_apart(np.where(same[np.ix_(own, own)], unit @ unit.T, -np.inf), movies[own], person[own])
        found[own] = found.max() + 1 + parts
    _, first, number = np.unique(found, return_index=True, return_inverse=True)
    return np.argsort(np.argsort(first))[number]


def _link_apart(links: np.ndarray, movies: np.ndarray, person: np.ndarray) -> np.ndarray:
    """Number people by (c, c) links, the strongest first, −inf for none; see `number_people` for the rest."""
    numbers = np.unique(person, return_inverse=True)[1]
    movies_of = [set(movies[numbers == number].tolist()) for number in range(numbers.max() + 1)]
    one, other = np.nonzero(np.triu(links > -np.inf, 1))
    for pair in np.argsort(-links[one, other], kind="stable"):
        into, away = numbers[one[pair]], numbers[other[pair]]
        if into != away and movies_of[into].isdisjoint(movies_of[away]):
            movies_of[into] |= movies_of[away]
            numbers[numbers == away] = into
    return numbers
