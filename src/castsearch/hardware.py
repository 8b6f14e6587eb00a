"""What the machine has."""

import contextlib
import ctypes
import importlib
import importlib.util
import logging
import os
from pathlib import Path

logger = logging.getLogger(__name__)

_M_MMAP_THRESHOLD = -3  # of glibc's malloc.h
_LARGE = 1 << 26  # bytes

DRIVERS = tuple(map(Path, ("/proc/driver/nvidia", "/dev/nvidiactl", "/dev/dxg")))  # any of them; the last in WSL


def hand_back_large_arrays() -> None:
    """Return the memory of large arrays to the system as soon as they are freed, where the C library is glibc.

    In the environment of the workflow's jobs, glibc keeps all memory for later arrays, which makes trainings faster. A
    search of many movies would hold twice the memory that it needs, since its arrays have many sizes.
    """
    with contextlib.suppress(AttributeError, OSError, TypeError):
        ctypes.CDLL(None).mallopt(_M_MMAP_THRESHOLD, _LARGE)


def torch_has_gpu() -> bool:
    """Whether torch is installed and finds a CUDA device.

    If there is one that torch cannot use, or one was named, an error is logged that says why.
    """
    # Importing torch takes seconds, so first comes what tells without it that there is no GPU.
    named = os.environ.get("CUDA_VISIBLE_DEVICES")
    if named == "" or (named is None and not any(path.exists() for path in DRIVERS)):
        return False
    if importlib.util.find_spec("torch") is None:
        return False
    # By name, so that another version of torch runs nothing again that only asks for a GPU.
    torch = importlib.import_module("torch")
    if torch.cuda.is_available():
        return True
    try:
        torch.cuda.init()
        reason = "it finds none"
    except (AssertionError, RuntimeError) as error:
        reason = str(error).strip().split("\n", 1)[0]
    logger.error("there is to be a GPU, but torch cannot use it, so the CPU computes: %s", reason)
    return False
