"""Columns of vectors of one length, in Arrow tables."""

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray


def to_column(
    values: NDArray[np.floating], length: int, valid: NDArray[np.bool_] | None = None
) -> pa.FixedSizeListArray:
    """Make a column of vectors.

    Args:
        values: (n, length) single precision, or of any shape with as many numbers.
        length: of a vector.
        valid: (n,) where there is a vector; null elsewhere. None where all are there.
    """
    mask = None if valid is None else pa.array(~valid)
    flat = pa.array(values.reshape(-1), pa.float32())
    return pa.FixedSizeListArray.from_arrays(flat, length, mask=mask)


def to_rows(column: pa.ChunkedArray, missing: float = np.nan) -> NDArray[np.float32]:
    """Return the vectors of a column as the rows of an array, (n, length).

    Args:
        column: fixed-size lists of floating-point numbers.
        missing: what a vector has that is null.
    """
    lists = column.combine_chunks()
    rows = np.full((len(lists), lists.type.list_size), missing, np.float32)
    rows[lists.is_valid().to_numpy(zero_copy_only=False)] = lists.flatten().to_numpy().reshape(-1, rows.shape[1])
    return rows
