import numpy as np
import pytest

from castsearch.data.crops import crop_table, crops_of
from castsearch.data.feature_check import check_features, different_people
from castsearch.errors import InputError

PORTRAITS = [("a1", "Ada", "a1.jpg"), ("a2", "Ada", "a2.jpg"), ("b", "Bo", "b.jpg")]
CANDIDATES = [("1", "f1"), ("2", "f1"), ("3", "f2"), ("4", "f1")]


@pytest.fixture
def people():
    """Two portraits of Ada and one of Bo; three people in one frame and one in another."""
    rows = [{"id": name, "role": "cast", "label": label, "frame": frame} for name, label, frame in PORTRAITS]
    rows += [{"id": name, "role": "candidate", "frame": frame} for name, frame in CANDIDATES]
    return crops_of(crop_table("val", "tt1", [row | {"width": 9, "height": 9} for row in rows]))


def test_strangers_share_a_frame_or_are_different_cast_members(people):
    assert different_people(people).tolist() == [[0, 2], [1, 2], [3, 4], [3, 6], [4, 6]]


def almost_equal(number):
    features = np.random.default_rng(0).normal(size=(number, 32)).astype(np.float32)
    return features + 10


@pytest.mark.parametrize("number", [7, 4])
def test_features_that_are_alike_for_strangers_are_refused(people, number):
    with pytest.raises(InputError, match=r"val/tt1: the features of \d pairs of different people have a median cosine"):
        check_features(people, almost_equal(number), 0.9)


def test_features_that_differ_pass(people):
    check_features(people, almost_equal(7) - 10, 0.9)


def test_people_without_a_feature_do_not_count(people):
    features = almost_equal(7)
    features[[2, 3]] = 0  # leaves one pair
    check_features(people, features, 0.9)
