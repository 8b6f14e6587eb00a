import numpy as np
import pytest
from factories.crops import rows_of, write_crops

from castsearch.evaluation import tables
from castsearch.evaluation.metrics import hit_ranks
from castsearch.reid.labelled import collect_labelled
from castsearch.reid.validation import SCORES, score


def test_candidates_are_gathered_by_movie_with_whom_the_labels_name(tmp_path):
    rows = [*rows_of("a", [b"portrait"], role="cast"), *rows_of("a", [b"1", None, b"3"]), *rows_of("others", [b"4"])]
    path = write_crops(tmp_path / "tt1.arrow", rows)

    table = collect_labelled([path], {tmp_path.name: {"a_cast_0": ["a_candidate_0", "a_candidate_2", "unknown"]}})

    assert table["id"].to_pylist() == ["a_candidate_0", "a_candidate_2", "others_candidate_0"]
    assert table["person"].to_pylist() == ["a_cast_0", "a_cast_0", None]
    assert table["image"].to_pylist() == [b"1", b"3", b"4"]
    assert set(table["movie"].to_pylist()) == {f"{tmp_path.name}/tt1"}


def test_a_candidate_of_two_movies_is_whom_each_movies_labels_name(tmp_path):
    paths = []
    for movie, label in (("tt1", "a"), ("tt2", "b")):
        rows = [*rows_of(label, [b"portrait"], role="cast"), *rows_of(label, [b"1"])]
        rows[-1]["id"] = "1"
        paths.append(write_crops(tmp_path / f"{movie}.arrow", rows))

    table = collect_labelled(paths, {tmp_path.name: {"a_cast_0": ["1"], "b_cast_0": ["1"]}})

    shown = dict(zip(table["movie"].to_pylist(), table["person"].to_pylist(), strict=True))
    assert shown == {f"{tmp_path.name}/tt1": "a_cast_0", f"{tmp_path.name}/tt2": "b_cast_0"}


def test_no_more_movies_are_gathered_than_are_enough_to_validate_on(tmp_path):
    paths, labels = [], {}
    for number in range(9):
        rows = [*rows_of(f"{number}", [b"portrait"], role="cast"), *rows_of(f"{number}", [b"1", b"2"])]
        paths.append(write_crops(tmp_path / f"tt{number}.arrow", rows))
        labels[f"{number}_cast_0"] = [f"{number}_candidate_0"]

    few = collect_labelled(paths, {tmp_path.name: labels}, enough=5)
    fewer_movies = collect_labelled(paths[1:], {tmp_path.name: labels}, enough=5)

    assert len(few) == 6, "whole movies"
    assert len(set(few["movie"].to_pylist()) & set(fewer_movies["movie"].to_pylist())) >= 2
    assert set(few["movie"].to_pylist()) != {f"{tmp_path.name}/tt{number}" for number in range(3)}


def test_a_movie_without_labels_is_not_gathered(tmp_path):
    paths = [
        write_crops(tmp_path / f"{name}.arrow", [*rows_of(name, [b"portrait"], role="cast"), *rows_of(name, [b"1"])])
        for name in ("tt1", "tt2")
    ]
    table = collect_labelled(paths, {tmp_path.name: {"tt2_cast_0": ["tt2_candidate_0"]}})
    assert table["id"].to_pylist() == ["tt2_candidate_0"]


def angles(*degrees):
    radians = np.radians(degrees)
    return np.stack([np.cos(radians), np.sin(radians)], axis=1)


def test_each_crop_of_a_cast_member_asks_for_the_others_of_its_movie():
    scores = score(
        angles(0, 50, 20, 90, 0),
        movies=["m", "m", "m", "m", "n"],
        frames=["f", "g", "h", "i", "j"],
        people=["a", "a", None, None, "a"],  # of movie n is nobody else
    )
    # From 1, the stranger 3 comes before 2; from 2, the strangers 3 and 4 do before 1.
    assert scores["queries"] == 2
    assert scores["mAP"] == pytest.approx((1 / 2 + 1 / 3) / 2)
    assert scores["CMC@1"] == 0


def test_who_is_in_the_same_image_is_left_out():
    people = ["a", "a", None, "a"]
    apart = score(angles(0, 30, 10, 5), movies=["m"] * 4, frames=["f", "g", "h", "f"], people=people)
    # 1 and 4 are of one image, so each asks for 2 alone, and is answered 3 first; 2 is answered 3, 4, 1.
    assert apart["queries"] == 3
    assert apart["mAP"] == pytest.approx((1 / 2 + 1 / 2 + (1 / 2 + 2 / 3) / 2) / 3)


@pytest.mark.parametrize("people", [[], [None, None], ["a", None]])
def test_nobody_to_ask_for_is_no_score(people):
    names = [str(number) for number in range(len(people))]
    scores = score(angles(*range(len(people))), movies=["m"] * len(people), frames=names, people=people)
    assert scores.pop("queries") == 0
    assert np.isnan(list(scores.values())).all()


def test_equal_features_keep_the_order_of_the_movie():
    ones = np.ones((3, 2))
    scores = score(ones, movies=["m"] * 3, frames=["f", "g", "h"], people=["a", None, "a"])
    assert scores["mAP"] == pytest.approx((1 / 2 + 1) / 2)


def test_scores_are_those_of_the_evaluation():
    rng = np.random.default_rng(0)
    features, people = rng.normal(size=(60, 4)), rng.choice(np.array(["a", "b", "c", None], object), 60)
    names = np.array([str(row) for row in range(60)])
    others = ~np.eye(60, dtype=bool)
    labels = {names[row]: names[(people == people[row]) & others[row]] for row in range(60) if people[row]}
    order = np.argsort(-features @ features.T, axis=1, kind="stable")
    ranks = {
        name: hit_ranks(relevant, [names[other] for other in order[int(name)] if names[other] != name])
        for name, relevant in labels.items()
    }
    expected = tables.summarize(tables.score_queries(labels, ranks, dict.fromkeys(labels, "m")))

    found = score(features, movies=["m"] * 60, frames=names, people=people)

    assert found == pytest.approx(expected[["queries", *SCORES]].to_dict(), rel=1e-12)
