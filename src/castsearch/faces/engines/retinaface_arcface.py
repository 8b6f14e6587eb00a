"""Engine `retinaface_arcface`: the reference system's pair, RetinaFace-R50 and LResNet100E-IR, imported from MXNet."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cached_property, partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from castsearch.faces import alignment
from castsearch.faces.engine import Face, Faces, Image
from castsearch.faces.engine_files import EngineFiles
from castsearch.faces.mxnet.network_files import NETWORK, find_network
from castsearch.faces.networks import arcface, retinaface
from castsearch.faces.selection import Selection, select_candidate_face
from castsearch.float_precision import FloatPrecision
from castsearch.model_files import ModelFile, model_file
from castsearch.onnx import Network
from castsearch.threads import read_ahead

LICENCE = "InsightFace's checkpoints: non-commercial research only; others: as their publisher says"
THREADS = 8
THRESHOLDS = (0.5, 0.4, 0.3, 0.25)  # the reference system's
OPTIONS = {
    "detector": NETWORK
    | {
        "default": {"prefix": "models/R50", "epoch": 0},
        "description": "an ONNX file, or prefix and epoch of an MXNet checkpoint",
    },
    "recogniser": NETWORK
    | {
        "default": {"prefix": "models/model", "epoch": 0},
        "description": "an ONNX file, or prefix and epoch of an MXNet checkpoint",
    },
    "pyramid": {
        "type": "array",
        "minItems": 1,
        "items": {"type": "integer", "minimum": 32},
        "default": [500, 800, 1100],
        "description": "pixels that the short side of a crop is scaled to, one detection each",
    },
    "adaptive": {
        "type": "boolean",
        "default": True,
        "description": "whether larger sizes are left out once a face is found that is taken for the person's own",
    },
    "precision": {
        "enum": ["float32", "bfloat16"],
        "default": "float32",
        "description": '"bfloat16" is faster on GPUs and on processors that have it, and far slower on others',
    },
}

_PARTS = ("detector", "recogniser")
_FLOOR = 0.5  # far enough below the selection's 0.8, which suppression with fewer faces would not change
_REMEDY = "import it from its MXNet checkpoint with the rule import_mxnet"


def plan(options: Mapping, folder: str) -> EngineFiles:
    """Find both networks, imported from MXNet or not; see `castsearch.faces.engines.EngineModule`."""
    files: dict[str, str] = {}
    checkpoints: dict[str, tuple[str, str]] = {}
    for part in _PARTS:
        files[part], imported = find_network(part, options[part], folder)
        checkpoints |= imported
    others = {key: value for key, value in options.items() if key not in _PARTS}
    return EngineFiles(
        detection=others | {"detector": files["detector"]},
        embedding=others | files,
        detection_files=(files["detector"],),
        embedding_files=tuple(files.values()),
        checkpoints=checkpoints,
    )


def make(options: Mapping, threads: int = 1) -> "RetinaFaceArcFaceEngine":
    """Make the engine; see `castsearch.faces.engines.EngineModule`."""
    return RetinaFaceArcFaceEngine(**options, threads=threads)


class RetinaFaceArcFaceEngine:
    """The `retinaface_arcface` engine; see `castsearch.faces.engine.Engine`.

    Args:
        detector: ONNX file of a RetinaFace network with strides 32, 16 and 8.
        recogniser: ONNX file of an ArcFace network, with a feature of any length; None where nothing is embedded.
        pyramid: sizes in pixels that the short side of an image is scaled to.
        adaptive: leave out the further scales once a face is found that the default selection takes for the person's
            own, in portraits and candidates alike. Smaller faces, mostly of other people, are then missed, and the box
            that stays is not the best of all scales.
        precision: of the networks' arithmetic, "float32" or "bfloat16".
        threads: that the networks may use on the CPU.

    Raises:
        InputError: a model file is missing, or, at first use, of another kind.
    """

    name = "retinaface_arcface"
    selection = Selection()

    def __init__(
        self,
        detector: str | Path,
        recogniser: str | Path | None = None,
        pyramid: Sequence[float] = retinaface.REFERENCE_PYRAMID,
        adaptive: bool = False,
        precision: FloatPrecision = "float32",
        *,
        threads: int = 1,
    ):
        self.models: tuple[ModelFile, ...] = tuple(
            model_file(Path(path), _REMEDY) for path in (detector, recogniser) if path is not None
        )
        self._pyramid = sorted(pyramid) if adaptive else pyramid
        self._adaptive = adaptive
        from castsearch.onnx.network import open_network  # the workflow plans without ONNX Runtime

        self._open = partial(open_network, threads=threads, remedy=_REMEDY, precision=precision)

    def detect(self, images: Iterable[Image]) -> Iterator[Faces]:
        """Find the faces of each image; the landmarks are eyes, nose and corners of the mouth."""
        for image in read_ahead(images):
            height, width = image.shape[:2]
            scales = retinaface.pyramid_scales(height, width, self._pyramid)
            enough = partial(_is_selected, width, height) if self._adaptive else None
            yield retinaface.detect(self._detection_network, image, scales, _FLOOR, enough=enough)

    def embed(self, samples: Iterable[tuple[Image, Face | None]]) -> Iterator[NDArray[np.float32]]:
        """Describe each face by its ArcFace feature."""
        network = self._recognition_network
        yield from arcface.embed(lambda chips: network(arcface.network_input(chips))[0], read_ahead(samples))

    @cached_property
    def dimension(self) -> int:
        """Length of a feature."""
        chips = np.zeros((1, alignment.ARCFACE_SIZE, alignment.ARCFACE_SIZE, 3), np.uint8)
        return self._recognition_network(arcface.network_input(chips))[0].shape[1]

    @cached_property
    def _detection_network(self) -> Network:
        return self._open(
            self.models[0], expected="a RetinaFace network", channels=retinaface.OUTPUT_CHANNELS, large_maps=True
        )

    @cached_property
    def _recognition_network(self) -> Network:
        size = (alignment.ARCFACE_SIZE, alignment.ARCFACE_SIZE)
        return self._open(self.models[1], expected="an ArcFace network", channels=[None], size=size)


def _is_selected(width: int, height: int, faces: Faces) -> bool:
    # A portrait's face must score more, a candidate's be large and in the middle: what is all that, both take.
    both = Selection(candidate_score=Selection.cast_score)
    return select_candidate_face(width, height, faces.boxes, faces.scores, both) is not None
