"""Persons by one of torchvision's detectors, trained on COCO."""

import re
from collections.abc import Iterable, Iterator
from pathlib import Path

import torch
from torchvision.models import detection, get_model, get_model_weights

from castsearch import files
from castsearch.errors import InputError
from castsearch.faces.engine import Image
from castsearch.film.persons import LOWEST_SCORE, Boxes, Detector, batched

_REMEDY = "fetch it from where torchvision's documentation says, and name it as film.persons.torchvision.file"
_PERSON = 1  # COCO's number of the class
_BATCH = 4  # pictures on a GPU


def download(name: str, path: str | Path) -> None:
    """Download the weights of a detector, as torchvision publishes them.

    Raises:
        InputError: there is no network, or what comes is not the file.
    """
    url = get_model_weights(name).DEFAULT.url
    digest = re.search(r"-([0-9a-f]{8,})\.", url)
    try:
        with files.replacing(path) as temporary:
            torch.hub.download_url_to_file(url, str(temporary), digest and digest[1], progress=False)
    except (OSError, RuntimeError) as error:  # no network; another digest than the one in the name
        raise InputError(f"{url}: cannot be downloaded: {error}; {_REMEDY}") from None


def make(name: str, file: str | Path, threads: int = 1) -> Detector:
    """Make a detector.

    Args:
        name: as torchvision lists it, such as "fasterrcnn_resnet50_fpn_v2".
        file: its weights, as torchvision publishes them.
        threads: that the network may use on the CPU.

    Raises:
        InputError: torchvision has no such detector, or the file does not fit it.
    """
    if not hasattr(detection, name):
        raise InputError(f"persons.torchvision.name: {name}: torchvision has no such detector")
    if not Path(file).is_file():
        raise InputError(f"{file}: the weights of {name} are missing")
    torch.set_num_threads(threads)
    network = get_model(name, weights=None, weights_backbone=None)
    try:
        network.load_state_dict(torch.load(file, map_location="cpu", weights_only=True))
    except Exception as error:
        raise InputError(f"{file}: not the weights of {name}: {str(error).splitlines()[0]}") from None
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    network.eval().to(device)

    def detect(images: Iterable[Image]) -> Iterator[Boxes]:
        for batch in batched(images, _BATCH if device.type == "cuda" else 1):
            pictures = [torch.from_numpy(image).to(device).permute(2, 0, 1) / 255 for image in batch]
            with torch.inference_mode():
                answers = network(pictures)
            for answer in answers:
                own = (answer["labels"] == _PERSON) & (answer["scores"] >= LOWEST_SCORE)
                yield Boxes(answer["boxes"][own].cpu().numpy(), answer["scores"][own].cpu().numpy())

    return Detector(detect, 0.7)
