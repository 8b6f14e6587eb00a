"""The shots of a film on its page, and what is to be known of how the film was read."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from castsearch import files
from castsearch.report.stored_image import Encoded, StoredImage
from castsearch.report.timeline import in_words


@dataclass(frozen=True)
class PicturedShot:
    """A shot as it is shown.

    Attributes:
        number: from 1.
        start: when it begins, in words,
        end: and when it ends.
        image: the picture in its middle; None where there is none.
    """

    number: int
    start: str
    end: str
    image: Encoded | None


@dataclass(frozen=True)
class FilmReading:
    """How a film was read.

    Attributes:
        shots: in their order.
        frames: how many were read.
        damaged: how many packets were left out, since they cannot be decoded.
        warning: what the detector of persons does not see, in a sentence; None where there is nothing to say.
    """

    shots: Sequence[PicturedShot]
    frames: int
    damaged: int
    warning: str | None


def read_films(
    parts: Mapping[str, int],
    shots: Sequence[str | Path],
    changes: Sequence[str | Path],
    pictures: Sequence[str | Path],
    warning: str | None,
) -> Iterator[FilmReading]:
    """Read how each film was read, one film after the other.

    Args:
        parts: in how many parts each film was read.
        shots: table of shots of each film.
        changes: files of the stage `changes`, film by film and part by part.
        pictures: tables of pictures of shots, likewise.
        warning: what the detector of persons does not see; None where there is nothing to say.
    """
    own = iter(zip(changes, pictures, strict=True))
    for count, table in zip(parts.values(), shots, strict=True):
        yield _read_film(table, [next(own) for _ in range(count)], warning)


def _read_film(shots: str | Path, parts: Sequence[tuple[str | Path, str | Path]], warning: str | None) -> FilmReading:
    read = []
    images: dict[int, StoredImage] = {}
    for changes, pictures in parts:
        read.append(json.loads(Path(changes).read_text()))
        numbers = files.read_table(pictures)["shot"].to_pylist()
        images |= {shot: StoredImage(pictures, row) for row, shot in enumerate(numbers)}
    rows = pd.read_csv(shots, sep="\t")
    shown = [
        PicturedShot(row.shot, in_words(row.start, "seconds"), in_words(row.end, "seconds"), images.get(row.shot))
        for row in rows.itertuples(index=False)
    ]
    return FilmReading(shown, sum(part["frames"] for part in read), sum(part["damaged"] for part in read), warning)
