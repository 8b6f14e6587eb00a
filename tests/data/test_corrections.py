import pytest

from castsearch.data.corrections import Correction, read_corrections
from castsearch.errors import InputError

HEADER = "movie\tbox\tperson\tright\n"


def read(tmp_path, text):
    (tmp_path / "c.tsv").write_text(text)
    return read_corrections(tmp_path / "c.tsv", {"m"})


def test_corrections_are_read_with_their_lines(tmp_path):
    rows = read(tmp_path, HEADER + "m\tbox 1\tada\tyes\n\nm\ttrack 7\tunknown\tno\n")
    assert rows == [
        Correction(f"{tmp_path}/c.tsv: line 2", "m", "box 1", "ada", "yes"),
        Correction(f"{tmp_path}/c.tsv: line 4", "m", "track 7", "unknown", "no"),
    ]


def test_a_folder_has_a_file_for_each_movie(tmp_path):
    (tmp_path / "b.corrections.tsv").write_text(HEADER + "m\t1\tada\tyes\n")
    (tmp_path / "a.corrections.tsv").write_text(HEADER + "m\t2\tbo\tno\n")
    (tmp_path / "._a.corrections.tsv").write_bytes(b"\xff")
    rows = read_corrections(tmp_path, {"m"})
    assert [(row.place, row.box) for row in rows] == [
        (f"{tmp_path}/a.corrections.tsv: line 2", "2"),
        (f"{tmp_path}/b.corrections.tsv: line 2", "1"),
    ]


def test_a_folder_without_corrections_is_refused(tmp_path):
    with pytest.raises(InputError, match="has no file of corrections"):
        read_corrections(tmp_path, {"m"})


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "is an empty file"),
        ("movie,box,person,right\n", "line 1: the header"),
        (HEADER + "m\t1\tada\n", "line 2: has 3 cells, not 4"),
        (HEADER + "n\t1\tada\tyes\n", "line 2: movie n: is not searched"),
        (HEADER + "m\t1\tada\ttrue\n", "line 2: right is 'true'; it must be yes, no or new"),
        (HEADER + "m\t1\t\tnew\n", "line 2: '' cannot be a new name"),
        (HEADER + "m\t1\tada \tnew\n", "line 2: 'ada ' cannot be a new name"),
        (HEADER + f"m\t1\t{'a' * 201}\tnew\n", "line 2: 'a+' cannot be a new name"),
    ],
)
def test_a_row_that_is_no_correction_is_refused_by_line(tmp_path, text, message):
    with pytest.raises(InputError, match=rf"c\.tsv: {message}"):
        read(tmp_path, text)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (HEADER.encode("utf-16"), "is a text in UTF-16; save it as UTF-8"),
        (b"PK\x03\x04", "is a ZIP archive, not a text"),
        (b"<html>404", "is a page of HTML, as servers send for what is missing, not a text"),
        (b"\xe9", "is not UTF-8 text"),
    ],
)
def test_what_is_no_table_is_named(tmp_path, content, reason):
    (tmp_path / "c.tsv").write_bytes(content)
    with pytest.raises(InputError, match=f"c.tsv: {reason}"):
        read_corrections(tmp_path / "c.tsv", {"m"})


def test_a_missing_file_is_named_with_one_of_nearly_its_name(tmp_path):
    (tmp_path / "C.tsv").touch()
    with pytest.raises(InputError, match=r"c\.tsv: cannot be read: No such file or directory; there is 'C\.tsv'"):
        read_corrections(tmp_path / "c.tsv", {"m"})
