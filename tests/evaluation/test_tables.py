import math

import pandas as pd
import pyarrow as pa
import pytest
from PIL import Image

from castsearch import files
from castsearch.data.cutting import crop_movie
from castsearch.errors import InputError
from castsearch.evaluation import tables
from castsearch.search.ranking_table import SCHEMA as RANKINGS
from castsearch.tsv import write_tsv

LABELS = {"m_a": ["1"], "m_b": ["1", "2"]}


def test_a_query_without_relevant_candidates_is_left_out_of_the_means():
    movies = {"m_1": "m", "m_2": "m"}
    queries = tables.score_queries({"m_1": ["a"], "m_2": []}, {"m_1": [2], "m_2": []}, movies)
    assert tables.summarize(queries).to_dict() == {
        "queries": 1,
        "mAP": 0.5,
        "CMC@1": 0.0,
        "CMC@5": 1.0,
        "CMC@10": 1.0,
    }


def test_a_movie_without_scored_queries_keeps_its_row():
    queries = tables.score_queries({"m_1": ["a"], "n_1": []}, {"m_1": [1]}, {"m_1": "m", "n_1": "n"})
    movies = tables.summarize_movies(queries)
    assert movies["queries"].to_dict() == {"m": 1, "n": 0}
    assert math.isnan(movies.loc["n", "mAP"])


def test_no_query_gives_an_empty_table_of_movies():
    movies = tables.summarize_movies(tables.score_queries({}, {}, {}))
    assert list(movies.columns) == ["queries", "mAP", "CMC@1", "CMC@5", "CMC@10"]
    assert len(movies) == 0


def test_cmc_counts_the_queries_whose_first_hit_is_early_enough():
    labels = {"a": ["x0"], "b": ["x4", "x9"], "c": ["x9"], "d": ["x10"]}
    ranks = {"a": [1], "b": [5, 10], "c": [10], "d": [11]}
    movies = dict(zip(labels, "mmnn", strict=True))
    queries = tables.score_queries(labels, ranks, movies)
    assert queries["first_hit"].tolist() == [1, 5, 10, 11]
    assert tables.summarize(queries)["CMC@1":].tolist() == [0.25, 0.5, 0.75]
    assert tables.summarize_movies(queries)["CMC@5"].to_dict() == {"m": 1.0, "n": 0.0}


def test_a_query_without_a_ranking_scores_0():
    movies = {"m_a": "m", "m_b": "m"}
    queries, per_movie, overall = tables.score_ranks(LABELS, {"m_a": [2]}, movies)
    assert queries[["cast", "AP"]].values.tolist() == [["m_a", 0.5], ["m_b", 0.0]]
    assert per_movie["movie"].tolist() == ["m"]
    assert overall["mAP"].tolist() == [0.25]


@pytest.fixture
def write_movie(tmp_path):
    """Write a movie's crop table and its ranking by "face", and return their paths."""

    def write(split, movie, cast, candidates, broken=()):
        image = {"img": "person.jpg", "bbox": [0, 0, 4, 8]}
        Image.new("RGB", (4, 8)).save(tmp_path / "person.jpg")
        entry = {
            "cast": [{"id": name, "label": label, **image} for name, label in cast.items()],
            "candidates": [{"id": name, **image, **({"img": ""} if name in broken else {})} for name in candidates],
        }
        paths = [tmp_path / kind / split / f"{movie}.arrow" for kind in ("crops", "rankings")]
        source = f"{split}.json: movie {movie}"
        crop_movie(paths[0], split, movie, entry, source=source, images=tmp_path, on_bad_image="skip")
        ranked = [{"variant": "face", "cast": name, "ranking": candidates} for name in cast]
        files.write_table(paths[1], pa.Table.from_pylist(ranked, schema=RANKINGS.with_metadata({"split": split})))
        return paths

    return write


@pytest.fixture
def evaluate(tmp_path):
    """Evaluate movies with `labels` per split."""

    def evaluate(movies, labels, on_bad="stop", across=False):
        crops, rankings = zip(*movies, strict=True)
        paths = {split: tmp_path / f"{split}_label.json" for split in labels}
        for split, path in paths.items():
            files.write_json(path, labels[split])
        return tables.score_variants(paths, crops, rankings, {"face": "cascade face"}, on_bad=on_bad, across=across)

    return evaluate


def test_splits_that_share_a_cast_id_are_scored_each_by_its_own(write_movie, evaluate):
    movies = [write_movie("val", "m", {"ada": "ann"}, ["1", "2"]), write_movie("test", "n", {"ada": "ann"}, ["2", "3"])]
    queries, _, ablation = evaluate(movies, {"test": {"ada": ["3"]}, "val": {"ada": ["1"]}})
    assert queries[["split", "variant", "movie", "cast", "AP"]].values.tolist() == [
        ["test", "face", "n", "ada", 0.5],
        ["val", "face", "m", "ada", 1.0],
    ]
    assert ablation[["split", "variant", "mAP"]].values.tolist() == [["test", "face", 0.5], ["val", "face", 1.0]]


def test_labels_of_a_cast_member_of_another_split_stop(write_movie, evaluate):
    movies = [write_movie("val", "m", {"ada": "ann"}, ["1"]), write_movie("test", "n", {"bob": "ben"}, ["2"])]
    with pytest.raises(InputError, match=r"val_label\.json: cast bob: the split has no such cast id"):
        evaluate(movies, {"val": {"bob": ["2"]}})


def test_the_evaluation_says_how_many_have_labels_and_what_was_skipped(write_movie, evaluate, caplog):
    caplog.set_level("INFO")
    movies = [write_movie("val", "m", {"ada": "ann", "bob": "ben"}, ["1", "2"], broken=["2"])]
    queries = evaluate(movies, {"val": {"ada": ["1", "7"]}}, on_bad="skip").queries
    lines = caplog.messages
    assert queries["relevant"].tolist() == [1]
    assert lines[0] == "val: 1 of 2 cast members have labels"
    assert [line.split(":")[0] for line in lines[1:]] == ["skipped 2", "skipped 7"]


def test_a_search_of_all_movies_counts_the_person_in_each(write_movie, evaluate):
    movies = [write_movie("val", "m", {"ada": "ann"}, ["1"]), write_movie("val", "n", {"bob": "ann"}, ["2"])]
    labels = {"val": {"ada": ["1"], "bob": ["2"]}}
    assert evaluate(movies, labels, across=True).queries["relevant"].tolist() == [2, 2]


def test_a_split_without_movies_has_no_queries(write_movie, evaluate):
    scores = evaluate([write_movie("val", "m", {"ada": "ann"}, ["1"])], {"test": {}})
    assert len(scores.queries) == 0


def test_the_ablation_is_read_with_names_as_text_and_described(tmp_path):
    (tmp_path / "t.tsv").write_text("split\tvariant\tmAP\n1\tface\t0.5\nNA\tface\t\n")
    table = tables.read_ablation(tmp_path / "t.tsv", {"face": "faces alone"})
    assert table["split"].tolist() == ["1", "NA"]
    assert table["description"].tolist() == ["faces alone"] * 2
    assert table["mAP"].isna().tolist() == [False, True]


def test_without_labels_the_ablation_has_no_rows():
    assert len(tables.read_ablation(None, {})) == 0


TABLE = pd.DataFrame({"split": ["val"], "variant": ["face+body*[my_net]"], "mAP": [1 / 3]})
MADE_WITH = {"commit": "abc", "seeds": "demo 0"}


def test_a_table_says_what_it_was_made_with_and_is_read_all_the_same(tmp_path):
    write_tsv(tmp_path / "t.tsv", TABLE, MADE_WITH)
    assert tables.read_ablation(tmp_path / "t.tsv", {})["mAP"].tolist() == [0.333333]
    assert tables.to_markdown(TABLE, MADE_WITH).endswith("\n\n- commit: abc\n- seeds: demo 0\n")


def test_a_table_in_latex_has_its_characters_escaped():
    latex = tables.to_latex(TABLE, MADE_WITH)
    assert latex.startswith("% commit: abc\n")
    assert r"val & face+body*[my\_net] & 0.3333 \\" in " ".join(latex.split())
