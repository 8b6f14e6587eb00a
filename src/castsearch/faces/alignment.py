"""Face chips: what a recognition network sees of a face."""

from collections.abc import Iterable

import cv2
import numpy as np
from numpy.typing import ArrayLike, NDArray

ARCFACE_SIZE = 112
# Eye centres, nose tip and mouth corners in the 112x112 chip (Deng et al., "ArcFace", CVPR 2019).
ARCFACE_TEMPLATE = np.array(
    [(38.2946, 51.6963), (73.5318, 51.5014), (56.0252, 71.7366), (41.5493, 92.3655), (70.7299, 92.2041)]
)
BOX_MARGIN = 22  # pixels added on each side of a face box that has no landmarks
CENTRE_CUT = 1 / 16  # share of a faceless image that is cut on each side


def align(image: NDArray[np.uint8], landmarks: ArrayLike, size: int = ARCFACE_SIZE) -> NDArray[np.uint8]:
    """Warp a face to the ArcFace template.

    The similarity transform is the one of least squares (Umeyama, 1991).

    Args:
        image: (height, width, 3), in any channel order, which the chip keeps.
        landmarks: (5, 2) x, y of left eye, right eye, nose tip, left and right mouth corner, as seen in the image.
        size: side of the chip in pixels: a multiple of 112, or of 128, where the template stands 8 of 128 pixels
            further right.

    Returns:
        (size, size, 3) uint8; black where the chip reaches beyond the image.

    Raises:
        ValueError: the landmarks coincide or nearly so, so that no transform is defined.
    """
    from skimage.transform import SimilarityTransform  # noqa: PLC0415 (the workflow plans without scikit-image)

    template = ARCFACE_TEMPLATE * size / 112 if size % 112 == 0 else np.add(ARCFACE_TEMPLATE, (8, 0)) * size / 128
    transform = SimilarityTransform.from_estimate(np.asarray(landmarks, float), template)
    if not transform:
        raise ValueError("the landmarks coincide, so that no similarity transform is defined")
    return np.asarray(cv2.warpAffine(image, transform.params[:2], (size, size)), np.uint8)


def box_chip(image: NDArray[np.uint8], box: Iterable[float], size: int = ARCFACE_SIZE) -> NDArray[np.uint8]:
    """Cut a face that has a box but no landmarks: the box widened by 22 pixels on each side, resized to a square.

    Args:
        image: (height, width, 3).
        box: x1, y1, x2, y2 in pixels.
        size: side of the chip in pixels.

    Returns:
        (size, size, 3) uint8.
    """
    height, width = image.shape[:2]
    x1, y1, x2, y2 = box
    left, top = int(max(x1 - BOX_MARGIN, 0)), int(max(y1 - BOX_MARGIN, 0))
    right, bottom = int(min(x2 + BOX_MARGIN, width)), int(min(y2 + BOX_MARGIN, height))
    return np.asarray(cv2.resize(image[top:bottom, left:right], (size, size)), np.uint8)


def centre_chip(image: NDArray[np.uint8], size: int = ARCFACE_SIZE) -> NDArray[np.uint8]:
    """Cut the middle of an image without a face, where a portrait has it.

    Args:
        image: (height, width, 3).
        size: side of the chip in pixels.

    Returns:
        (size, size, 3) uint8.
    """
    height, width = image.shape[:2]
    left, top = int(width * CENTRE_CUT), int(height * CENTRE_CUT)
    return box_chip(image, (left, top, width - left, height - top), size)
