import json

import pytest

from castsearch.faces.selection import Selection, select_candidate_face, select_cast_face, select_tracked_face


@pytest.fixture(scope="module")
def persons(golden):
    return json.loads((golden / "select.json").read_text())


def arguments(person):
    return [person[name] for name in ("width", "height", "boxes", "scores")]


def expected(index):
    return None if index == -1 else index


def test_cast_face_equals_the_reference(persons):
    assert [select_cast_face(*arguments(p)) for p in persons] == [expected(p["cast"]) for p in persons]


def test_candidate_face_equals_the_reference(persons):
    assert [select_candidate_face(*arguments(p)) for p in persons] == [expected(p["candidate"]) for p in persons]


def test_prominence_alone_decides_without_thresholds(persons):
    anything = Selection(candidate_score=-1, area_fraction=0, centre_band=(float("-inf"), float("inf")))
    assert [select_candidate_face(*arguments(p), anything) for p in persons] == [p["plain"] for p in persons]


def test_nothing_is_selected_from_nothing():
    assert select_cast_face(100, 300, [], []) is None
    assert select_candidate_face(100, 300, [], []) is None
    assert select_tracked_face(100, 300, [], []) is None


def test_lone_face_of_a_portrait_is_taken_whatever_its_score():
    assert select_cast_face(100, 100, [[0, 0, 10, 10]], [0.1]) == 0


def test_several_weak_faces_of_a_portrait_are_none():
    assert select_cast_face(100, 100, [[0, 0, 10, 10], [40, 20, 60, 40]], [0.94, 0.95]) is None


def test_face_exactly_where_a_head_is_expected_wins():
    boxes = [[0, 0, 50, 50], [40, 20, 60, 40]]  # the second one's centre is (50, 30)
    assert select_candidate_face(100, 90, boxes, [0.99, 0.99]) == 1


@pytest.mark.parametrize(
    ("box", "score"),
    [
        ([50, 40, 70, 60], 0.9),  # not above the score
        ([54, 40, 66, 60], 0.99),  # exactly 1/50 of the crop
        ([10, 40, 30, 60], 0.99),  # its centre exactly at a sixth of the width
        ([90, 40, 110, 60], 0.99),
    ],
)
def test_thresholds_of_a_candidate_are_strict(box, score):
    assert select_candidate_face(120, 100, [box], [score]) is None
    x1, y1, x2, y2 = box
    inwards = 1 if x1 < 60 else -1
    assert select_candidate_face(120, 100, [[x1 + inwards, y1 - 1, x2 + inwards, y2 + 1]], [score + 0.01]) == 0
