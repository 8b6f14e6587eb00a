"""The files of weights that a face engine is made of."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from castsearch.errors import InputError
from castsearch.misnamed import nearly

PATH = {
    "type": "string",
    "pattern": r"^[^{}\x00-\x1f\x7f]+$(?!\n)",
    "description": "a path without braces and control characters",
}
"""A path as a JSON schema: Snakemake takes braces for wildcards."""


@dataclass(frozen=True)
class EngineFiles:
    """What a workflow needs to know of a face engine before it runs.

    Attributes:
        detection: options for `make` where the engine only detects, so that another recogniser does not detect anew.
        embedding: options for `make` where it embeds, or does both.
        detection_files: model files, or folders of them, that detection depends on.
        embedding_files: model files, or folders of them, that such an engine depends on.
        checkpoints: for each file that is imported from MXNet, its symbol and its params file.
        gpus: how many GPUs the engine can use.
    """

    detection: Mapping[str, object]
    embedding: Mapping[str, object]
    detection_files: tuple[str, ...] = ()
    embedding_files: tuple[str, ...] = ()
    checkpoints: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    gpus: int = 1


def existing_file(option: str, path: str, remedy: str) -> str:
    """Return `path` if it is a file.

    Args:
        option: that names the file, for the message.
        path: of the file.
        remedy: what to do about it, for the message.

    Raises:
        InputError: there is no such file.
    """
    if not Path(path).is_file():
        raise InputError(
            f"{option}: {path}: the model file is missing{nearly(Path(path))}; {remedy}; see docs/face-models.md"
        )
    return path
