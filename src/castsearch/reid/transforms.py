"""From the encoded crops of a table to batches of pixels: decoding, resizing, augmentation, normalisation."""

import errno
import logging
import os
import shutil
import tempfile
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional as F  # noqa: N812
from tqdm import tqdm

logger = logging.getLogger(__name__)

Images = Callable[[int], NDArray[np.uint8]]
"""Returns the image of a number or row, RGB of shape (height, width, 3)."""

# Of ImageNet's training images, RGB in 0..1, as torchvision's weights expect them.
MEAN = (0.485, 0.456, 0.406)
STD = (0.229, 0.224, 0.225)

_MEAN_GREY = tuple(round(255 * value) for value in MEAN)
_ERASING_ATTEMPTS = 100


def decode_image(encoded: bytes, size: tuple[int, int]) -> NDArray[np.uint8] | None:
    """Decode an image file and resize it.

    Torch's antialiased bicubic filter gives the pixels of Pillow, which the reference system uses, within a few grey
    levels in a fifth of the time. OpenCV's filter does not widen with the scale and aliases on large crops.

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


def in_memory(folder: Path) -> bool:
    """Tell whether what lies in `folder` takes memory rather than a disk, by Linux's list of mounts."""
    device = folder.stat().st_dev
    number = f"{os.major(device)}:{os.minor(device)}"
    mounts = [line.split() for line in Path("/proc/self/mountinfo").read_text().splitlines()]
    return any(mount[2] == number and mount[mount.index("-") + 1] in ("tmpfs", "ramfs") for mount in mounts)


def decode_ahead(load: Images, count: int, size: tuple[int, int], *, folders: Sequence[Path], threads: int) -> Images:
    """Decode all images once, in the first of the folders that has room; where none has, each time they are asked for.

    Args:
        load: see `decode_once`, as the others.
        count: how many images there are.
        size: height and width of each.
        folders: where the decoded images may lie.
        threads: how many decode.

    Raises:
        Exception: what `load` raises.
    """
    for folder in folders:
        try:
            return decode_once(load, count, size, folder=folder, threads=threads)
        except OSError as error:
            logger.info("no place for decoded images: %s", error)
    logger.info("every epoch decodes its images again")
    return load


def decode_once(load: Images, count: int, size: tuple[int, int], *, folder: Path, threads: int) -> Images:
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


class Variation(NamedTuple):
    """What is done to an image for training.

    Attributes:
        mirrored: whether left and right are swapped.
        shift: pixels by which the picture then moves up and to the left; black follows.
        erased: x, y, width and height of the rectangle that is then filled; None for none.
    """

    mirrored: bool
    shift: tuple[int, int]
    erased: tuple[int, int, int, int] | None


def draw_variations(
    count: int,
    size: tuple[int, int],
    rng: np.random.Generator,
    *,
    flip: float,
    pad: int,
    erasing: float,
    erasing_area: tuple[float, float],
    erasing_aspect: tuple[float, float],
) -> list[Variation]:
    """Draw how each image of a batch is varied: mirrored, shifted, and a rectangle of it erased.

    Args:
        count: how many images there are.
        size: their height and width.
        rng: the source of all randomness.
        flip: probability of a mirror.
        pad: largest shift of the image in pixels, as if it were padded with black on each side and cropped again.
        erasing: probability of a rectangle filled with ImageNet's mean colour (Zhong et al., "Random Erasing Data
            Augmentation", 2017).
        erasing_area: smallest and largest share of the image in the rectangle.
        erasing_aspect: smallest and largest ratio of its height to its width.
    """
    mirrored = rng.random(count) < flip
    shifts = rng.integers(0, 2 * pad + 1, (count, 2)) - pad
    erased = rng.random(count) < erasing
    rectangles = [_rectangle(size, rng, erasing_area, erasing_aspect) if each else None for each in erased]
    return list(map(Variation, mirrored.tolist(), map(tuple, shifts.tolist()), rectangles))


def _rectangle(
    size: tuple[int, int], rng: np.random.Generator, area: tuple[float, float], aspect: tuple[float, float]
) -> tuple[int, int, int, int] | None:
    """Draw x, y, width and height of a rectangle; a shape that does not fit is drawn again, a few times."""
    height, width = size
    for _ in range(_ERASING_ATTEMPTS):
        target, ratio = height * width * rng.uniform(*area), rng.uniform(*aspect)
        h, w = round((target * ratio) ** 0.5), round((target / ratio) ** 0.5)
        if h < height and w < width:
            y, x = rng.integers(0, height - h + 1), rng.integers(0, width - w + 1)
            return int(x), int(y), w, h
    return None


def augment(images: NDArray[np.uint8], variations: Sequence[Variation]) -> NDArray[np.uint8]:
    """Vary images, (n, height, width, 3), each in its own way; the result is a new array."""
    _, height, width, _ = images.shape
    result = np.zeros(images.shape, np.uint8)
    for image, varied, (mirrored, (up, left), erased) in zip(images, result, variations, strict=True):
        (rows, to_rows), (columns, to_columns) = _moved(up, height), _moved(left, width)
        varied[to_rows, to_columns] = (cv2.flip(image, 1) if mirrored else image)[rows, columns]
        if erased:
            cv2.rectangle(varied, erased, _MEAN_GREY, cv2.FILLED)
    return result


def _moved(by: int, length: int) -> tuple[slice, slice]:
    """Return which of `length` pixels stay inside when they move towards 0, and where they come to lie."""
    return slice(max(by, 0), max(length + by, 0)), slice(max(-by, 0), max(length - by, 0))


def to_input(images: Tensor, device: torch.device) -> Tensor:
    """Turn uint8 images (n, height, width, 3) into the networks' input on `device`.

    Returns:
        Normalised float32 of shape (n, 3, height, width), channels last in memory.
    """
    width = images.shape[2]
    rows = images.to(device, non_blocking=True).flatten(2).float()
    mean, std = _statistics(width, device)
    return rows.sub_(mean).div_(std).unflatten(2, (width, 3)).permute(0, 3, 1, 2)


@lru_cache(maxsize=4)  # or a GPU would wait for the copy in every step
@torch.inference_mode(False)
def _statistics(width: int, device: torch.device) -> tuple[Tensor, Tensor]:
    """Return mean and deviation of a row of `width` pixels, (3 · width,) in 0..255: long rows go fast."""
    mean, std = (255 * torch.tensor(values * width, device=device) for values in (MEAN, STD))
    return mean, std
