"""Weights of torchvision's detectors: their download."""

import re
from pathlib import Path

import torch
from torchvision.models import get_model_weights

from castsearch import files
from castsearch.errors import InputError

_REMEDY = "fetch it from where torchvision's documentation says, and name it as film.persons.torchvision.file"


def download_weights(name: str, path: str | Path) -> None:
    """Download the weights of a detector, as torchvision publishes them.

    Raises:
        InputError: it cannot be downloaded, or is not the file that was published.
    """
    url = get_model_weights(name).DEFAULT.url
    digest = re.search(r"-([0-9a-f]{8,})\.", url)
    try:
        with files.replacing(path) as temporary:
            torch.hub.download_url_to_file(url, str(temporary), digest and digest[1], progress=False)
    except (OSError, RuntimeError) as error:  # no network; another digest than the one in the name
        raise InputError(f"{url}: cannot be downloaded: {error}; {_REMEDY}") from None
