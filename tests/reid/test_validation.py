import numpy as np
import pytest
from sightings import rows_of, write_movie

from castsearch.reid.validation import SCORES, collect, score


def test_candidates_are_gathered_by_movie_with_whom_the_labels_name(tmp_path):
    rows = [*rows_of("a", [b"portrait"], role="cast"), *rows_of("a", [b"1", None, b"3"]), *rows_of("others", [b"4"])]
    path = write_movie(tmp_path / "tt1.arrow", rows)

    table = collect([path], {"tt1_a": ["a_candidate_0", "a_candidate_1", "a_candidate_2"]})

    assert table["id"].to_pylist() == ["a_candidate_0", "a_candidate_2", "others_candidate_0"]
    assert table["person"].to_pylist() == ["tt1_a", "tt1_a", None]
    assert table["image"].to_pylist() == [b"1", b"3", b"4"]
    assert set(table["movie"].to_pylist()) == {f"{tmp_path.name}/tt1"}


def angles(*degrees):
    radians = np.radians(degrees)
    return np.stack([np.cos(radians), np.sin(radians)], axis=1)


def test_each_crop_of_a_cast_member_asks_for_the_others_of_its_movie():
    scores = score(
        angles(0, 50, 20, 90, 0),
        movies=["m", "m", "m", "m", "n"],
        ids=["1", "2", "3", "4", "1"],
        frames=["f", "g", "h", "i", "j"],
        people=["a", "a", None, None, "a"],  # of movie n is nobody else
    )
    # From 1, the stranger 3 comes before 2; from 2, the strangers 3 and 4 do before 1.
    assert scores["queries"] == 2
    assert scores["mAP"] == pytest.approx((1 / 2 + 1 / 3) / 2)
    assert list(scores[["CMC@1", "CMC@5", "CMC@10"]]) == [0, 1, 1]


def test_who_is_in_the_same_image_is_left_out():
    everything = {"movies": ["m"] * 4, "ids": ["1", "2", "3", "4"], "people": ["a", "a", None, "a"]}
    features = angles(0, 30, 10, 5)
    apart = score(features, frames=["f", "g", "h", "f"], **everything)
    # 1 and 4 are of one image, so each asks for 2 alone, and is answered 3 first; 2 is answered 3, 4, 1.
    assert apart["queries"] == 3
    assert apart["mAP"] == pytest.approx((1 / 2 + 1 / 2 + (1 / 2 + 2 / 3) / 2) / 3)


@pytest.mark.parametrize("people", [[], [None, None], ["a", None]])
def test_nobody_to_ask_for_is_no_score(people):
    names = [str(number) for number in range(len(people))]
    scores = score(angles(*range(len(people))), movies=["m"] * len(people), ids=names, frames=names, people=people)
    assert scores["queries"] == 0
    assert np.isnan(scores[list(SCORES)].to_numpy(float)).all()


def test_equal_features_keep_the_order_of_the_movie():
    ones = np.ones((3, 2))
    scores = score(ones, movies=["m"] * 3, ids=["1", "2", "3"], frames=["f", "g", "h"], people=["a", None, "a"])
    assert scores["mAP"] == pytest.approx((1 / 2 + 1) / 2)
