import numpy as np
import pyarrow as pa
import pytest
from factories.clips import write

from castsearch.film.decode import Film
from castsearch.film.follow import Followers, find, learn, quantise
from castsearch.film.shots import Shot
from castsearch.film.track_crops import cut_out

WIDTH, HEIGHT = 160, 120
RED, BLUE = (200, 30, 30), (30, 30, 200)
ONE_SHOT = [Shot(0, 13)]


def picture(left, clothes=RED):
    """Somebody of 30 by 60 pixels before a grey wall."""
    image = np.full((HEIGHT, WIDTH, 3), 128, np.uint8)
    image[20:80, max(left, 0) : max(left + 30, 0)] = clothes
    return image


def box(left):
    return [left, 20.0, left + 30.0, 80.0]


def tracks(*found, sees_backs=0, rate=1):
    """A table of tracks in a shot, of so many samples a second: of each its number, time and box."""
    columns = zip(*found, strict=True)
    kinds = {"track": pa.int32(), "time": pa.float64(), "box": pa.list_(pa.float32(), 4)}
    table = {name: pa.array(each, kinds[name]) for name, each in zip(kinds, columns, strict=True)}
    table |= {"shot": pa.array([1] * len(found), pa.int32()), "chosen": pa.array([False] * len(found))}
    return pa.table(table).replace_schema_metadata({"rate": str(rate), "sees_backs": str(sees_backs)})


@pytest.fixture(scope="module")
def film(tmp_path_factory):
    """A person who walks to the right, ten pixels a second, for ten seconds; then a blue one stands there."""
    pictures = [picture(10 + 10 * n) for n in range(10)] + [picture(110, BLUE)] * 3
    return write(tmp_path_factory.mktemp("follow") / "a.mp4", pictures, rate=1, options={"crf": "10"})


def followed(film, table, shots=ONE_SHOT, parts=((0, None),)):
    """Time, left side, and whether it was back, of each box to which somebody was followed."""
    rows = []
    with Film(film) as opened:
        for part in parts:
            followers = Followers(table, shots, *part)
            cut_out(opened, "f", table, *part, followers=followers)
            rows += followers.table().to_pylist()
    return sorted((row["time"], round(row["box"][0]), row["backward"]) for row in rows)


FOUND = [(1, time, box(10 + 10 * time)) for time in (3.0, 4.0, 5.0, 6.0)]


def test_a_person_is_followed_forward_and_back_until_they_are_gone(film):
    assert followed(film, tracks(*FOUND)) == [
        *[(float(n), 10 + 10 * n, True) for n in range(3)],
        *[(float(n), 10 + 10 * n, False) for n in (7, 8, 9)],
    ]


def test_parts_follow_as_one_pass(film):
    assert followed(film, tracks(*FOUND), parts=((0, 5), (5, None))) == followed(film, tracks(*FOUND))


def test_nobody_is_followed_into_another_shot(film):
    assert [row[0] for row in followed(film, tracks(*FOUND), [Shot(2, 8)])] == [2.0, 7.0]


def test_nobody_is_followed_for_longer_than_they_were_found(film):
    assert [row[0] for row in followed(film, tracks(*FOUND[:2]))] == [1.0, 2.0, 5.0, 6.0]


@pytest.mark.parametrize("first", [0.6, 2.2])  # from which five samples of 0.2 seconds are 1.0 and 0.9999999999999998
def test_how_long_somebody_is_followed_does_not_depend_on_rounding(tmp_path, first):
    path = write(tmp_path / "a.mp4", [picture(50)] * 30, rate=5, options={"crf": "10"})
    found = [(1, round(first + n / 5, 6), box(50)) for n in range(5)]
    times = [row[0] for row in followed(path, tracks(*found, rate=5), [Shot(0, 6)]) if not row[2]]
    assert times == [round(first + n / 5, 6) for n in range(5, 10)]


def test_nobody_is_followed_to_where_somebody_else_was_found(film):
    others = [(2, 8.0, box(95))]  # who are followed to 9.0 themselves
    assert [row[0] for row in followed(film, tracks(*FOUND, *others)) if not row[2]] == [7.0, 9.0]


def test_nobody_is_followed_whom_the_detector_would_see(film):
    assert followed(film, tracks(*FOUND, sees_backs=1)) == []


def test_what_does_not_differ_from_its_surroundings_is_not_learned():
    assert learn(quantise(picture(50, clothes=(128, 128, 128))), np.array(box(50))) is None


def test_who_leaves_the_frame_is_lost():
    look = learn(quantise(picture(50)), np.array(box(50)))
    assert find(look, quantise(picture(-10)), np.array(box(0))) == pytest.approx(box(-10), abs=1)
    assert find(look, quantise(picture(-20)), np.array(box(-10))) is None


def test_who_is_hidden_is_lost():
    look = learn(quantise(picture(50)), np.array(box(50)))
    assert find(look, quantise(picture(50, BLUE)), np.array(box(50))) is None
