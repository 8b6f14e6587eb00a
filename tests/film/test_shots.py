from fractions import Fraction
from itertools import chain, pairwise

import numpy as np
import pytest
from factories.clips import damage, number_of, numbered, write

from castsearch.data.crops import decode_rgb
from castsearch.film.decode import Film
from castsearch.film.shot_changes import find_changes
from castsearch.film.shot_pictures import take_pictures
from castsearch.film.shots import (
    Changes,
    Shot,
    join_changes,
    read_changes,
    read_shots,
    shot_numbers,
    write_changes,
    write_shots,
)


def scene(seed, count):
    """Frames of a picture of its own, on which the light changes a little."""
    generator = np.random.default_rng(seed)
    small = generator.integers(0, 200, (6, 8, 3))
    picture = np.kron(small, np.ones((16, 16, 1))).astype(int)
    return [(picture + generator.integers(0, 8)).astype(np.uint8) for _ in range(count)]


@pytest.fixture(scope="module")
def film(tmp_path_factory):
    """Three scenes of 1, 1.2 and 2 seconds at 25 frames a second."""
    path = tmp_path_factory.mktemp("film") / "film.mp4"
    return write(path, scene(1, 25) + scene(2, 30) + scene(3, 50), rate=25)


@pytest.mark.parametrize("detector", ["adaptive", "content", pytest.param("transnetv2", marks=pytest.mark.slow)])
def test_cuts_are_found_at_the_first_frame_of_the_new_shot(film, detector):
    with Film(film) as opened:
        found = find_changes(opened, detector)
    assert found == Changes([1.0, 2.2], 0.0, 4.2, 105, 0)


@pytest.mark.parametrize("detector", ["adaptive", "content", "histogram"])
@pytest.mark.parametrize("cuts", [[1.0], [0.96], [0.5, 1.04, 2.2, 3.9]])
def test_parts_find_the_changes_of_one_pass(film, detector, cuts):
    with Film(film) as opened:
        bounds = [0, *cuts, None]
        parts = [find_changes(opened, detector, *part) for part in pairwise(bounds)]
        whole = find_changes(opened, detector)
    assert [*chain.from_iterable(part.times for part in parts)] == whole.times
    assert sum(part.frames for part in parts) == whole.frames
    assert join_changes(parts) == join_changes([whole])


def test_the_histogram_sees_a_dissolve_and_the_adaptive_detector_does_not(tmp_path):
    first, second = np.full((96, 128, 3), 60, np.uint8), np.full((96, 128, 3), 180, np.uint8)
    fading = [(first * (1 - share) + second * share).astype(np.uint8) for share in np.linspace(0, 1, 21)]
    path = write(tmp_path / "a.mp4", [first] * 25 + fading + [second] * 25)
    with Film(path) as film:
        by_histogram, adaptive = (find_changes(film, detector).times for detector in ("histogram", "adaptive"))
    assert by_histogram
    assert 1 <= min(by_histogram) <= max(by_histogram) <= 1.84
    assert adaptive == []


def test_times_of_a_variable_rate_are_those_of_the_frames(tmp_path):
    times = [Fraction(n, 20) + (Fraction(3, 10) if n >= 15 else 0) for n in range(30)]
    with Film(write(tmp_path / "a.mp4", scene(1, 15) + scene(2, 15), times=times)) as film:
        assert find_changes(film, "adaptive").times == [float(times[15])]


def test_a_part_of_which_nothing_can_be_decoded_says_how_much_is_damaged(tmp_path):
    path = write(tmp_path / "a.mkv", scene(1, 15), rate=5, codec="ffv1", options={"g": "1"})
    for number in range(5, 10):
        damage(path, number)
    with Film(path) as film:
        assert find_changes(film, "content", 1, 2) == Changes([], None, None, 0, 5)


def test_a_film_without_a_cut_has_one_shot(tmp_path):
    with Film(write(tmp_path / "a.mp4", scene(1, 30))) as film:
        assert join_changes([find_changes(film, "adaptive")]) == [Shot(0.0, 1.2)]


def test_a_threshold_decides_what_is_a_change(film):
    with Film(film) as opened:
        assert find_changes(opened, "content", threshold=200).times == []


def test_what_a_part_tells_is_read_as_it_was_written(tmp_path):
    for changes in (Changes([0.2, 2.0], 0.0, 5.04, 126, 1), Changes([], None, None, 0, 0)):
        write_changes(tmp_path / "part.json", changes)
        assert read_changes(tmp_path / "part.json") == changes


def test_changes_in_quick_succession_are_one():
    assert join_changes([Changes([0.2, 2.0, 2.2, 2.39, 4.0], 0.0, 5.0, 125, 0)]) == [
        Shot(0.0, 2.0),
        Shot(2.0, 4.0),
        Shot(4.0, 5.0),
    ]


def test_parts_without_frames_do_not_matter():
    parts = [Changes([1.0], 0.5, 2.0, 40, 0), Changes([], None, None, 0, 0)]
    assert join_changes(parts) == [Shot(0.5, 1.0), Shot(1.0, 2.0)]
    assert join_changes(parts[1:]) == []


def test_a_time_belongs_to_the_shot_that_begins_with_it():
    shots = [Shot(0.5, 1.0), Shot(1.0, 2.0)]
    assert shot_numbers(np.array([0.5, 0.99, 1.0, 2.0]), shots).tolist() == [1, 1, 2, 2]


def test_a_table_of_shots_is_read_as_it_was_written(tmp_path):
    shots = [Shot(0.844014, 1.511348), Shot(1.511348, 10.019856)]
    write_shots(tmp_path / "shots.tsv", shots)
    assert read_shots(tmp_path / "shots.tsv") == shots
    assert (tmp_path / "shots.tsv").read_text().splitlines()[1].split("\t")[0] == "1"


@pytest.mark.parametrize("cuts", [[], [0.5], [1.0, 1.4]])
def test_each_shot_has_the_picture_in_its_middle(tmp_path, cuts):
    write(tmp_path / "a.mp4", [numbered(number) for number in range(20)], rate=10)
    with Film(tmp_path / "a.mp4") as film:
        parts = [take_pictures(film, [Shot(0, 1), Shot(1, 2)], *part) for part in pairwise([0, *cuts, None])]
    rows = [*chain.from_iterable(part.to_pylist() for part in parts)]
    assert [(row["shot"], number_of(decode_rgb(row["image"]))) for row in rows] == [(1, 5), (2, 15)]


def test_a_shot_begins_where_the_size_of_the_picture_changes(tmp_path):
    """Two recordings of one still picture in two sizes, joined, as broadcasts change it."""
    parts = [np.full((height, width, 3), 90, np.uint8) for height, width in ((96, 128), (144, 256))]
    small, large = (
        write(tmp_path / f"{number}.ts", [picture] * 10, shift=0.4 * number) for number, picture in enumerate(parts)
    )
    path = tmp_path / "both.ts"
    path.write_bytes(small.read_bytes() + large.read_bytes())
    with Film(path) as film:
        assert find_changes(film, "adaptive").times == pytest.approx([0.4], abs=0.01)
