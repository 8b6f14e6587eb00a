"""One seed, one result: what that takes of the kernels, and what it costs."""

import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import torch

_WARM_UP, _TIMED = 5, 10


@contextmanager
def deterministic(device: torch.device) -> Iterator[None]:
    """Bar a GPU from kernels whose sums depend on the order of threads, and from choosing kernels by a stopwatch.

    An operation that has no other kernel still runs, with a warning. On the CPU there is nothing to bar.
    """
    if device.type != "cuda":
        yield
        return
    os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")  # or cuBLAS may differ from run to run
    before = torch.are_deterministic_algorithms_enabled(), torch.is_deterministic_algorithms_warn_only_enabled()
    torch.use_deterministic_algorithms(True, warn_only=True)
    torch.utils.deterministic.fill_uninitialized_memory = False  # nothing here reads what it has not written
    try:
        with torch.backends.cudnn.flags(enabled=True, benchmark=False, deterministic=True):
            yield
    finally:
        torch.use_deterministic_algorithms(before[0], warn_only=before[1])


def cost(step: Callable[[], object], device: torch.device) -> str:
    """Say in one line what `deterministic` costs; on a GPU, `step` is timed with it and with the fastest kernels."""
    if device.type != "cuda":
        return "determinism costs nothing: the CPU has no faster kernels to do without"
    with deterministic(device):  # first, because cuBLAS reads its setting but once
        exact = _seconds(step)
    with torch.backends.cudnn.flags(enabled=True, benchmark=True, deterministic=False):
        fastest = _seconds(step)
    return (
        f"determinism costs {exact / fastest - 1:.1%}: a step takes {1000 * exact:.1f} ms, "
        f"with the fastest kernels {1000 * fastest:.1f} ms"
    )


def _seconds(step: Callable[[], object]) -> float:
    for _ in range(_WARM_UP):
        step()
    torch.cuda.synchronize()
    start = time.perf_counter()
    for _ in range(_TIMED):
        step()
    torch.cuda.synchronize()
    return (time.perf_counter() - start) / _TIMED
