"""Weights of torchvision's detectors: their download."""

import re
from pathlib import Path

from torchvision.models import get_model_weights

from castsearch.downloads import download

_REMEDY = "fetch it from where torchvision's documentation says, and name it as film.persons.torchvision.file"


def download_weights(name: str, path: str | Path) -> None:
    """Download the weights of a detector, as torchvision publishes them.

    Raises:
        InputError: it cannot be downloaded, or is not the file that was published.
    """
    url = get_model_weights(name).DEFAULT.url
    digest = re.search(r"-([0-9a-f]{8,})\.", url)
    download(url, path, _REMEDY, digest[1] if digest else "")
