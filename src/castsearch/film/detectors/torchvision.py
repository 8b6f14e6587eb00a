"""Persons by one of torchvision's detectors, trained on COCO."""

from collections.abc import Iterable, Iterator
from pathlib import Path

import torch
from torchvision.models import detection, get_model

from castsearch.errors import InputError
from castsearch.faces.engine import Image
from castsearch.film.persons import LOWEST_SCORE, Boxes, PersonDetector, batched
from castsearch.hardware import torch_has_gpu
from castsearch.reid.weights import fill, read_tensors

_PERSON = 1  # COCO's number of the class
_BATCH = 4  # pictures on a GPU


def make(name: str, file: str | Path, threads: int = 1) -> PersonDetector:
    """Make a detector.

    Args:
        name: as torchvision lists it, such as "fasterrcnn_resnet50_fpn_v2".
        file: its weights, as torchvision publishes them.
        threads: that the network may use on the CPU.

    Raises:
        InputError: torchvision has no such detector, or the file does not fit it.
    """
    if not hasattr(detection, name):
        raise InputError(f"film.persons.torchvision.name: {name}: torchvision has no such detector")
    torch.set_num_threads(threads)
    network = get_model(name, weights=None, weights_backbone=None)
    fill(network, read_tensors(Path(file), f"the weights of {name}"), Path(file), name)
    device = torch.device("cuda" if torch_has_gpu() else "cpu")
    network.eval().to(device)

    def detect(images: Iterable[Image]) -> Iterator[Boxes]:
        for batch in batched(images, _BATCH if device.type == "cuda" else 1):
            pictures = [torch.from_numpy(image).to(device).permute(2, 0, 1) / 255 for image in batch]
            with torch.inference_mode():
                answers = network(pictures)
            for answer in answers:
                own = (answer["labels"] == _PERSON) & (answer["scores"] >= LOWEST_SCORE)
                yield Boxes(answer["boxes"][own].cpu().numpy(), answer["scores"][own].cpu().numpy())

    return PersonDetector(detect, 0.7)
