"""The files of weights that a face engine is made of."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from castsearch.errors import InputError
from castsearch.files import file_digest

PATH = {"type": "string", "pattern": "^[^{}]+$"}
"""A path as a JSON schema: Snakemake takes braces for wildcards."""


@dataclass(frozen=True)
class ModelFile:
    """A file of trained weights, identified by its content."""

    path: Path
    sha256: str


@dataclass(frozen=True)
class EngineFiles:
    """What a workflow needs to know of a face engine before it runs.

    Attributes:
        detection: options for `make` where the engine only detects, so that another recogniser does not detect anew.
        embedding: options for `make` where it embeds.
        detection_files: model files, or folders of them, that detection depends on.
        embedding_files: model files, or folders of them, that embedding depends on.
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
        raise InputError(f"{option}: {path}: the model file is missing; {remedy}; see docs/face-models.md")
    return path


def model_file(path: Path, remedy: str, sha256: str | None = None) -> ModelFile:
    """Identify a model file and check that it is the expected one.

    Args:
        path: of the file.
        remedy: how to get the file, for the message.
        sha256: expected checksum; None takes any.

    Raises:
        InputError: the file is missing, or has another checksum (truncated, or something else).
    """
    if not path.is_file():
        raise InputError(f"{path}: the model file is missing; {remedy}")
    found = file_digest(path)
    if sha256 is not None and found != sha256:
        raise InputError(
            f"{path}: {path.stat().st_size} bytes with sha256 {found} where {sha256} is expected, so the file is "
            f"truncated or of another kind; {remedy}"
        )
    return ModelFile(path, found)
