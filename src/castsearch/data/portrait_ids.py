"""The ids of the portraits of a film's cast."""

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple


class Portrait(NamedTuple):
    """A portrait of a film's cast: its id, whom it shows, and its file."""

    id: str
    person: str
    path: str


def portraits_of(film: str, cast: Mapping[str, Sequence[str]]) -> Iterator[Portrait]:
    """Yield the portraits of a film's cast.

    An id is the film's name and the person's, with a number behind it from a person's second portrait on.

    Args:
        film: the film's name.
        cast: files of the portraits of each person, by name.
    """
    for person, paths in cast.items():
        for number, path in enumerate(paths, start=1):
            yield Portrait(f"{film}.{person}" if number == 1 else f"{film}.{person}.{number}", person, path)
