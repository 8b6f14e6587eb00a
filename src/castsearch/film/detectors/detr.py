"""Persons by a DETR-like network in an ONNX file: RT-DETR, D-FINE, RF-DETR, DETR.

Their exports take the whole picture, stretched to the network's square, and need no suppression of doubles. Two forms
of answers are known, and told apart by their shapes, n being the number of boxes that the network always gives:

- `labels` (n), `boxes` (n, 4) as x1, y1, x2, y2 in pixels, and `scores` (n), for a second input with the picture's
  width and height: RT-DETR, D-FINE;
- boxes (n, 4) as centre and size in shares of the picture, and a logit for each class (n, classes): RF-DETR, and what
  Hugging Face's Optimum exports. A class is there or not by itself, except for DETR, whose 92nd class is "nothing".
"""

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import cv2
import numpy as np
import onnxruntime
from numpy.typing import NDArray
from scipy.special import expit, softmax

from castsearch.errors import InputError
from castsearch.faces.engine import Image
from castsearch.film.persons import LOWEST_SCORE, Boxes, PersonDetector, batched
from castsearch.model_files import model_file
from castsearch.onnx.runtime import CUDA, log_session, open_session

_SIDE = 640  # pixels, where the file leaves it open
_BATCH = 8  # pictures on a GPU, where the file leaves it open
_WITH_NOTHING = 92  # COCO's numbers, and one for "nothing"
_REMEDY = "name an ONNX file of RT-DETR, D-FINE, RF-DETR or DETR"


def make(
    file: str | Path,
    person: int = 0,
    mean: Sequence[float] = (0, 0, 0),
    std: Sequence[float] = (1, 1, 1),
    threads: int = 1,
) -> PersonDetector:
    """Make a detector.

    Args:
        file: the ONNX file.
        person: number of the class "person": 0 where COCO's 80 classes are counted from 0, else 1.
        mean: of red, green and blue, from 0 to 1, which is subtracted,
        std: and by which they are divided then.
        threads: that the network may use on the CPU.

    Raises:
        InputError: the file is missing, or its inputs and outputs are of no known form.
    """
    model = model_file(Path(file), _REMEDY)
    session = open_session(model, threads, "a DETR-like detector", _REMEDY)
    picture, *sizes = session.get_inputs()
    if len(picture.shape) != 4 or len(sizes) > 1 or any(len(size.shape) != 2 for size in sizes):
        raise InputError(f"{file}: one picture and perhaps its size were expected as inputs; {_REMEDY}")
    log_session(model, session)
    height, width = (side if isinstance(side, int) else _SIDE for side in picture.shape[2:])
    read = _scored if sizes else _logits
    centre, spread = np.array(mean, np.float32), np.array(std, np.float32)

    # On the CPU several at once are not faster, and their number may change the last digits.
    on_gpu = CUDA in session.get_providers()
    size = picture.shape[0] if isinstance(picture.shape[0], int) else _BATCH if on_gpu else 1

    def network_input(image: Image) -> NDArray[np.float32]:
        resized = cv2.resize(image, (width, height), interpolation=cv2.INTER_LINEAR)
        return np.asarray((resized / np.float32(255) - centre) / spread, np.float32).transpose(2, 0, 1)

    def detect(images: Iterable[Image]) -> Iterator[Boxes]:
        for batch in batched(images, size):
            full = batch + batch[-1:] * (size - len(batch))
            inputs = {picture.name: np.stack([network_input(image) for image in full])}
            if sizes:
                inputs[sizes[0].name] = np.array([image.shape[1::-1] for image in full], _kind(sizes[0]))
            answers = [answer for answer in session.run(None, inputs) if answer.ndim > 1]
            for row, image in enumerate(batch):
                try:
                    boxes, scores = read([answer[row] for answer in answers], person, image)
                except (StopIteration, ValueError, IndexError):
                    shapes = ", ".join(str(answer.shape[1:]) for answer in answers)
                    raise InputError(
                        f"{file}: answers of the shapes {shapes} are of no known form; {_REMEDY}"
                    ) from None
                order = np.argsort(-scores, kind="stable")
                order = order[scores[order] >= LOWEST_SCORE]
                yield Boxes(boxes[order].astype(np.float32), scores[order].astype(np.float32))

    return PersonDetector(detect, 0.5)


def _kind(given: onnxruntime.NodeArg) -> type:
    return np.float32 if given.type == "tensor(float)" else np.int64


def _scored(answers: Sequence[NDArray], person: int, image: Image) -> tuple[NDArray, NDArray]:
    """Boxes in pixels and scores of one class, of answers that are labels, boxes and scores in any order."""
    boxes = next(answer for answer in answers if answer.ndim == 2 and answer.shape[1] == 4)
    labels = next(answer for answer in answers if answer.ndim == 1 and answer.dtype.kind == "i")
    scores = next(answer for answer in answers if answer.ndim == 1 and answer.dtype.kind == "f")
    own = labels == person
    return boxes[own], scores[own]


def _logits(answers: Sequence[NDArray], person: int, image: Image) -> tuple[NDArray, NDArray]:
    """The same, of answers that are boxes in shares of the picture and logits."""
    boxes = next(answer for answer in answers if answer.ndim == 2 and answer.shape[1] == 4)
    logits = next(answer for answer in answers if answer.ndim == 2 and answer.shape[1] > 4)
    centre, size = boxes[:, :2], boxes[:, 2:]
    corners = np.concatenate([centre - size / 2, centre + size / 2], axis=1) * np.tile(image.shape[1::-1], 2)
    shares = softmax(logits, axis=1) if logits.shape[1] == _WITH_NOTHING else expit(logits)
    return corners, shares[:, person]
