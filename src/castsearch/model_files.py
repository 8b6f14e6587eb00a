"""Files of trained weights, which a job knows by their content."""

from dataclasses import dataclass
from pathlib import Path

from castsearch.errors import InputError
from castsearch.files import file_digest
from castsearch.misnamed import nearly


@dataclass(frozen=True)
class ModelFile:
    """A file of trained weights, identified by its content."""

    path: Path
    sha256: str


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
        raise InputError(f"{path}: the model file is missing{nearly(path)}; {remedy}")
    found = file_digest(path)
    if sha256 is not None and found != sha256:
        raise InputError(
            f"{path}: {path.stat().st_size} bytes with sha256 {found} where {sha256} is expected, so the file is "
            f"truncated or of another kind; {remedy}"
        )
    return ModelFile(path, found)
