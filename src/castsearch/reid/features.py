"""Describe every crop of a movie with a trained network."""

from concurrent.futures import ThreadPoolExecutor
from functools import partial

import numpy as np
import pyarrow as pa
import torch
from numpy.typing import NDArray
from torch.nn import functional as F  # noqa: N812
from tqdm import tqdm

from castsearch.errors import InputError
from castsearch.precision import Precision
from castsearch.reid.determinism import deterministic
from castsearch.reid.heads import ReidNetwork
from castsearch.reid.images import decode, to_input
from castsearch.reid.networks import pick_device


@torch.inference_mode()
def extract(
    network: ReidNetwork,
    crops: pa.Table,
    *,
    batch_size: int | None = None,
    device: str = "auto",
    precision: Precision = "float32",
) -> NDArray[np.float32]:
    """Embed crops; each row depends on its own crop alone.

    An embedding is the mean of those of the image and of its mirror. Then every part of it (one for triplet, four for
    mgn) is divided by its L2 norm.

    Args:
        network: is moved to the device and set to evaluation mode.
        crops: columns `id` and `image`, encoded; null where there is none.
        batch_size: images at a time, None for 128 on a GPU and 16 on the CPU.
        device: "cpu", "cuda" or any of torch's, "auto" being the GPU where there is one.
        precision: "float32", on GPUs without TF32; or "bfloat16" for autocast.

    Returns:
        (len(crops), network.feature_size); rows of zeros for missing images.

    Raises:
        InputError: a crop is not an image.
    """
    target = pick_device(device)
    network.to(target).to(memory_format=torch.channels_last).eval()
    features = np.zeros((len(crops), network.feature_size), np.float32)
    present = np.flatnonzero(crops["image"].is_valid())
    batch_size = batch_size or (16 if target.type == "cpu" else 128)
    progress = tqdm(total=len(present), desc="embed bodies", unit="image", mininterval=2)
    pool = ThreadPoolExecutor(torch.get_num_threads())  # which decodes ahead of the network
    with progress, pool, deterministic(target, precision):
        decode_batch = partial(pool.map, partial(_image, crops, size=network.input_size))
        batches = [present[start : start + batch_size] for start in range(0, len(present), batch_size)]
        ahead = [decode_batch(rows.tolist()) for rows in batches[:1]]
        for number, rows in enumerate(batches, start=1):
            ahead += [decode_batch(rows.tolist()) for rows in batches[number : number + 1]]
            images = to_input(torch.from_numpy(np.stack(list(ahead.pop(0)))), target)
            with torch.autocast(target.type, torch.bfloat16, enabled=precision == "bfloat16"):
                embeddings = (network(images).float() + network(images.flip(3)).float()) / 2
            features[rows] = F.normalize(embeddings, dim=-1).flatten(1).cpu().numpy()
            progress.update(len(rows))
    return features


def _image(crops: pa.Table, row: int, size: tuple[int, int]) -> NDArray[np.uint8]:
    image = decode(crops["image"][row].as_buffer(), size)
    if image is None:
        raise InputError(f"{crops['id'][row].as_py()}: the crop is not an image that can be decoded")
    return image
