"""Who is in the training movies: crops grouped by person."""

import logging
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from castsearch.data.challenge import OTHERS, is_cast_label
from castsearch.data.crops import read_crops
from castsearch.errors import InputError
from castsearch.files import copy_out
from castsearch.reid.transforms import decode_image

logger = logging.getLogger(__name__)


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
        image = decode_image(copy_out(self.crops["image"], row), size)
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
