"""The images most similar to an image, on a device of torch; `neighbors` decides when."""

import numpy as np
import torch

from castsearch.search.neighbors import BLOCK_ROWS, blocks, copies

_GPU_VALUES = 1 << 24  # similarities of a block, each with some 30 bytes of working arrays


def nearest_neighbors(features: np.ndarray, k: int, device: str) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return `neighbors.nearest_neighbors` of contiguous float32 features and k <= n, on a torch device.

    Raises:
        torch.cuda.OutOfMemoryError: the GPU has no room for a block.
        torch.AcceleratorError: the GPU has no room for CUDA itself.
    """
    n = len(features)
    indices = np.empty((n, k), np.int32)
    cosines = np.empty((n, k), np.float32)
    lowest = np.empty(n, np.float32)
    repeated, originals = (torch.from_numpy(rows).to(device) for rows in copies(features))
    matrix = torch.from_numpy(features).to(device)
    columns = torch.arange(n, device=device)
    for rows in blocks(n, min(BLOCK_ROWS, max(1, _GPU_VALUES // max(1, n)))):
        cosine = matrix[rows] @ matrix.T
        cosine[:, repeated] = cosine[:, originals]
        # topk breaks ties as it likes: integers that order as the cosines do, then by falling index, leave none.
        bits = (cosine + 0.0).view(torch.int32)
        ordered = torch.where(bits < 0, bits ^ 0x7FFFFFFF, bits).to(torch.int64)
        best = -ordered.mul_(2**32).sub_(columns).topk(k, dim=1).values % 2**32
        del bits, ordered  # before the next block's
        indices[rows] = best.cpu().numpy()
        cosines[rows] = cosine.gather(1, best).cpu().numpy()
        lowest[rows] = cosine.amin(dim=1).cpu().numpy()
    return indices, cosines, lowest
