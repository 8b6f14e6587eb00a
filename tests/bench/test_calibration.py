import calibration
import numpy as np
import pytest


def test_certain_names_have_no_error_by_chance():
    assert calibration.chance(np.ones(20), np.arange(20)) == (0, 0)


def test_few_names_err_more_by_chance_than_many():
    few, many = (calibration.chance(np.full(n, 0.75), np.arange(n)) for n in (10, 1000))
    assert few[1] > few[0] > 0.05 > many[1] > many[0] > 0


def test_searches_of_the_same_boxes_err_together():
    confidence, boxes = np.linspace(0.5, 1, 30), np.arange(30)
    once, again = calibration.chance(confidence, boxes), calibration.chance(np.tile(confidence, 3), np.tile(boxes, 3))
    assert again == pytest.approx(once)


def test_of_nothing_there_is_no_error():
    assert calibration.chance(np.empty(0), np.empty(0, int)) == (0, 0)
