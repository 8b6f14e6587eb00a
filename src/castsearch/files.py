"""Files that appear whole or not at all: every writer goes through a temporary name and one rename.

Also what identifies a file, and files that come with an installed package.
"""

import errno
import glob
import hashlib
import importlib.util
import json
import logging
import mmap
import os
import re
import secrets
import threading
import zipfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from weakref import WeakSet

import numpy as np
import pyarrow as pa
import pyarrow.ipc

from castsearch.errors import InputError

logger = logging.getLogger(__name__)

_BLOCK = 1 << 16
_RANDOM = "?" * 8  # what a temporary name has more than the final one
# What fsync, and opening a folder for it, answer on file systems that have it for files alone or not at all.
_CANNOT_TELL = {errno.EINVAL, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS, errno.EBADF, errno.EACCES, errno.EPERM}

_mapped: WeakSet[mmap.mmap] = WeakSet()  # files of tables that are in use …
_listing = threading.Lock()  # … which one thread may list while another adds to them
_MOST_MAPPED = 256  # each keeps its file open, of which a process may often have a thousand

_NO_ROOM = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS}
_CUT_OFF = re.compile(r"^\d+ requested and \d+ written$")  # numpy's error, which has no number


@contextmanager
def replacing(path: str | Path) -> Iterator[Path]:
    """Yield a temporary path beside `path`; it takes the name `path` once the block ends without an error.

    What writers of the same path left that were killed before they could clean up is removed: nobody else writes it.

    Raises:
        InputError: the disk is full, or may not be written.
    """
    path = Path(path)
    # The suffix is kept because numpy and others append their own when it is missing.
    temporary = path.with_name(f".{path.stem}.{secrets.token_hex(4)}{path.suffix}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        for left in path.parent.glob(f".{glob.escape(path.stem)}.{_RANDOM}{glob.escape(path.suffix)}"):
            left.unlink(missing_ok=True)
        temporary.touch(exist_ok=False)  # with the rights that umask and the folder's access list give any new file
        yield temporary
        # Or a machine that loses power could keep the new name and not what it names.
        _flush(temporary)
        os.replace(temporary, path)
        _flush(path.parent)
    except OSError as error:
        if error.errno not in _NO_ROOM and not _CUT_OFF.search(str(error)):
            raise
        reason = error.strerror or error
        raise InputError(f"{path}: cannot be written: {reason}; make room there, and run it again") from None
    finally:
        temporary.unlink(missing_ok=True)


def _flush(path: Path) -> None:
    """Wait until a file or folder is on the disk, where the file system can tell."""
    try:
        number = os.open(path, os.O_RDONLY)
        try:
            os.fsync(number)
        finally:
            os.close(number)
    except OSError as error:
        if error.errno not in _CANNOT_TELL:
            raise
        logger.debug("%s: the file system does not say when it is on the disk: %s", path, error)


def write_text(path: str | Path, text: str) -> None:
    """Write `text` as UTF-8."""
    with replacing(path) as temporary:
        temporary.write_text(text, encoding="utf-8")


def write_json(path: str | Path, value: object) -> None:
    """Write `value` as indented JSON."""
    write_text(path, json.dumps(value, indent=1, ensure_ascii=False) + "\n")


def write_table(path: str | Path, table: pa.Table) -> None:
    """Write an Arrow IPC file."""
    with replacing(path) as temporary, pa.ipc.new_file(str(temporary), table.schema) as writer:
        writer.write_table(table)


def write_tables(path: str | Path, tables: Iterable[pa.Table]) -> None:
    """Write tables of one schema, at least one, as one Arrow IPC file; each is written before the next is asked for."""
    tables = iter(tables)
    table = next(tables)
    with replacing(path) as temporary, pa.ipc.new_file(str(temporary), table.schema) as writer:
        while table is not None:
            writer.write_table(table)
            table = None  # whose memory is free while the next is made
            table = next(tables, None)


def read_table(path: str | Path) -> pa.Table:
    """Memory-map an Arrow IPC file, so that encoded crops are paged in only when they are looked at.

    Where the file system cannot map files, it is read as a whole.
    """
    try:
        if len(_mapped) >= _MOST_MAPPED:  # Arrow maps a file without keeping it open, but cannot let go of its pages
            return pa.ipc.open_file(pa.memory_map(str(path))).read_all()
        with Path(path).open("rb") as file:
            mapping = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
    except (OSError, ValueError):  # the latter for an empty file
        return pa.ipc.open_file(pa.OSFile(str(path))).read_all()
    with _listing:
        _mapped.add(mapping)
    return pa.ipc.open_file(pa.py_buffer(mapping)).read_all()


def copy_out(column: pa.ChunkedArray, row: int) -> bytes:
    """Return the bytes in a row of a table's column, and let no page of mapped tables count as this process's memory.

    So a job can look at all images of a crop table without taking as much memory as they have bytes. Pages that are
    looked at again are mapped again.
    """
    copied = column[row].as_py()
    release_pages()
    return copied


def release_pages() -> None:
    """Let no page of mapped tables count as this process's memory; what is looked at again is mapped again."""
    with _listing:
        in_use = list(_mapped)
    for mapping in in_use:
        mapping.madvise(mmap.MADV_DONTNEED)


def write_array(path: str | Path, array: np.ndarray) -> None:
    """Write one array as .npy."""
    with replacing(path) as temporary:
        np.save(temporary, array)


def write_arrays(path: str | Path, arrays: Iterable[tuple[str, np.ndarray]]) -> None:
    """Write named arrays, one after the other, as an uncompressed .npz, whose bytes depend on the arrays alone."""
    with replacing(path) as temporary, zipfile.ZipFile(temporary, "w") as archive:
        for name, array in arrays:
            with archive.open(f"{name}.npy", "w", force_zip64=True) as member:
                np.lib.format.write_array(member, array, allow_pickle=False)


def file_digest(path: str | Path) -> str:
    """Return the SHA-256 of a file, in hex."""
    with Path(path).open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def sampled_digest(path: str | Path) -> str:
    """Return the SHA-256 of a large file's size, and of 64 of its blocks of 64 kB, first and last among them, in hex.

    A film that is put in the place of another one has another digest.
    """
    with Path(path).open("rb") as file:
        size = file.seek(0, os.SEEK_END)
        digest = hashlib.sha256(str(size).encode())
        last = max(0, size - _BLOCK)
        for start in sorted({last * number // 63 for number in range(64)}):
            file.seek(start)
            digest.update(file.read(_BLOCK))
    return digest.hexdigest()


def packaged_file(package: str, name: str) -> Path:
    """Return the path of the file `name` inside an installed package, which is not imported.

    Raises:
        InputError: the package or the file is not there.
    """
    spec = importlib.util.find_spec(package)
    for folder in (spec.submodule_search_locations or ()) if spec else ():
        path = Path(folder, name)
        if path.is_file():
            return path
    raise InputError(f"{name}: not found in the installed package {package}" + ("" if spec else ", which is missing"))
