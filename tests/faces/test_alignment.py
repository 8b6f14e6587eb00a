import cv2
import numpy as np
import pytest

from castsearch.faces.alignment import align, box_chip, centre_chip


@pytest.fixture(scope="module")
def photo(golden):
    return cv2.imread(str(golden / "photo.png"))  # BGR, as the reference chips


@pytest.fixture(scope="module")
def reference(golden):
    return np.load(golden / "align.npz")


def assert_within_one_grey_level(chip, expected):
    assert chip.shape == (112, 112, 3)
    assert np.abs(chip.astype(int) - expected).max() <= 1


@pytest.mark.parametrize("case", range(4))
def test_aligned_chip_equals_the_reference(photo, reference, case):
    chip = align(photo, reference[f"case{case}_landmarks"])
    assert_within_one_grey_level(chip, reference[f"case{case}_aligned"])


@pytest.mark.parametrize("case", range(4))
def test_box_chip_equals_the_reference(photo, reference, case):
    chip = box_chip(photo, reference[f"case{case}_box"])
    assert_within_one_grey_level(chip, reference[f"case{case}_box_only"])


def test_centre_chip_equals_the_reference(photo, reference):
    assert_within_one_grey_level(centre_chip(photo), reference["center"])


def test_coinciding_landmarks_are_refused(photo):
    with pytest.raises(ValueError, match="coincide"):
        align(photo, np.ones((5, 2)))


def test_centre_of_a_tiny_image_can_be_cut():
    assert centre_chip(np.zeros((1, 2, 3), np.uint8)).shape == (112, 112, 3)
