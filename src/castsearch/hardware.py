"""What the machine has."""

import importlib.util
import os
from pathlib import Path

DRIVERS = tuple(map(Path, ("/proc/driver/nvidia", "/dev/nvidiactl", "/dev/dxg")))  # any of them; the last in WSL


def torch_has_gpu() -> bool:
    """Whether torch is installed and finds a CUDA device."""
    # Importing torch takes seconds, so that what says without it that there is none comes first.
    if os.environ.get("CUDA_VISIBLE_DEVICES") == "" or not any(path.exists() for path in DRIVERS):
        return False
    if importlib.util.find_spec("torch") is None:
        return False
    import torch  # noqa: PLC0415

    return torch.cuda.is_available()
