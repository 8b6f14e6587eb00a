import numpy as np

from castsearch.boxes import suppress


def test_suppression_keeps_the_better_of_two_that_overlap_too_much():
    boxes = np.array([[0, 0, 10, 10], [4, 0, 14, 10]], np.float32)  # 6 of 14 overlap
    scores = np.array([0.8, 0.9], np.float32)
    assert suppress(boxes, scores, 0.42).tolist() == [1]
    assert suppress(boxes, scores, 0.44).tolist() == [1, 0]


def test_a_box_may_include_its_last_pixel():
    boxes = np.array([[0, 0, 9, 9], [4, 0, 13, 9]], np.float32)  # 6 of 14 overlap; without the last pixel, 5 of 13
    scores = np.array([0.8, 0.9], np.float32)
    assert suppress(boxes, scores, 0.42, with_last_pixel=True).tolist() == [1]
    assert suppress(boxes, scores, 0.42).tolist() == [1, 0]


def test_without_boxes_nothing_stays():
    assert suppress(np.zeros((0, 4), np.float32), np.zeros(0, np.float32), 0.4).tolist() == []
