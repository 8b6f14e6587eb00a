"""Packs of face networks: folders with a detector and a recogniser in ONNX."""

from pathlib import Path


def is_hidden(path: Path, folder: Path) -> bool:
    """Whether a file in a folder is hidden there, as those are that other programs keep beside the user's own."""
    return any(part.startswith(".") for part in path.relative_to(folder).parts)
