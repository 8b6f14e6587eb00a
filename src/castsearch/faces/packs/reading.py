"""Packs of face networks: which file of a folder is the detector and which the recogniser.

The rules of the Python package insightface say what a network is by its inputs and outputs. People's folders hold more
than a pack: what is not needed, or cannot be read, is left alone with a line in the log.
"""

import logging
from pathlib import Path
from typing import NamedTuple

import onnx
from google.protobuf.message import DecodeError
from insightface.model_zoo import has_model_package_manifest, load_model_package

from castsearch.errors import InputError
from castsearch.faces.packs import is_hidden
from castsearch.model_files import ModelFile, model_file

DETECTION, RECOGNITION = "detection", "recognition"
REMEDY = "unpack an insightface pack there, such as buffalo_l.zip, or name another folder; see docs/face-models.md"

_UNREADABLE = "no ONNX network: truncated, or of another kind"

logger = logging.getLogger(__name__)


class Pack(NamedTuple):
    """A folder of face networks.

    Attributes:
        folder: where they are.
        detector: finds faces.
        recogniser: describes them; None where there is none.
        unreadable: names of files that are no networks, though their names say so.
    """

    folder: Path
    detector: ModelFile
    recogniser: ModelFile | None
    unreadable: list[str]


def read_pack(folder: Path) -> Pack:
    """Find the detector and the recogniser in a folder.

    Raises:
        InputError: there is no such folder, or no detector in it, or it is not clear which file is what.
    """
    if not folder.is_dir():
        raise InputError(f"{folder}: the folder of face models is missing; {REMEDY}")
    networks, ignored = _described(folder) if has_model_package_manifest(folder) else _found(folder)
    for name, reason in ignored.items():
        logger.info("%s: ignored: %s", folder / name, reason)
    unreadable = [name for name, reason in ignored.items() if reason == _UNREADABLE]
    if DETECTION not in networks:
        raise InputError(missing_network("detector", folder, unreadable))
    for task, model in networks.items():
        logger.info("%s: taken for %s", model.path, task)
    return Pack(folder, networks[DETECTION], networks.get(RECOGNITION), unreadable)


def missing_network(kind: str, folder: Path, unreadable: list[str]) -> str:
    """Say that a folder has no such network, and which of its files could not be read."""
    others = "".join(f"; {name} is {_UNREADABLE}" for name in unreadable)
    return f"{folder}: this folder holds no face {kind}{others}; {REMEDY}"


def _described(folder: Path) -> tuple[dict[str, ModelFile], dict[str, str]]:
    """The detector and the recogniser that a pack's manifest names; what else is there does not matter."""
    try:
        tasks = load_model_package(folder).tasks
    except (ValueError, TypeError) as error:
        raise InputError(f"{folder}: {error}; {REMEDY}") from None
    files = {task: model_file(description.path, REMEDY, description.sha256) for task, description in tasks.items()}
    return files, {}


def _found(folder: Path) -> tuple[dict[str, ModelFile], dict[str, str]]:
    """The detector and the recogniser of a folder by their form, and why each other file is left alone."""
    candidates: dict[str, list[Path]] = {DETECTION: [], RECOGNITION: []}
    ignored: dict[str, str] = {}
    for path in sorted(path for path in folder.rglob("*.onnx") if path.is_file()):
        name = path.relative_to(folder)
        if is_hidden(path, folder):
            ignored[str(name)] = "a hidden file, such as programs keep beside others"
            continue
        try:
            graph = onnx.load(path, load_external_data=False).graph
        except DecodeError:
            ignored[str(name)] = _UNREADABLE
            continue
        task = _task(graph)
        if task is None:
            ignored[str(name)] = "neither detects nor recognises faces, by its inputs and outputs"
        else:
            candidates[task].append(path)
    networks: dict[str, ModelFile] = {}
    for task, paths in candidates.items():
        likely = [path for path in paths if task == RECOGNITION or _has_landmarks(path)] if len(paths) > 1 else paths
        if len(likely) > 1 or (paths and not likely):
            names = " and ".join(path.name for path in paths)
            raise InputError(f"{folder}: {names} both do {task}; leave one there")
        ignored |= {str(path.relative_to(folder)): "no SCRFD with landmarks" for path in paths if path not in likely}
        for path in likely:
            networks[task] = model_file(path, REMEDY)
    return networks, ignored


def _task(graph: onnx.GraphProto) -> str | None:
    """What a network does, by the package's own rules, which go by the form of input and output.

    The package would take any network for square images for a recogniser, one that paints faces too; one that describes
    them gives (batch, length).
    """
    if len(graph.output) >= 5:
        return DETECTION
    weights = {weight.name for weight in graph.initializer}
    inputs = [_lengths(value) for value in graph.input if value.name not in weights]
    outputs = [_lengths(value) for value in graph.output]
    if [len(lengths) for lengths in inputs] != [4] or [len(lengths) for lengths in outputs] not in ([2], [0]):
        return None
    _, _, height, width = inputs[0]
    # 192 pixels are the landmark networks'.
    if height == width and height >= 112 and height % 16 == 0 and height != 192:
        return RECOGNITION
    return None


def _has_landmarks(path: Path) -> bool:
    """Whether a network has the outputs of an SCRFD with landmarks: three for each of three or five strides."""
    outputs = [_lengths(value) for value in onnx.load(path, load_external_data=False).graph.output]
    return len(outputs) in (9, 15) and all(len(lengths) in (2, 3) for lengths in outputs)


def _lengths(value: onnx.ValueInfoProto) -> list[int]:
    """The lengths of a tensor, 0 where one is not fixed; empty where its shape is not known."""
    return [dimension.dim_value for dimension in value.type.tensor_type.shape.dim]
