"""One seed, one result, in the precision that was asked for: what that takes of the kernels, and what it costs."""

import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import torch

from castsearch.float_precision import FloatPrecision

_WARM_UP, _TIMED = 5, 10


@contextmanager
def deterministic(device: torch.device, precision: FloatPrecision) -> Iterator[None]:
    """Bar a GPU from kernels whose sums depend on the order of threads, and from choosing kernels by a stopwatch.

    With "float32" also from TF32, which rounds factors to 10 bits and in which torch convolves unless told otherwise.
    An operation that has no other kernel still runs, with a warning. On the CPU there is nothing to bar.
    """
    if device.type != "cuda":
        yield
        return
    os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")  # or cuBLAS may differ from run to run
    before = torch.are_deterministic_algorithms_enabled(), torch.is_deterministic_algorithms_warn_only_enabled()
    memory: Any = torch.utils.deterministic  # whose attribute torch sets behind the type checker's back
    filled = memory.fill_uninitialized_memory
    torch.use_deterministic_algorithms(True, warn_only=True)
    memory.fill_uninitialized_memory = False  # nothing here reads what it has not written
    try:
        with _kernels(precision, benchmark=False, deterministic=True):
            yield
    finally:
        torch.use_deterministic_algorithms(before[0], warn_only=before[1])
        memory.fill_uninitialized_memory = filled


@contextmanager
def _kernels(precision: FloatPrecision, **chosen: bool) -> Iterator[None]:
    matmul, tf32 = torch.backends.cuda.matmul, precision != "float32"
    before, matmul.allow_tf32 = matmul.allow_tf32, tf32
    try:
        with torch.backends.cudnn.flags(enabled=True, allow_tf32=tf32, **chosen):
            yield
    finally:
        matmul.allow_tf32 = before


def cost(step: Callable[[], object], device: torch.device, precision: FloatPrecision) -> str:
    """Say in one line what `deterministic` costs; on a GPU, `step` is timed with it and with the fastest kernels."""
    if device.type != "cuda":
        return "determinism costs nothing: the CPU has no faster kernels to do without"
    with deterministic(device, precision):  # first, because cuBLAS reads its setting but once
        exact = _seconds(step)
    with _kernels(precision, benchmark=True, deterministic=False):
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
