"""Describe every crop of a movie by a network, whichever runtime it has."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import torch
from numpy.typing import NDArray
from tqdm import tqdm

from castsearch.errors import InputError
from castsearch.files import copy_out
from castsearch.reid.transforms import Images, decode_image


class Describer(NamedTuple):
    """A network that describes images of people.

    Attributes:
        describe: from images, RGB uint8 (n, height, width, 3), to their embeddings, float32 (n, parts, d).
        size: height and width of the images in pixels.
        feature_size: length of all embeddings of an image together.
        batch_size: how many images it best takes at a time.
    """

    describe: Callable[[NDArray[np.uint8]], NDArray[np.float32]]
    size: tuple[int, int]
    feature_size: int
    batch_size: int


def extract(describer: Describer, crops: pa.Table, image: Images | None = None) -> NDArray[np.float32]:
    """Embed crops; each row depends on its own crop alone.

    An embedding is the mean of those of the image and of its mirror. Then every part of it (four for mgn, else one) is
    divided by its L2 norm.

    Args:
        describer: the network.
        crops: columns `id` and `image`, encoded; null where there is none.
        image: returns a row's image as `describer.size` asks for it; if None, it is decoded.

    Returns:
        (len(crops), describer.feature_size); rows of zeros for missing images.

    Raises:
        InputError: a crop is not an image.
    """
    features = np.zeros((len(crops), describer.feature_size), np.float32)
    present = np.flatnonzero(crops["image"].is_valid())
    progress = tqdm(total=len(present), desc="embed bodies", unit="image", mininterval=2)
    pool = ThreadPoolExecutor(torch.get_num_threads())  # which decodes ahead of the network
    with progress, pool:
        decode_batch = partial(pool.map, image or decoder(crops, describer.size))
        starts = range(0, len(present), describer.batch_size)
        batches = [present[start : start + describer.batch_size] for start in starts]
        ahead = [decode_batch(rows.tolist()) for rows in batches[:1]]
        for number, rows in enumerate(batches, start=1):
            ahead += [decode_batch(rows.tolist()) for rows in batches[number : number + 1]]
            images = np.stack(list(ahead.pop(0)))
            mirrored = np.ascontiguousarray(images[:, :, ::-1])
            embeddings = (describer.describe(images) + describer.describe(mirrored)) / 2
            norms = np.linalg.norm(embeddings, axis=-1, keepdims=True)
            features[rows] = (embeddings / np.maximum(norms, np.finfo(np.float32).tiny)).reshape(len(rows), -1)
            progress.update(len(rows))
    return features


def decoder(crops: pa.Table, size: tuple[int, int]) -> Images:
    """Return what decodes and resizes the image of a row of `crops`, see `extract`; `size` is height and width.

    It raises an InputError for a crop that is not an image.
    """

    def image(row: int) -> NDArray[np.uint8]:
        decoded = decode_image(copy_out(crops["image"], row), size)
        if decoded is None:
            raise InputError(f"{crops['id'][row].as_py()}: the crop is not an image that can be decoded")
        return decoded

    return image
