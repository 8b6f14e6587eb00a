"""Packs of face networks that InsightFace publishes: their download."""

import shutil
import tempfile
import zipfile
import zlib
from pathlib import Path

from insightface.utils import storage

from castsearch.downloads import download
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
    remedy = (
        f"get {name}.zip where there is a network, unpack it, and name its folder in place of the pack; "
        "see docs/face-models.md"
    )
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder.parent) as root:
        archive, unpacked = Path(root, f"{name}.zip"), Path(root, name)
        download(storage.model_zoo_download_url(archive.name), archive, remedy)
        try:
            shutil.unpack_archive(archive, unpacked)
        except (OSError, zipfile.BadZipFile, zlib.error) as error:
            raise InputError(f"{name}: this pack cannot be unpacked ({error}); {remedy}") from None
        shutil.move(unpacked, folder)
