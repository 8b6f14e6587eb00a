import numpy as np
import pytest

from castsearch.search.track_candidates import average


def test_features_are_averaged_by_weight_once_they_are_normalised():
    features = np.array([[3, 0], [0, 1], [0, 5]], np.float32)
    assert average(features, np.array([1, 3, 0]), np.array([0, 0, 0])) == pytest.approx(np.array([[0.25, 0.75]]))


def test_a_feature_that_is_alone_stays_as_it_is():
    features = np.array([[3, 4], [0, 1], [1, 0]], np.float32)
    assert average(features, np.ones(3), np.array([1, 0, 0])).tolist() == [[0.5, 0.5], [3, 4]]


def test_without_any_weight_all_count_alike():
    assert average(np.eye(2, dtype=np.float32), np.zeros(2), np.zeros(2, int)).tolist() == [[0.5, 0.5]]


def test_no_features_have_no_average():
    assert average(np.empty((0, 4), np.float32), np.empty(0), np.empty(0, int)).shape == (0, 4)
