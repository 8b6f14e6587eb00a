import pyarrow as pa
import pytest

from castsearch import files
from castsearch.data.rankings import by_split, each_ranking, read_ranks
from castsearch.errors import InputError
from castsearch.search.ranking_table import SCHEMA as RANKINGS

ROWS = [
    {"variant": "face", "cast": "m_a", "ranking": ["1", "2", "3"]},
    {"variant": "face", "cast": "m_b", "ranking": ["3", "2", "1"]},
    {"variant": "both", "cast": "m_a", "ranking": ["2", "1", "3"]},
]


def test_rankings_of_several_movies_are_read_together(tmp_path):
    for number, rows in enumerate((ROWS[:1], ROWS[1:])):
        files.write_table(tmp_path / str(number), pa.Table.from_pylist(rows, schema=RANKINGS))
    paths = [tmp_path / "0", tmp_path / "1"]
    assert dict(each_ranking(paths, "face")) == {"m_a": ["1", "2", "3"], "m_b": ["3", "2", "1"]}
    assert dict(each_ranking(paths[1:], "both")) == {"m_a": ["2", "1", "3"]}


def test_ranks_are_those_of_what_is_wanted(tmp_path):
    files.write_table(tmp_path / "m.arrow", pa.Table.from_pylist(ROWS, schema=RANKINGS))
    assert read_ranks([tmp_path / "m.arrow"], "face", {"m_a": ["3", "1", "9"]}) == {
        "m_a": {"1": 1, "3": 3},
        "m_b": {},
    }


def test_ranks_of_the_best_are_read_besides(tmp_path):
    files.write_table(tmp_path / "m.arrow", pa.Table.from_pylist(ROWS, schema=RANKINGS))
    ranks = read_ranks([tmp_path / "m.arrow"], "face", {"m_a": ["3"]}, top=1)
    assert ranks == {"m_a": {"1": 1, "3": 3}, "m_b": {"3": 1}}


def test_rankings_without_the_variant_are_refused_unless_there_are_none(tmp_path):
    for name, rows in {"m.arrow": ROWS, "empty.arrow": []}.items():
        files.write_table(tmp_path / name, pa.Table.from_pylist(rows, schema=RANKINGS))
    with pytest.raises(InputError, match=r"m\.arrow: has no ranking by diffusion face; delete it"):
        dict(each_ranking([tmp_path / "m.arrow"], "diffusion face"))
    assert not [*each_ranking([tmp_path / "empty.arrow"], "diffusion face")]


def test_a_cast_id_that_is_ranked_twice_is_refused(tmp_path):
    for name in ("one.arrow", "two.arrow"):
        files.write_table(tmp_path / name, pa.Table.from_pylist(ROWS[:1], schema=RANKINGS))
    with pytest.raises(InputError, match=r"two\.arrow: cast m_a: has a second ranking by face"):
        dict(each_ranking([tmp_path / "one.arrow", tmp_path / "two.arrow"], "face"))


def test_tables_are_sorted_by_split(tmp_path):
    for name, split in {"a": "val", "b": "test", "c": "val"}.items():
        files.write_table(tmp_path / name, pa.Table.from_pylist(ROWS, RANKINGS.with_metadata({"split": split})))
    sorted_files = by_split(tmp_path / name for name in "abc")
    assert {split: [path.name for path in paths] for split, paths in sorted_files.items()} == {
        "val": ["a", "c"],
        "test": ["b"],
    }
