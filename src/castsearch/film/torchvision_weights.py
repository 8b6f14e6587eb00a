"""Weights of torchvision's detectors: their download."""

import re
from pathlib import Path

from torchvision.models import get_model_weights

from castsearch import files
from castsearch.downloads import download
from castsearch.errors import InputError

_REMEDY = "fetch it from where torchvision's documentation says, and name it as film.persons.torchvision.file"


def download_weights(name: str, path: str | Path) -> None:
    """Download the weights of a detector, as torchvision publishes them.

    Raises:
        InputError: it cannot be downloaded, or is not the file that was published.
    """
    url = get_model_weights(name).DEFAULT.url
    digest = re.search(r"-([0-9a-f]{8,})\.", url)
    with files.replacing(path) as temporary:
        download(url, temporary, _REMEDY)
        if digest and not files.file_digest(temporary).startswith(digest[1]):
            raise InputError(f"{url}: what came is not the file of that name; {_REMEDY}")
