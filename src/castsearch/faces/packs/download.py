"""Packs of face networks that InsightFace publishes: their download."""

import shutil
import tempfile
import zipfile
from pathlib import Path

from insightface.utils import ensure_available

from castsearch.errors import InputError


def download_pack(name: str, folder: str | Path) -> None:
    """Download and unpack a pack.

    Args:
        name: as published, such as "buffalo_l".
        folder: that the pack becomes.

    Raises:
        InputError: there is no such pack, no network, or no room.
    """
    folder = Path(folder)
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder.parent) as root:
        try:
            unpacked = ensure_available("models", name, root=root)
        except (OSError, RuntimeError, zipfile.BadZipFile) as error:  # requests' errors are OSErrors
            reason = " ".join(str(error).split())
            raise InputError(
                f"{name}: this pack could not be downloaded ({reason}); get {name}.zip where there is a network, "
                "unpack it, and name its folder in place of the pack; see docs/face-models.md"
            ) from None
        shutil.move(unpacked, folder)
