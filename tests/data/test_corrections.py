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


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "line 1: the header must be the words movie, box, person, right"),
        ("movie,box,person,right\n", "line 1: the header"),
        (HEADER + "m\t1\tada\n", "line 2: has 3 cells, not 4"),
        (HEADER + "n\t1\tada\tyes\n", "line 2: movie n: is not searched"),
        (HEADER + "m\t1\tada\ttrue\n", "line 2: right is 'true'; it must be yes, no or new"),
    ],
)
def test_a_row_that_is_no_correction_is_refused_by_line(tmp_path, text, message):
    with pytest.raises(InputError, match=rf"c\.tsv: {message}"):
        read(tmp_path, text)


def test_a_file_that_cannot_be_read_is_refused(tmp_path):
    (tmp_path / "c.tsv").write_bytes(b"\xff\xfe")
    for name in ("c.tsv", "none.tsv"):
        with pytest.raises(InputError, match=f"{name}: cannot be read as text"):
            read_corrections(tmp_path / name, {"m"})
