"""RetinaFace (Deng et al., CVPR 2020) in its first, anchor-based form: from image pyramid to faces.

The network's outputs are, for each stride of 32, 16 and 8, probabilities (batch, 4, h, w), box deltas (batch, 8, h, w)
and landmark deltas (batch, 20, h, w) of two anchors a cell. Boxes include their last pixel, as was usual then: a box is
x2 - x1 + 1 wide.
"""

from collections.abc import Callable, Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from castsearch.boxes import suppress
from castsearch.faces.engine import Faces, Image
from castsearch.onnx import Network

REFERENCE_PYRAMID = (500, 800, 1100, 1400, 1700)
_SUPPRESSION = 0.4  # of the intersection over union

_STRIDES = (32, 16, 8)
_ANCHOR_SIZES = {32: (512, 256), 16: (128, 64), 8: (32, 16)}
_FIRST_CENTRE = 7.5  # of the 16-pixel base anchor in the image's corner
_LONG_SIDE = 1200 / 800  # the short side may not take the long one beyond this share of it
_MIRRORED_LANDMARKS = [1, 0, 2, 4, 3]
OUTPUT_CHANNELS = (4, 8, 20) * len(_STRIDES)


def pyramid_scales(height: int, width: int, sides: Sequence[float] = REFERENCE_PYRAMID) -> list[float]:
    """Scale an image so that its short side is each of `sides`, and its long side at most 1.5 times as much.

    Args:
        height: of the image, in pixels.
        width: of the image, in pixels.
        sides: the sizes of the short side, in pixels.
    """
    return [side * min(1 / min(height, width), _LONG_SIDE / max(height, width)) for side in sides]


def detect(
    network: Network,
    image: Image,
    scales: Sequence[float],
    threshold: float,
    *,
    mirror: bool = False,
    enough: Callable[[Faces], bool] | None = None,
) -> Faces:
    """Find faces at several scales, with one non-maximum suppression over all of them.

    Args:
        network: from (1, 3, height, width) RGB in 0 to 255 to the nine outputs.
        image: RGB.
        scales: of the image pyramid.
        threshold: the least score.
        mirror: look at the mirror image of every scale as well.
        enough: whether the faces of the scales so far make the next ones needless.

    Returns:
        The faces, best first; of equally good ones that of the first scale. Landmarks may lie outside the image.
    """
    found = []
    for scale in scales:
        for mirrored in (False, True) if mirror else (False,):
            found.append(_detect_once(network, image, scale, threshold, mirrored))
        if enough is not None and enough(_merge(found)):
            break
    return _merge(found)


def _merge(found: Sequence[tuple[NDArray, NDArray, NDArray]]) -> Faces:
    boxes, scores, landmarks = (np.concatenate(parts).astype(np.float32) for parts in zip(*found, strict=True))
    keep = suppress(boxes, scores, _SUPPRESSION, with_last_pixel=True)
    return Faces(boxes[keep], scores[keep], landmarks[keep])


def _detect_once(
    network: Network, image: Image, scale: float, threshold: float, mirrored: bool
) -> tuple[NDArray, NDArray, NDArray]:
    if 0 in [round(side * scale) for side in image.shape[:2]]:  # nothing is left of a sliver
        return np.zeros((0, 4)), np.zeros(0), np.zeros((0, 5, 2))
    # Not by the new size, which is rounded: the network's positions are divided by the very scale.
    scaled = image if scale == 1 else cv2.resize(image, None, fx=scale, fy=scale, interpolation=cv2.INTER_LINEAR)
    height, width = scaled.shape[:2]
    if mirrored:
        scaled = scaled[:, ::-1]
    outputs = network(np.ascontiguousarray(scaled.transpose(2, 0, 1)[None], np.float32))
    boxes, scores, landmarks = decode([output[0] for output in outputs], threshold)
    boxes = boxes.clip(0, [width - 1, height - 1] * 2)
    if mirrored:
        boxes[:, [0, 2]] = width - 1 - boxes[:, [2, 0]]
        landmarks = landmarks[:, _MIRRORED_LANDMARKS]
        landmarks[:, :, 0] = width - 1 - landmarks[:, :, 0]
    return boxes / scale, scores, landmarks / scale


def decode(outputs: Sequence[NDArray[np.float32]], threshold: float) -> tuple[NDArray, NDArray, NDArray]:
    """Turn the network's outputs for one image into boxes.

    Args:
        outputs: nine arrays (channels, h, w): probabilities, box deltas and landmark deltas per stride.
        threshold: the least score.

    Returns:
        (n, 4) boxes, (n,) scores and (n, 5, 2) landmarks in pixels of the network's input, by stride, row, column and
        anchor.

    Raises:
        FloatingPointError: a probability is no number.
    """
    strides = zip(_STRIDES, outputs[0::3], outputs[1::3], outputs[2::3], strict=True)
    boxes, scores, landmarks = zip(*(_decode_stride(*outputs, threshold) for outputs in strides), strict=True)
    return np.concatenate(boxes), np.concatenate(scores), np.concatenate(landmarks)


def _decode_stride(
    stride: int, probabilities: NDArray, box_deltas: NDArray, landmark_deltas: NDArray, threshold: float
) -> tuple[NDArray, NDArray, NDArray]:
    sizes = np.array(_ANCHOR_SIZES[stride])
    scores = probabilities[len(sizes) :].transpose(1, 2, 0)  # first come the probabilities of no face
    if np.isnan(scores).any():  # which no threshold would let pass
        raise FloatingPointError("the detector's scores are not finite")
    row, column, anchor = np.nonzero(scores >= threshold)
    centre = _FIRST_CENTRE + stride * np.stack([column, row], axis=1)
    size = sizes[anchor, None]

    deltas = box_deltas.reshape(len(sizes), 2, 2, *box_deltas.shape[1:])[anchor, :, :, row, column]
    half = (np.exp(deltas[:, 1]) * size - 1) / 2
    middle = deltas[:, 0] * size + centre
    points = landmark_deltas.reshape(len(sizes), 5, 2, *landmark_deltas.shape[1:])[anchor, :, :, row, column]
    return (
        np.concatenate([middle - half, middle + half], axis=1),
        scores[row, column, anchor],
        points * size[:, None] + centre[:, None],
    )
