import pandas as pd

from castsearch.tsv import read_tsv, with_numbers, write_tsv


def test_a_table_is_written_with_six_decimals(tmp_path):
    write_tsv(tmp_path / "t.tsv", pd.DataFrame({"variant": ["face"], "mAP": [1 / 3]}))
    assert (tmp_path / "t.tsv").read_text() == "variant\tmAP\nface\t0.333333\n"


def test_a_table_says_what_it_was_made_with(tmp_path):
    write_tsv(tmp_path / "t.tsv", pd.DataFrame({"split": ["val"]}), {"commit": "abc", "seeds": "demo 0"})
    assert (tmp_path / "t.tsv").read_text() == "# commit: abc\n# seeds: demo 0\nsplit\nval\n"


def test_what_is_empty_in_a_column_of_numbers_is_missing(tmp_path):
    write_tsv(tmp_path / "t.tsv", pd.DataFrame({"name": ["NA", ""], "shot": ["1", ""]}), decimals=3)
    table = with_numbers(read_tsv(tmp_path / "t.tsv"), {"shot": "Int64"})
    assert table["name"].tolist() == ["NA", ""]
    assert table["shot"].tolist() == [1, pd.NA]
