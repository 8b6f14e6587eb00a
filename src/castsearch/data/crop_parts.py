"""The people of a movie whose crop table is one file, or one for each part of a film."""

from collections.abc import Sequence
from pathlib import Path

import pyarrow as pa

from castsearch.data.crops import Crops, crops_of, read_crops
from castsearch.files import read_table


def read_parts(paths: Sequence[str | Path]) -> Crops:
    """Read the crop table of a movie, its images excepted.

    Args:
        paths: of the table; or of those that `castsearch.film.track_crops.cut_out` made of a film's parts, in order,
            which have no portraits.

    Raises:
        InputError: another version of castsearch wrote it, with other columns.
    """
    if len(paths) == 1:
        return read_crops(paths[0])
    return crops_of(pa.concat_tables([read_table(path) for path in paths]))
