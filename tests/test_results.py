import pandas as pd
import pyarrow as pa

from castsearch import files, results
from castsearch.search import RANKINGS

ROWS = [
    {"variant": "face", "cast": "m_a", "ranking": ["1", "2", "3"]},
    {"variant": "face", "cast": "m_b", "ranking": ["3", "2", "1"]},
    {"variant": "both", "cast": "m_a", "ranking": ["2", "1", "3"]},
]
LABELS = {"m_a": ["1"], "m_b": ["1", "2"]}


def test_rankings_of_several_movies_are_read_together(tmp_path):
    for number, rows in enumerate((ROWS[:1], ROWS[1:])):
        files.write_table(tmp_path / str(number), pa.Table.from_pylist(rows, schema=RANKINGS))
    assert results.read_rankings([tmp_path / "0", tmp_path / "1"]) == {
        "face": {"m_a": ["1", "2", "3"], "m_b": ["3", "2", "1"]},
        "both": {"m_a": ["2", "1", "3"]},
    }


def test_every_variant_is_scored_on_every_query():
    rankings = {"face": {"m_a": ["1", "2", "3"], "m_b": ["3", "2", "1"]}, "both": {"m_a": ["2", "1", "3"]}}
    queries, movies, ablation = results.score_variants(LABELS, rankings, ["face", "both"])
    assert queries[["variant", "cast", "AP"]].values.tolist() == [
        ["face", "m_a", 1.0],
        ["face", "m_b", (1 / 2 + 2 / 3) / 2],
        ["both", "m_a", 0.5],
        ["both", "m_b", 0.0],
    ]
    assert movies["movie"].tolist() == ["m", "m"]
    assert ablation["mAP"].round(6).tolist() == [0.791667, 0.25]


def test_the_cast_has_names():
    crops = pa.table({"id": ["m_a", "m_1"], "role": ["cast", "candidate"], "label": ["ann", "ann"]})
    other = pa.table({"id": ["n_a", "n_b"], "role": ["cast", "cast"], "label": ["ann", None]})
    assert results.cast_names([crops, other]) == {"m_a": "ann", "n_a": "ann", "n_b": None}


def test_a_table_is_written_with_six_decimals(tmp_path):
    results.write_tsv(tmp_path / "t.tsv", pd.DataFrame({"variant": ["face"], "mAP": [1 / 3]}))
    assert (tmp_path / "t.tsv").read_text() == "variant\tmAP\nface\t0.333333\n"
