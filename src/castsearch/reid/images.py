"""From the encoded crops of a table to batches of pixels: decoding, resizing, augmentation, normalisation."""

import errno
import os
import shutil
import tempfile
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional as F  # noqa: N812
from tqdm import tqdm

# Of ImageNet's training images, RGB in 0..1, as torchvision's weights expect them.
MEAN = (0.485, 0.456, 0.406)
STD = (0.229, 0.224, 0.225)

_MEAN_GREY = tuple(round(255 * value) for value in MEAN)
_ERASING_ATTEMPTS = 100


def decode(encoded: bytes, size: tuple[int, int]) -> NDArray[np.uint8] | None:
    """Decode an image file and resize it.

    Torch's antialiased bicubic filter gives Pillow's pixels (the seed system's) within a few grey levels in a fifth of
    the time; OpenCV's does not widen with the scale and aliases on large crops.

    Args:
        encoded: the bytes of the file, or any buffer of them.
        size: height and width of the result.

    Returns:
        RGB of shape (height, width, 3), or None when it is not an image.
    """
    buffer = np.frombuffer(encoded, np.uint8)
    image = cv2.imdecode(buffer, cv2.IMREAD_COLOR_RGB) if len(buffer) else None
    if image is None:
        return None
    planes = torch.from_numpy(image).permute(2, 0, 1)[None]
    resized = F.interpolate(planes, size, mode="bicubic", antialias=True)
    return cv2.merge(list(resized[0].numpy()))  # the filter leaves planes


def decode_once(
    load: Callable[[int], NDArray[np.uint8]], count: int, size: tuple[int, int], *, folder: Path, threads: int
) -> Callable[[int], NDArray[np.uint8]]:
    """Decode and resize all images before training, which would otherwise do it again in every epoch.

    Args:
        load: returns the image of a number from 0 to count - 1, (height, width, 3); called in several threads.
        count: how many images there are.
        size: height and width of each.
        folder: on the file system that is to hold them, 3 · height · width bytes each, in a file without a name, which
            vanishes with the process however that ends. At least as much stays free there, for checkpoints.
        threads: how many decode.

    Returns:
        What `load` does, by reading the file. Processes forked from this one may call it, too.

    Raises:
        OSError: no room in `folder`.
        Exception: what `load` raises.
    """
    length = 3 * size[0] * size[1]
    if shutil.disk_usage(folder).free < 2 * count * length:
        raise OSError(errno.ENOSPC, f"{count * length / 1e9:.1f} GB of images leave too little room", str(folder))
    file = tempfile.TemporaryFile(dir=folder)  # noqa: SIM115 - it is read for as long as training lasts

    # Not mapped into memory: mapped pages would count as the process's own, and a full disk would kill it.
    def write(number: int) -> None:
        if os.pwrite(file.fileno(), load(number).tobytes(), number * length) != length:
            raise OSError(errno.ENOSPC, "no room for all decoded images", str(folder))

    def read(number: int) -> NDArray[np.uint8]:
        return np.frombuffer(os.pread(file.fileno(), length, number * length), np.uint8).reshape(*size, 3)

    with ThreadPoolExecutor(threads) as pool:
        for _ in tqdm(pool.map(write, range(count)), "decode", count, unit="image", mininterval=2):
            pass
    return read


def augment(
    images: NDArray[np.uint8],
    rng: np.random.Generator,
    *,
    flip: float,
    pad: int,
    erasing: float,
    erasing_area: tuple[float, float],
    erasing_aspect: tuple[float, float],
) -> NDArray[np.uint8]:
    """Vary a batch for training: mirror, shift by padding and cropping, and erase a rectangle.

    Args:
        images: (n, height, width, 3).
        rng: the source of all randomness.
        flip: probability of a mirror.
        pad: black pixels added on each side before a crop of the old size is taken anywhere.
        erasing: probability of a rectangle filled with ImageNet's mean colour (Zhong et al., "Random Erasing Data
            Augmentation", 2017).
        erasing_area: smallest and largest share of the image in the rectangle.
        erasing_aspect: smallest and largest ratio of its height to its width.

    Returns:
        A new array of the same shape.
    """
    count, height, width, _ = images.shape
    mirrored = rng.random(count) < flip
    offsets = rng.integers(0, 2 * pad + 1, (count, 2))
    erased = rng.random(count) < erasing
    padded = np.zeros((height + 2 * pad, width + 2 * pad, 3), np.uint8)
    result = np.empty(images.shape, np.uint8)
    for index, (y, x) in enumerate(offsets):
        padded[pad : pad + height, pad : pad + width] = cv2.flip(images[index], 1) if mirrored[index] else images[index]
        result[index] = padded[y : y + height, x : x + width]
        if erased[index]:
            _erase(result[index], rng, erasing_area, erasing_aspect)
    return result


def _erase(
    image: NDArray[np.uint8], rng: np.random.Generator, area: tuple[float, float], aspect: tuple[float, float]
) -> None:
    """Fill a random rectangle of `image` in place; a shape that does not fit is drawn again."""
    height, width, _ = image.shape
    for _ in range(_ERASING_ATTEMPTS):
        target, ratio = height * width * rng.uniform(*area), rng.uniform(*aspect)
        h, w = round((target * ratio) ** 0.5), round((target / ratio) ** 0.5)
        if h < height and w < width:
            y, x = rng.integers(0, height - h + 1), rng.integers(0, width - w + 1)
            cv2.rectangle(image, (x, y), (x + w - 1, y + h - 1), _MEAN_GREY, cv2.FILLED)
            return


def to_input(images: Tensor, device: torch.device) -> Tensor:
    """Turn uint8 images (n, height, width, 3) into the networks' input on `device`.

    Returns:
        Normalised float32 of shape (n, 3, height, width), channels last in memory.
    """
    width = images.shape[2]
    rows = images.to(device, non_blocking=True).flatten(2).float()
    mean, std = (255 * torch.tensor(values * width, device=device) for values in (MEAN, STD))  # long rows go fast
    return rows.sub_(mean).div_(std).unflatten(2, (width, 3)).permute(0, 3, 1, 2)
