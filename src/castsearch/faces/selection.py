"""Which of the detected faces is the person's own: the rules of the reference system, and who has a shared face."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray


@dataclass(frozen=True)
class Selection:
    """Thresholds of face selection, in the units of a detector's score.

    The defaults are the reference system's, for a detector whose score is a probability; an engine with another score
    scale brings its own.

    Attributes:
        min_score: what scores less was not detected at all.
        cast_score: a portrait's face must score more, unless it is the only one.
        candidate_score: a candidate's face must score more.
        area_fraction: a candidate's face must cover more than this share of the crop.
        centre_band: a candidate's face must have its centre strictly between these shares of the crop's width.
    """

    min_score: float = 0.8
    cast_score: float = 0.95
    candidate_score: float = 0.9
    area_fraction: float = 1 / 50
    centre_band: tuple[float, float] = (1 / 6, 5 / 6)


REFERENCE = Selection()

_HAIR = 0.3  # height of forehead and hair above a detected face, as a share of the face's …
_HAIR_VARIES = 0.2  # … give or take this much


def select_cast_face(
    width: int, height: int, boxes: ArrayLike, scores: ArrayLike, selection: Selection = REFERENCE
) -> int | None:
    """Pick the face of a portrait.

    Args:
        width: of the portrait, in pixels.
        height: of the portrait, in pixels.
        boxes: (n, 4) x1, y1, x2, y2 in pixels.
        scores: (n,) detection scores.
        selection: thresholds; a lone face is taken whatever its score.

    Returns:
        The index of the face, or None.
    """
    boxes, scores = _as_arrays(boxes, scores)
    eligible = np.ones(1, bool) if len(scores) == 1 else scores > selection.cast_score
    return _most_prominent(width, height, boxes, eligible)


def select_candidate_face(
    width: int, height: int, boxes: ArrayLike, scores: ArrayLike, selection: Selection = REFERENCE
) -> int | None:
    """Pick the face that belongs to the person whose body fills the crop.

    Args:
        width: of the crop, in pixels.
        height: of the crop, in pixels.
        boxes: (n, 4) x1, y1, x2, y2 in pixels.
        scores: (n,) detection scores.
        selection: thresholds.

    Returns:
        The index of the face, or None.
    """
    boxes, scores = _as_arrays(boxes, scores)
    return _most_prominent(width, height, boxes, _eligible(width, height, boxes, scores, selection))


def select_tracked_face(
    width: int, height: int, boxes: ArrayLike, scores: ArrayLike, selection: Selection = REFERENCE
) -> int | None:
    """Pick the face of a person who was followed through a film: the one that is nearest to where the head is.

    The faces of others who stand before the person are larger, and their own boxes need not be cut out of this frame.
    The arguments are those of `select_candidate_face`.
    """
    boxes, scores = _as_arrays(boxes, scores)
    eligible = np.flatnonzero(_eligible(width, height, boxes, scores, selection))
    return min(eligible.tolist(), key=lambda face: head_distance(width, height, boxes[face]), default=None)


def head_distance(width: int, height: int, box: ArrayLike) -> float:
    """How far a face is from where the head of a person is, whose body fills the crop: in the middle, at the top.

    Args:
        width: of the crop, in pixels.
        height: of the crop, in pixels.
        box: x1, y1, x2, y2 of the face in pixels.

    Returns:
        The distance from the middle, as a share of the width, and how far the gap above the face is from heights of
        hair, as a share of the face's height: crops show heads alone or whole people, so that a share of the crop's
        height would tell little.
    """
    left, top, right, bottom = np.asarray(box, float)
    gap = abs(top / max(bottom - top, 1e-6) - _HAIR)
    return float(abs((left + right) / 2 / width - 0.5) + max(gap - _HAIR_VARIES, 0))


def _as_arrays(boxes: ArrayLike, scores: ArrayLike) -> tuple[NDArray, NDArray]:
    return np.asarray(boxes, float).reshape(-1, 4), np.asarray(scores, float)


def _eligible(width: int, height: int, boxes: NDArray, scores: NDArray, selection: Selection) -> NDArray[np.bool_]:
    """Which faces may be that of the person whose body fills the crop; see `select_candidate_face`."""
    centre = (boxes[:, 0] + boxes[:, 2]) / 2
    left, right = selection.centre_band
    return (
        (scores > selection.candidate_score)
        & (_areas(boxes) > width * height * selection.area_fraction)
        & (centre > width * left)
        & (centre < width * right)
    )


def _areas(boxes: NDArray) -> NDArray:
    return (boxes[:, 2] - boxes[:, 0]) * (boxes[:, 3] - boxes[:, 1])


def _most_prominent(width: int, height: int, boxes: NDArray, eligible: NDArray) -> int | None:
    """The eligible face with the largest area / distance to the point where a person's head is expected."""
    if not eligible.any():
        return None
    centres = (boxes[:, :2] + boxes[:, 2:]) / 2
    distances = np.hypot(centres[:, 0] - width / 2, centres[:, 1] - height / 3)
    with np.errstate(divide="ignore", invalid="ignore"):  # a face exactly there wins with infinity
        prominence = _areas(boxes) / distances
    return int(np.argmax(np.where(eligible, prominence, -1)))
