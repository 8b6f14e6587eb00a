"""Who is in the movies: crops grouped by person to train on, and labelled candidates to validate on."""

import logging
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from castsearch.data.challenge import OTHERS, is_cast_label
from castsearch.data.crops import read_crops
from castsearch.errors import InputError
from castsearch.reid.transforms import decode_image

logger = logging.getLogger(__name__)

SCHEMA = pa.schema(
    [(name, pa.string()) for name in ("id", "frame")]
    + [("image", pa.binary())]
    + [(name, pa.string()) for name in ("movie", "person")]
)


@dataclass(frozen=True)
class Identities:
    """The crops of the training movies and whom they show.

    Attributes:
        crops: columns `source` (the crop table's path), `id` and `image` of all candidates, memory-mapped.
        names: ("{split}/{movie}", label) of each person, sorted.
        members: for each person, the rows of `crops` that show it.
    """

    crops: pa.Table
    names: list[tuple[str, str]]
    members: list[NDArray[np.int64]]

    def image(self, row: int, size: tuple[int, int]) -> NDArray[np.uint8]:
        """Decode one crop to RGB of shape (height, width, 3), `size` being height and width.

        Raises:
            InputError: the crop is not an image.
        """
        image = decode_image(self.crops["image"][row].as_buffer(), size)
        if image is None:
            source, identifier = self.crops["source"][row].as_py(), self.crops["id"][row].as_py()
            raise InputError(f"{source}: {identifier}: the crop is not an image that can be decoded")
        return image


def read_identities(crop_tables: Sequence[Path]) -> Identities:
    """Group the candidates of the movies by person.

    A person is a label within a movie. Left out are the cast's portraits, which show a face where a body is to be
    learnt, candidates without a label or with "others" in it, and crops without an image. The log says which labels are
    left out though they are more than "others": they may be names.

    Args:
        crop_tables: the movies' crop tables.
    """
    tables, first = [], 0
    rows: dict[tuple[str, str], list[int]] = defaultdict(list)
    strangers: Counter[str] = Counter()
    for path in crop_tables:
        crops = read_crops(path)
        candidates = crops.candidate_images()
        labels, readable = crops.labels[len(crops.cast) :], crops.readable[len(crops.cast) :]
        for row, (label, has_image) in enumerate(zip(labels, readable, strict=True), start=first):
            if label and is_cast_label(label) and has_image:
                rows[crops.name, label].append(row)
            elif label and label != OTHERS and not is_cast_label(label):
                strangers[label] += 1
        first += len(candidates)
        tables.append(candidates.append_column("source", pa.repeat(str(path), len(candidates))))
    if strangers:
        found = ", ".join(f"{label!r} ({number})" for label, number in sorted(strangers.items()))
        logger.info("labels that contain %r are nobody's, so these candidates are left out: %s", OTHERS, found)
    names = sorted(rows)
    crops = pa.concat_tables(tables) if tables else pa.table({"id": [], "image": [], "source": []})
    return Identities(crops, names, [np.array(rows[name]) for name in names])


def collect_labelled(crop_tables: Iterable[str | Path], labels: Mapping[str, Mapping[str, Sequence[str]]]) -> pa.Table:
    """Gather the candidates of labelled movies, and whom they show.

    Args:
        crop_tables: the movies' crop tables.
        labels: split → cast id → ids of the candidates that show this person. What the movies do not have is left out.

    Returns:
        A row per candidate that has an image: `movie` ("{split}/{movie}"), `id`, `frame`, `image`, and `person`, the
        cast id of whom it shows; null for anybody else.
    """
    tables = [SCHEMA.empty_table()]
    for path in crop_tables:
        crops = read_crops(path)
        # Of this movie's cast alone: a candidate's id is unique in its movie, not in the split.
        relevant = labels.get(crops.split, {})
        person_of = {name: person for person in crops.cast for name in relevant.get(person, ())}
        first = len(crops.cast)
        columns = {
            "id": crops.candidates,
            "frame": crops.frames[first:],
            "image": crops.images.slice(first),
            "movie": [crops.name] * len(crops.candidates),
            "person": [person_of.get(name) for name in crops.candidates],
        }
        tables.append(pa.table(columns, schema=SCHEMA).filter(pa.array(crops.readable[first:])))
    return pa.concat_tables(tables)
