"""Who is in the training movies: crops grouped by person."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from castsearch.data.challenge import is_cast_label
from castsearch.data.crops import read_crops
from castsearch.errors import InputError
from castsearch.reid.images import decode


@dataclass(frozen=True)
class People:
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
        image = decode(self.crops["image"][row].as_buffer(), size)
        if image is None:
            source, identifier = self.crops["source"][row].as_py(), self.crops["id"][row].as_py()
            raise InputError(f"{source}: {identifier}: the crop is not an image that can be decoded")
        return image


def read_people(crop_tables: Sequence[Path]) -> People:
    """Group the candidates of the movies by person.

    A person is a label within a movie. Left out are the cast's portraits, which show a face where a body is to be
    learnt, candidates without a label or with "others" in it, and crops without an image.

    Args:
        crop_tables: the movies' crop tables.
    """
    tables, rows = [], defaultdict(list)
    first = 0
    for path in crop_tables:
        crops = read_crops(path)
        candidates = crops.candidate_images()
        labels, readable = crops.labels[len(crops.cast) :], crops.readable[len(crops.cast) :]
        for row, (label, has_image) in enumerate(zip(labels, readable, strict=True), start=first):
            if is_cast_label(label) and has_image:
                rows[crops.name, label].append(row)
        first += len(candidates)
        tables.append(candidates.append_column("source", pa.repeat(str(path), len(candidates))))
    names = sorted(rows)
    crops = pa.concat_tables(tables) if tables else pa.table({"id": [], "image": [], "source": []})
    return People(crops, names, [np.array(rows[name]) for name in names])
