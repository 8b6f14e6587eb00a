"""Which portraits are searched: those in which one face is found, and others only if somebody says so."""

from collections.abc import Hashable, Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray


def searched_portraits(
    num_faces: ArrayLike, selected: ArrayLike, people: Sequence[Hashable], on_unclear: str
) -> NDArray[np.bool_]:
    """Say which portraits are searched.

    A portrait is clear if exactly one face is found in it. Unclear portraits of a person who has a clear one are left
    out.

    Args:
        num_faces: (c,) how many faces were found in each portrait.
        selected: (c,) bool, whether one of them is taken.
        people: c names or numbers of whom the portraits show.
        on_unclear: what happens to people who have no clear portrait: with "skip", nobody is searched for them; with
            "search", all their portraits are searched.

    Returns:
        (c,) bool.
    """
    clear = (np.asarray(num_faces) == 1) & np.asarray(selected, bool)
    known = {person for person, own in zip(people, clear, strict=True) if own}
    unclear = np.array([on_unclear == "search" and person not in known for person in people], bool)
    return clear | unclear
