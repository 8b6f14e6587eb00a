"""What colours a person wears, as a few numbers: `describe` tells people of one shot apart, `clothes` those of several.

For `describe`, the middle of a box is divided into three parts, one above the other: about head, upper body and legs.
Each part has a histogram of its lightness and one of its hue and saturation, in CIELAB. Square roots are taken, so that
a scalar product is a Bhattacharyya coefficient: 1 for the same colours, 0 for colours that have nothing in common.

`clothes` has one histogram, of all three axes, with finer steps of hue, since other clothes of a similar hue must not
pass. It is of what is below the head, undivided, since a person may be nearer in one shot than in the other.
"""

import cv2
import numpy as np
from numpy.typing import NDArray

LENGTH = 132
_MARGIN = 0.2  # of the width, on either side, where a box has more of the background
_PARTS = 3
_SIDE = 16  # pixels to which a part is scaled
_LIGHTNESS = 8  # bins
_HUE = 6  # bins for each of the two axes
_FIRST, _WIDTH = 80, 16  # of the bins of hue, in OpenCV's numbers of 0 to 255, in which grey is 128

# Chosen on the generated films of the seeds 1 and 2.
_CLOTHES_LIGHTNESS = 4  # bins; few, since the light differs from shot to shot
_CLOTHES_HUE = 12  # bins for each of the two axes, from 64 to 192
CLOTHES_LENGTH = _CLOTHES_LIGHTNESS * _CLOTHES_HUE**2
_PERSON = 64, 128  # pixels to which a box is scaled, width and height
_WORN = slice(38, 121), slice(16, 48)  # of these, rows and columns below the head


def describe(image: NDArray[np.uint8], boxes: NDArray[np.float32]) -> NDArray[np.float16]:
    """Describe the colours of persons.

    Args:
        image: (height, width, 3) in RGB.
        boxes: (n, 4) x1, y1, x2, y2 within the image, of at least a pixel each.

    Returns:
        (n, LENGTH), each of length 1.
    """
    described = np.zeros((len(boxes), LENGTH), np.float16)
    for row, (left, top, right, bottom) in enumerate(boxes.astype(float)):
        margin = _MARGIN * (right - left)
        columns = _pixels(left + margin, right - margin)
        edges = np.linspace(top, bottom, _PARTS + 1)
        parts = [image[_pixels(*edges[part : part + 2]), columns] for part in range(_PARTS)]
        described[row] = np.sqrt(np.concatenate([_histograms(part) for part in parts]) / (2 * _PARTS))
    return described


def clothes(person: NDArray[np.uint8]) -> NDArray[np.float16]:
    """Describe the colours of a person's clothes.

    Args:
        person: (height, width, 3) in RGB, cut out of its frame.

    Returns:
        (CLOTHES_LENGTH,), of length 1: square roots of the shares of each colour, in CIELAB.
    """
    small = cv2.resize(person, _PERSON, interpolation=cv2.INTER_AREA)[_WORN]
    lab = cv2.cvtColor(small, cv2.COLOR_RGB2LAB).reshape(-1, 3).astype(int)
    lightness = lab[:, 0] * _CLOTHES_LIGHTNESS // 256
    first, second = ((lab[:, 1:] - 64) * _CLOTHES_HUE // 128).clip(0, _CLOTHES_HUE - 1).T
    counts = np.bincount((lightness * _CLOTHES_HUE + first) * _CLOTHES_HUE + second, minlength=CLOTHES_LENGTH)
    return np.sqrt(counts / len(lab)).astype(np.float16)


def _pixels(start: float, end: float) -> slice:
    return slice(int(start), max(int(end), int(start) + 1))


def _histograms(part: NDArray[np.uint8]) -> NDArray[np.float64]:
    """Shares of the lightnesses, then of the hues; each sums up to 1."""
    small = cv2.resize(part, (_SIDE, _SIDE), interpolation=cv2.INTER_AREA)
    lab = cv2.cvtColor(small, cv2.COLOR_RGB2LAB).reshape(-1, 3).astype(int)
    lightness = lab[:, 0] * _LIGHTNESS // 256
    first, second = ((lab[:, 1:] - _FIRST) // _WIDTH).clip(0, _HUE - 1).T
    counts = np.bincount(lightness, minlength=_LIGHTNESS), np.bincount(first * _HUE + second, minlength=_HUE**2)
    return np.concatenate(counts) / _SIDE**2
