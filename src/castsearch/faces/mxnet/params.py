"""MXNet's params files, read without MXNet."""

import math
import os
from pathlib import Path
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray

from castsearch.errors import InputError
from castsearch.misnamed import instead_of, nearly

_LIST_MAGIC = 0x112
_V1, _V2, _V3 = 0xF993FAC8, 0xF993FAC9, 0xF993FACA  # 64-bit shapes; then with a storage type; then NumPy's empty shapes
_DTYPES = {0: "<f4", 1: "<f8", 2: "<f2", 3: "u1", 4: "<i4", 5: "i1", 6: "<i8"}


def read_params(path: str | Path) -> dict[str, NDArray]:
    """Read the arrays of an MXNet params file (`NDArray::Save` of a list, all its versions since 0.8).

    Returns:
        Arrays by name, without the prefix `arg:` or `aux:`.

    Raises:
        InputError: the file is missing, cut off or of another kind, or has numbers that are not finite.
    """
    path = Path(path)
    if not path.is_file():
        raise InputError(f"{path}: the params file of the MXNet checkpoint is missing{nearly(path)}")
    with path.open("rb") as stream:
        try:
            magic, _ = _read(stream, "<u8", 2)
            if magic != _LIST_MAGIC:
                wrong = "not an MXNet params file, which starts with 0x112"
                raise InputError(f"{path}: {instead_of('an MXNet params file', path, wrong)}")
            arrays = [_read_array(stream) for _ in range(_read_one(stream, "<u8"))]
            names = [_read_name(stream) for _ in range(_read_one(stream, "<u8"))]
        except EOFError:
            wrong = "the params file is cut off"
            raise InputError(f"{path}: {instead_of('an MXNet params file', path, wrong)}") from None
        except ValueError as error:
            raise InputError(f"{path}: {error}") from None
    if len(names) != len(arrays):
        raise InputError(f"{path}: {len(arrays)} arrays and {len(names)} names")
    for name, array in zip(names, arrays, strict=True):
        if not np.isfinite(array).all():
            raise InputError(f"{path}: the parameter {name} has numbers that are not finite; get the file anew")
    return {name.split(":", 1)[-1]: array for name, array in zip(names, arrays, strict=True)}


def _read_name(stream: BinaryIO) -> str:
    return _read(stream, "u1", _read_one(stream, "<u8")).tobytes().decode()


def _read_array(stream: BinaryIO) -> NDArray:
    version = _read_one(stream, "<u4")
    if version in (_V2, _V3):
        storage = _read_one(stream, "<i4")
        if storage != 0:
            raise ValueError(f"an array of storage type {storage} is sparse; only dense ones are read")
    if version in (_V1, _V2, _V3):
        shape = _read(stream, "<i8", _read_one(stream, "<u4"))
    else:  # before versions were marked, the number of dimensions stood here
        shape = _read(stream, "<u4", version)
    if len(shape) == 0 and version != _V3:
        raise ValueError("an array has no shape")
    _read(stream, "<i4", 2)  # the device that it was on
    dtype = _read_one(stream, "<i4")
    if dtype not in _DTYPES:
        raise ValueError(f"an array has the unknown type {dtype}")
    return _read(stream, _DTYPES[dtype], math.prod(shape.tolist())).reshape(shape)


def _read(stream: BinaryIO, dtype: str, count: int) -> NDArray:
    size = np.dtype(dtype).itemsize * count
    if not 0 <= size <= os.fstat(stream.fileno()).st_size - stream.tell():  # before memory is taken for it
        raise EOFError
    return np.frombuffer(stream.read(size), dtype)


def _read_one(stream: BinaryIO, dtype: str) -> int:
    return int(_read(stream, dtype, 1)[0])
