"""Pictures that stay in their tables until a page shows them, so that a report of many movies holds none of them."""

from functools import lru_cache
from pathlib import Path
from typing import NamedTuple, Protocol

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from castsearch import files


class Encoded(Protocol):
    """An encoded picture, with a hash, so that a thumbnail that was made can be found again."""

    def read(self) -> bytes:
        """Return its bytes."""

    def __hash__(self) -> int: ...


class StoredImage(NamedTuple):
    """An encoded picture in a table.

    Attributes:
        table: path of an Arrow file that has a column `image`.
        row: the picture's row.
    """

    table: str | Path
    row: int

    def read(self) -> bytes:
        """Return its bytes."""
        return files.copy_out(_images(self.table), self.row)


@lru_cache(4)  # a page shows many a picture of few tables
def _images(table: str | Path) -> pa.ChunkedArray:
    return files.read_table(table)["image"]


def stored_images(table: str | Path, readable: NDArray[np.bool_]) -> list[StoredImage | None]:
    """Return the pictures of the first n rows of a table, None where (n,) `readable` says that there is none."""
    return [StoredImage(table, row) if there else None for row, there in enumerate(readable)]
