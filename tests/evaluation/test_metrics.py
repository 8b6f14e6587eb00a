import json
import math

import pytest

from castsearch.data.submission import read_submission
from castsearch.evaluation import metrics
from castsearch.evaluation.metrics import average_precision, first_hit, mean_average_precision


def test_precision_is_taken_at_the_rank_of_each_relevant_candidate():
    assert average_precision({"a", "c"}, ["a", "b", "c"]) == pytest.approx((1 + 2 / 3) / 2)


def test_a_relevant_candidate_that_is_not_listed_counts_zero():
    assert average_precision({"a", "b"}, ["a"]) == 0.5


def test_ranks_run_over_distinct_candidates():
    assert average_precision(["a"], ["b", "b", "b", "a", "a"]) == 0.5
    assert first_hit(["a"], ["b", "b", "b", "a", "a"]) == 2


def test_nothing_relevant_has_no_average_precision():
    assert math.isnan(average_precision([], ["a"]))


def test_no_hit_has_no_rank():
    assert first_hit({"a"}, ["b"]) is None


def test_an_unanswered_query_scores_zero():
    assert mean_average_precision({"m_1": ["a"], "m_2": ["a"]}, {"m_1": ["a"]}) == 0.5


def test_a_query_without_relevant_candidates_is_left_out_of_the_means():
    queries = metrics.score_queries({"m_1": ["a"], "m_2": []}, {"m_1": ["b", "a"], "m_2": ["a"]})
    assert metrics.summarize(queries).to_dict() == {
        "queries": 1,
        "mAP": 0.5,
        "CMC@1": 0.0,
        "CMC@5": 1.0,
        "CMC@10": 1.0,
    }


def test_without_a_query_to_score_the_mean_is_undefined():
    assert math.isnan(mean_average_precision({}, {}))
    assert math.isnan(mean_average_precision({"m_1": []}, {"m_1": ["a"]}))


def test_a_movie_without_scored_queries_keeps_its_row():
    movies = metrics.summarize_movies(metrics.score_queries({"m_1": ["a"], "n_1": []}, {"m_1": ["a"]}))
    assert movies["queries"].to_dict() == {"m": 1, "n": 0}
    assert math.isnan(movies.loc["n", "mAP"])


def test_no_query_gives_an_empty_table_of_movies():
    assert list(metrics.summarize_movies(metrics.score_queries({}, {})).columns) == [
        "queries",
        "mAP",
        "CMC@1",
        "CMC@5",
        "CMC@10",
    ]


def test_the_movie_stands_before_the_last_underscore():
    assert metrics.movie_of("my_movie_nm001") == "my_movie"


def test_the_movie_is_the_one_that_is_given():
    assert metrics.score_queries({"ada": ["a"]}, {}, {"ada": "m"})["movie"].tolist() == ["m"]


def test_cmc_counts_the_queries_whose_first_hit_is_early_enough():
    ranking = [f"x{i}" for i in range(20)]
    labels = {"m_1": ["x0"], "m_2": ["x4", "x9"], "n_3": ["x9"], "n_4": ["x10"]}
    queries = metrics.score_queries(labels, dict.fromkeys(labels, ranking))
    assert queries["first_hit"].tolist() == [1, 5, 10, 11]
    assert metrics.summarize(queries)["CMC@1":].tolist() == [0.25, 0.5, 0.75]
    assert metrics.summarize_movies(queries)["CMC@5"].to_dict() == {"m": 1.0, "n": 0.0}


def test_every_query_agrees_with_the_reference(golden):
    labels = json.loads((golden / "evaluate_labels.json").read_text())
    submission = read_submission(golden / "evaluate_submission.txt")
    expected = json.loads((golden / "evaluate_expected.json").read_text())
    queries = metrics.score_queries(labels, submission).set_index("cast")
    assert queries["AP"].to_dict() == pytest.approx(expected["AP"], rel=0, abs=1e-12)
    assert mean_average_precision(labels, submission) == pytest.approx(expected["mAP"], rel=0, abs=1e-12)


def test_a_real_submission_gets_its_published_score(wider, capsys):
    assert metrics.main([str(wider / "val_label.json"), str(wider / "val_rank.txt")]) == 0
    printed = capsys.readouterr().out
    assert "mAP      0.712862\n" in printed
    assert "147 scored, 147 of 147 answered" in printed
    assert sum(line.strip().startswith("tt") for line in printed.splitlines()) == 19


@pytest.fixture
def scored_split(tmp_path):
    """Labels, a submission that fits them, and the split's annotation."""
    paths = [tmp_path / name for name in ("label.json", "rank.txt", "val.json")]
    candidates = [{"id": f"m_{i}", "img": "m/f.jpg", "bbox": [0, 0, 1, 1]} for i in range(3)]
    paths[0].write_text(json.dumps({"m_nm1": ["m_1"]}))
    paths[1].write_text("m_nm1 m_0,m_1\n")
    paths[2].write_text(json.dumps({"m": {"cast": [{"id": "m_nm1", "img": "m/1.jpg"}], "candidates": candidates}}))
    return paths


def test_a_submission_that_fits_its_split_is_scored(scored_split, capsys):
    labels, submission, split = map(str, scored_split)
    assert metrics.main([labels, submission, "--split", split]) == 0
    assert "mAP      0.500000" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("file", "text", "reason"),
    [
        (1, "m_nm1 m_0\nm_nm2 m_1\n", "rank.txt: line 2: unknown cast id 'm_nm2'"),
        (0, '{"m_nm1": ["m_1"', "label.json: "),
        (0, '{"m_nm7": ["m_1"]}', "label.json: cast m_nm7: "),
        (0, '{"m_nm1": ["m_9"]}', "label.json: cast m_nm1: candidate m_9: "),
        (2, '{"m": 3}', "val.json: movie m: "),
    ],
)
def test_bad_input_is_one_line_and_status_1(scored_split, capsys, file, text, reason):
    scored_split[file].write_text(text)
    labels, submission, split = map(str, scored_split)
    assert metrics.main([labels, submission, "--split", split]) == 1
    printed = capsys.readouterr()
    assert reason in printed.err
    assert printed.err.count("\n") == 1
    assert printed.out == ""


def test_the_movie_of_a_query_is_the_split_s_and_not_read_from_its_id(scored_split, capsys):
    for path in scored_split:
        path.write_text(path.read_text().replace("m_nm1", "bob_smith"))
    labels, submission, split = map(str, scored_split)
    assert metrics.main([labels, submission, "--split", split]) == 0
    assert capsys.readouterr().out.splitlines()[-1].split()[0] == "m"


def test_without_a_split_the_labels_say_which_cast_ids_there_are(scored_split, capsys):
    scored_split[1].write_text("m_nm9 m_0\n")
    assert metrics.main([str(path) for path in scored_split[:2]]) == 1
    assert "line 1: unknown cast id 'm_nm9'" in capsys.readouterr().err


def test_across_movies_whoever_shows_the_person_counts():
    labels = {"m_a": ["m_1"], "n_a": ["n_1", "n_2"], "n_b": ["n_3"]}
    merged = metrics.across_movies(labels, {"m_a": "ann", "n_a": "ann", "n_b": None})
    assert merged == {"m_a": ["m_1", "n_1", "n_2"], "n_a": ["m_1", "n_1", "n_2"], "n_b": ["n_3"]}


def test_a_label_of_nobody_makes_no_two_cast_members_one():
    labels = {"m_a": ["m_1"], "n_a": ["n_1"]}
    assert metrics.across_movies(labels, {"m_a": "others", "n_a": "others"}) == labels


def test_a_search_of_all_movies_may_find_candidates_of_a_movie_without_cast(scored_split, capsys):
    labels, submission, split = scored_split
    annotations = json.loads(split.read_text())
    annotations["n"] = {"cast": [], "candidates": [{"id": "n_0", "img": "n/f.jpg", "bbox": [0, 0, 1, 1]}]}
    split.write_text(json.dumps(annotations))
    submission.write_text("m_nm1 n_0,m_1\n")
    arguments = [str(labels), str(submission), "--split", str(split)]
    assert metrics.main([*arguments, "--across"]) == 0
    assert "mAP      0.500000" in capsys.readouterr().out
    assert metrics.main(arguments) == 1
    assert "candidate 'n_0' of cast id 'm_nm1' belongs to another movie" in capsys.readouterr().err


def test_a_search_of_all_movies_is_scored_across_them(scored_split, capsys):
    labels, submission, split = scored_split
    annotations = json.loads(split.read_text())
    annotations["n"] = json.loads(json.dumps(annotations["m"]).replace('"m_', '"n_'))
    for movie in annotations.values():
        movie["cast"][0]["label"] = "nm1"
    split.write_text(json.dumps(annotations))
    labels.write_text(json.dumps({"m_nm1": ["m_1"], "n_nm1": ["n_2"]}))
    submission.write_text("m_nm1 m_1,n_2\nn_nm1 m_1,n_2\n")
    arguments = [str(labels), str(submission), "--split", str(split)]
    assert metrics.main(arguments) == 1
    assert "belongs to another movie" in capsys.readouterr().err
    assert metrics.main([*arguments, "--across"]) == 0
    assert "mAP      1.000000" in capsys.readouterr().out
