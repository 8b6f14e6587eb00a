"""Train on several GPUs of one machine as if they were one.

Each process computes a part of the batch (DistributedDataParallel). Embeddings and logits are gathered, so that
triplets are mined in the whole batch and every process has the same loss; batch norms share their statistics. Loss and
gradient are therefore those of one process with the whole batch, to rounding.
"""

import logging
import os
import signal
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import torch
from torch import Tensor, distributed, multiprocessing, nn
from torch.nn.modules.batchnorm import _BatchNorm
from torch.nn.parallel import DistributedDataParallel

from castsearch.errors import InputError

_PATIENCE = timedelta(hours=2)  # while the first process validates, the others wait


def split_threads(threads: int, gpus: int) -> tuple[int, int]:
    """Divide the threads of a job among what trains and what loads its images.

    Args:
        threads: that the job may use.
        gpus: that it has; 0 trains on the CPU, which needs every thread itself.

    Returns:
        How many processes train, and how many load images for each of them.
    """
    return (gpus, (threads - 1) // gpus) if gpus else (1, 0)


def launch(function: Callable[[], None], processes: int, device: str) -> None:
    """Call `function` in `processes` processes that can reach each other; a single one is this process.

    The others end with this one, and all end where one fails. Their output goes where that of this one goes.

    Args:
        function: must be picklable.
        processes: how many; `rank` tells them apart.
        device: "cuda", where process n has the n-th GPU, or "cpu".

    Raises:
        InputError: one of the processes raised it.
    """
    if processes == 1:
        function()
        return
    messages = multiprocessing.get_context("spawn").SimpleQueue()
    with tempfile.TemporaryDirectory() as folder, _inherited_output():
        group = {
            "backend": "nccl" if device == "cuda" else "gloo",
            "init_method": f"file://{folder}/rendezvous",
            "world_size": processes,
            "timeout": _PATIENCE,
        }
        try:
            multiprocessing.spawn(_process, (function, group, messages), nprocs=processes)
        except (multiprocessing.ProcessExitedException, multiprocessing.ProcessRaisedException):
            if messages.empty():
                raise
            raise InputError(messages.get()) from None


def _process(number: int, function: Callable[[], None], group: Mapping, messages: multiprocessing.SimpleQueue) -> None:
    # One that waits for a GPU's peer does not hear torch's own signal, and would hold a GPU that is free for others.
    multiprocessing._prctl_pr_set_pdeathsig(signal.SIGKILL)  # type: ignore[attr-defined]
    if group["backend"] == "nccl":
        torch.cuda.set_device(number)
    else:
        torch.set_num_threads(max(1, torch.get_num_threads() // group["world_size"]))
    distributed.init_process_group(**group, rank=number)
    # One that ended before the others have connected to it would break their connection.
    distributed.barrier(device_ids=[number] if group["backend"] == "nccl" else None)
    # This process has no handler of its launcher's; one voice is enough.
    logging.basicConfig(level=logging.INFO if number == 0 else logging.ERROR, format="%(message)s")
    try:
        function()
    except InputError as error:
        messages.put(str(error))
        os._exit(1)  # an orderly end would wait for the others, who wait for this one
    distributed.destroy_process_group()


@contextmanager
def _inherited_output() -> Iterator[None]:
    """Let processes that are started here write to what `sys.stderr` is at the moment."""
    saved = [os.dup(number) for number in (1, 2)]
    try:
        for number in (1, 2):
            os.dup2(sys.stderr.fileno(), number)
        yield
    finally:
        for number, original in zip((1, 2), saved, strict=True):
            os.dup2(original, number)
            os.close(original)


def world_size() -> int:
    """Return the number of processes that train together."""
    return distributed.get_world_size() if distributed.is_initialized() else 1


def rank() -> int:
    """Return this process's number among them, from 0."""
    return distributed.get_rank() if distributed.is_initialized() else 0


def parallel(network: nn.Module) -> nn.Module:
    """Wrap a network for training in this process and the others, its parameters staying where they are.

    Raises:
        InputError: the network has batch norms that cannot share their statistics, see `share_batch_norms`.
    """
    share_batch_norms(network)
    # A static graph may leave parameters without a gradient, as some of timm's models do.
    return DistributedDataParallel(network, forward_sync_buffers=False, static_graph=True)


def share_batch_norms(network: nn.Module) -> None:
    """Turn batch norms, in place, into torch's SyncBatchNorm; timm's that end in an activation, into timm's form of it.

    These work on GPUs alone.

    Raises:
        InputError: the network has batch norms of another type.
    """
    from timm.layers import BatchNormAct2d, convert_sync_batchnorm  # noqa: PLC0415 (a second, for several GPUs alone)

    norms = [module for module in network.modules() if isinstance(module, _BatchNorm)]
    for other in {type(norm) for norm in norms} - {nn.BatchNorm1d, nn.BatchNorm2d, BatchNormAct2d}:
        remedy = "train it on one, by reid.gpus: 1"
        raise InputError(f"the network has layers of type {other.__name__}, which GPUs cannot share; {remedy}")
    convert_sync_batchnorm(network)


def gather(rows: Tensor, sizes: list[int]) -> Tensor:
    """Return the rows of all processes, one below the other; `sizes` says how many each has."""
    return rows if len(sizes) == 1 else _Gather.apply(rows, sizes)


class _Gather(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, rows: Tensor, sizes: list[int]) -> Tensor:
        ctx.sizes = sizes
        padded = rows.new_zeros(max(sizes), *rows.shape[1:])
        padded[: len(rows)] = rows
        parts = [torch.empty_like(padded) for _ in sizes]
        distributed.all_gather(parts, padded)
        return torch.cat([part[:size] for part, size in zip(parts, sizes, strict=True)])

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None]:
        # Each process has the whole loss, so its own rows' gradient is complete; the processes' parts of a parameter's
        # gradient want to be added up, and DistributedDataParallel averages them.
        return gradient.split(ctx.sizes)[rank()] * len(ctx.sizes), None
