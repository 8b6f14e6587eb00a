import numpy as np
import pytest

from castsearch.data.crops import crop_table, crops_of
from castsearch.data.feature_check import BODIES, FACES, cannot_link_groups, check_features, doubt
from castsearch.errors import InputError

PORTRAITS = [("a1", "Ada", "a1.jpg"), ("a2", "Ada", "a2.jpg"), ("b", "Bo", "b.jpg")]
CANDIDATES = [("1", "f1"), ("2", "f1"), ("3", "f2"), ("4", "f1")]


@pytest.fixture
def people():
    """Two portraits of Ada and one of Bo; three people in one frame and one in another."""
    rows = [{"id": name, "role": "cast", "label": label, "frame": frame} for name, label, frame in PORTRAITS]
    rows += [{"id": name, "role": "candidate", "frame": frame} for name, frame in CANDIDATES]
    return crops_of(crop_table("val", "tt1", [row | {"width": 9, "height": 9} for row in rows]))


def test_different_people_share_a_frame_or_are_the_cast_of_a_movie():
    cast = [("m", "Ada"), ("m", "Ada"), ("m", "Bo"), ("n", "Ada")]
    assert cannot_link_groups(cast, ["f1", "f1", "f2", "f1"]).tolist() == [0, 1, 0, 2, 3, 3, 4, 3]


def almost_equal(number):
    features = np.random.default_rng(0).normal(size=(number, 32)).astype(np.float32)
    return features + 10


@pytest.mark.parametrize("number", [7, 4])
def test_features_that_are_alike_for_strangers_are_refused(people, number):
    with pytest.raises(InputError, match=r"val/tt1: the features of \d pairs of different people have a median cosine"):
        check_features(people, almost_equal(number), FACES)


def test_features_that_differ_pass(people):
    check_features(people, almost_equal(7) - 10, FACES)


def test_people_without_a_feature_do_not_count(people):
    features = almost_equal(7)
    features[[2, 3]] = 0  # leaves one pair
    check_features(people, features, FACES)


def movie_of(resemblance, people=4, frames=12, size=64):
    """Features of people who are all in every frame, as alike as `resemblance` says; and their groups."""
    rng = np.random.default_rng(0)
    common, own = rng.normal(size=size), rng.normal(size=(people, size))
    shown = np.tile(own * np.sqrt(1 - resemblance) + common * np.sqrt(resemblance), (frames, 1))
    names = [f"f{frame}" for frame in range(frames) for _ in range(people)]
    return shown + 0.3 * np.sqrt(1 - resemblance) * rng.normal(size=shown.shape), cannot_link_groups([], names)


@pytest.mark.parametrize(("limits", "healthy", "wrong"), [(FACES, 0.1, 0.8), (BODIES, 0.8, 0.95)])
def test_people_of_a_frame_who_are_as_alike_as_one_person_are_doubted(limits, healthy, wrong):
    assert doubt(*movie_of(healthy), limits) is None
    assert f"the {limits.noun} of different people are nearly as alike" in doubt(*movie_of(wrong), limits)


def test_noise_is_doubted():
    features, group = movie_of(0.1)
    noise = np.random.default_rng(0).normal(size=(len(features), 128))
    assert "Either nobody is seen twice" in doubt(noise, group, FACES)


def test_few_people_are_not_doubted():
    assert doubt(*movie_of(0.9, frames=2), FACES) is None


def test_a_doubt_is_in_the_log(caplog):
    rows = [
        {"id": f"{row}", "role": "candidate", "frame": f"f{row // 4}", "width": 9, "height": 9} for row in range(48)
    ]
    check_features(crops_of(crop_table("val", "tt1", rows)), movie_of(0.8)[0], FACES)
    assert "val/tt1: the faces of different people are nearly as alike" in caplog.text
