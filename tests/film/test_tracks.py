import numpy as np
import pyarrow as pa
import pytest

from castsearch.boxes import overlap
from castsearch.film.shots import Shot
from castsearch.film.tracks import Detections, choose, link_boxes, moments, track_table


def walk(x, *, start=0, count=10, speed=4, width=20, seconds=0.2, score=0.9):
    """Rows (time, box, score) of somebody who walks to the right from x on, in steps of `speed` pixels."""
    return [((start + n) * seconds, [x + n * speed, 10, x + n * speed + width, 70], score) for n in range(count)]


def linked(*walks, shots=None, colours=None, **options):
    """The track numbers of each walk."""
    rows = sorted((time, place, box, score) for place, walk in enumerate(walks) for time, box, score in walk)
    times = np.array([row[0] for row in rows])
    shot = np.ones(len(rows), int) if shots is None else np.searchsorted(shots, times, side="right") + 1
    boxes, scores = np.array([row[2] for row in rows], np.float32), np.array([row[3] for row in rows], np.float32)
    wears = np.eye(2, dtype=np.float32)[[colours[row[1]] if colours else 0 for row in rows]]
    numbers = link_boxes(Detections(times, boxes, scores, wears), shot, 0.5, **options)
    return [numbers[[row[1] == place for row in rows]].tolist() for place in range(len(walks))]


def test_boxes_that_follow_each_other_are_one_track():
    assert linked(walk(0), walk(100)) == [[1] * 10, [2] * 10]


def test_people_who_cross_keep_their_tracks():
    right, left = walk(0, speed=8), walk(72, speed=-8)
    assert linked(right, left) == [[1] * 10, [2] * 10]


@pytest.mark.parametrize(("wears", "expected"), [([0, 1], [[1] * 8, [2] * 8]), ([0, 0], [[1, 1, 1, 1, 2, 2, 2, 2]])])
def test_who_turns_back_where_they_meet_is_known_by_their_colours(wears, expected):
    left = walk(0, count=4) + walk(12, start=4, count=4, speed=-4)
    right = walk(28, count=4, speed=-4) + walk(16, start=4, count=4)
    assert linked(left, right, colours=wears)[: len(expected)] == expected


def test_a_box_of_the_same_colours_need_only_be_near():
    quick = walk(0, count=3, speed=18)
    assert linked(quick) == [[1, 1, 1]]
    assert linked(quick[:1], quick[1:], colours=[0, 1]) == [[1], [2, 2]]


def test_a_much_larger_box_is_somebody_else():
    near = [(1.0, [-80, -200, 150, 400], 0.9)]
    assert linked(walk(0, count=5) + near) == [[1] * 5 + [2]]


def test_who_stands_where_somebody_in_other_clothes_stood_is_somebody_else():
    assert linked(walk(0, count=5), walk(20, start=5, count=5), colours=[0, 1], least_colours=0.75) == [
        [1] * 5,
        [2] * 5,
    ]


def test_no_track_goes_across_a_cut():
    assert linked(walk(0), shots=[0.9]) == [[1] * 5 + [2] * 5]


@pytest.mark.parametrize(("hidden", "expected"), [(3, [1] * 7), (8, [1] * 4 + [2] * 3)])
def test_a_person_may_be_hidden_for_a_second(hidden, expected):
    seen = walk(0, speed=6)[:4] + walk(0, speed=6, count=20)[4 + hidden : 7 + hidden]
    assert linked(seen, gap=1.0) == [expected]


def test_a_box_of_a_low_score_continues_a_track_and_begins_none():
    rows = walk(0)
    rows[4] = (*rows[4][:2], 0.2)
    assert linked(rows, walk(100, score=0.2)) == [[1] * 10, [0] * 10]


def test_a_box_elsewhere_begins_another_track():
    assert linked(walk(0, count=3) + walk(200, start=3, count=3)) == [[1, 1, 1, 2, 2, 2]]


def test_no_boxes_have_no_tracks():
    assert linked([]) == [[]]


def test_overlap_is_intersection_over_union():
    first = np.array([[0, 0, 10, 10], [20, 20, 30, 30.0]])
    second = np.array([[0, 5, 10, 15.0]])
    assert overlap(first, second) == pytest.approx(np.array([[1 / 3], [0]]))


def test_the_best_of_each_span_stands_for_the_track():
    times = np.arange(10) / 5
    boxes = np.tile(np.array([0, 0, 10, 10], np.float32), (10, 1))
    scores = np.array([0.1, 0.9, 0.5, 0.4, 0.3, 0.9, 0.1, 0.2, 0.3, 0.4], np.float32)
    assert np.flatnonzero(choose(times, boxes, scores, np.ones(10, int), 2)).tolist() == [1, 5]


def test_a_larger_box_is_chosen_where_the_scores_are_alike():
    boxes = np.array([[0, 0, 10, 10], [0, 0, 30, 30], [0, 0, 20, 20]], np.float32)
    chosen = choose(np.arange(3) / 5, boxes, np.full(3, 0.9, np.float32), np.ones(3, int), 1)
    assert chosen.tolist() == [False, True, False]


def persons(*rows):
    """A table of persons of a part."""
    return pa.table(
        {
            "time": pa.array([row[0] for row in rows], pa.float64()),
            "width": pa.array([640] * len(rows), pa.int32()),
            "height": pa.array([360] * len(rows), pa.int32()),
            "box": pa.array([row[1] for row in rows], pa.list_(pa.float32(), 4)),
            "whole": pa.array([row[1] for row in rows], pa.list_(pa.float32(), 4)),
            "colours": pa.array([np.eye(1, 132, dtype=np.float16)[0]] * len(rows), pa.list_(pa.float16(), 132)),
            "score": pa.array([row[2] for row in rows], pa.float32()),
        }
    ).replace_schema_metadata({"certain_score": "0.5", "rate": "5", "least_colours": "0", "sees_backs": "1"})


def test_tracks_go_on_across_parts_and_end_at_shots():
    rows = walk(0)
    table = track_table([persons(*rows[:3]), persons(*rows[3:])], [Shot(0, 1), Shot(1, 2)])
    assert table["track"].to_pylist() == [1] * 5 + [2] * 5
    assert table["shot"].to_pylist() == [1] * 5 + [2] * 5


def test_what_belongs_to_no_track_is_left_out():
    assert len(track_table([persons(*walk(0, score=0.2))], [Shot(0, 2)])) == 0


def test_tracks_of_one_frame_have_a_moment_in_common():
    """The second is seen with the first, then with the third and fourth; the fifth never with anybody."""
    frames = {0.0: [1], 0.2: [1, 2], 0.4: [2], 0.6: [2, 3, 4], 0.8: [3, 4], 1.0: [5]}
    times, tracks = zip(*((time, track) for time, own in frames.items() for track in own), strict=True)
    assert moments(np.array(times), np.array(tracks)) == {1: [1], 2: [1, 2], 3: [2], 4: [2], 5: [3]}


def test_tracks_that_take_turns_have_no_moment_in_common():
    assert moments(np.array([0.0, 0.2, 0.4]), np.array([1, 2, 1])) == {1: [1], 2: [2]}


def test_of_nobody_there_are_no_moments():
    assert moments(np.empty(0), np.empty(0, int)) == {}
