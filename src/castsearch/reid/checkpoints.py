"""Checkpoints of a training: one safetensors file per epoch that is kept, written whole or not at all.

A file holds the network, Adam's moments and, as JSON, what the caller wants to find again.
"""

import json
import sys
from collections.abc import Collection, Mapping
from pathlib import Path

import safetensors
import torch
from safetensors.torch import save_file
from torch import Tensor, nn

from castsearch.files import replacing


def path_of(folder: Path, epoch: int) -> Path:
    """Return where the checkpoint after `epoch` epochs lies."""
    return Path(folder, f"epoch-{epoch:06d}.safetensors")


def save(path: Path, network: nn.Module, optimizer: torch.optim.Optimizer, training: dict) -> None:
    """Write a checkpoint; `training` is anything that JSON can hold."""
    tensors = {f"network.{name}": tensor for name, tensor in network.state_dict().items()}
    for index, state in optimizer.state_dict()["state"].items():
        tensors |= {f"optimizer.{index}.{name}": tensor for name, tensor in state.items()}
    with replacing(path) as temporary:
        save_file(
            {name: tensor.cpu().contiguous() for name, tensor in tensors.items()},
            temporary,
            {"training": json.dumps(training)},
        )


def newest(folder: Path, wanted: dict) -> tuple[Path, dict] | None:
    """Find the checkpoint to go on from: the newest that is whole.

    Args:
        folder: of the checkpoints.
        wanted: entries that `training` must have; a checkpoint with others belongs to another training.

    Returns:
        The path and its `training`, or None.
    """
    for path in _newest_first(folder):
        training = training_of(path)
        if training is not None and _matches(training, wanted):
            return path, training
        flaw = "is damaged" if training is None else "belongs to another training"
        print(f"{path} {flaw} and is not used", file=sys.stderr)
    return None


def _newest_first(folder: Path) -> list[Path]:
    return sorted(Path(folder).glob("epoch-*.safetensors"), reverse=True)


def training_of(path: Path) -> dict | None:
    """Return what `save` was given as `training`; None where there is no such checkpoint, or a damaged one."""
    try:
        with safetensors.safe_open(path, "pt") as file:
            return json.loads(file.metadata()["training"])
    except (FileNotFoundError, safetensors.SafetensorError):
        return None


def _matches(training: dict, wanted: dict) -> bool:
    return all(training.get(key) == value for key, value in wanted.items())


def load(path: Path, network: nn.Module, optimizer: torch.optim.Optimizer | None = None) -> None:
    """Set the network, and the optimizer if there is one, to the state that `save` wrote."""
    with safetensors.safe_open(path, "pt") as file:
        network.load_state_dict({name: file.get_tensor(f"network.{name}") for name in network.state_dict()})
        if optimizer is not None:
            _load_optimizer(optimizer, {name: file.get_tensor(name) for name in file.keys()})  # noqa: SIM118


def prune(folder: Path, wanted: dict, kept: int, also: Collection[Path]) -> None:
    """Delete checkpoints that are no longer needed, and what killed processes left half-written.

    Args:
        folder: of the checkpoints.
        wanted: as for `newest`; those of other trainings and damaged ones are deleted, whatever their epoch.
        kept: how many of the newest stay,
        also: and which others.
    """
    own = [path for path in _newest_first(folder) if _matches(training_of(path) or {}, wanted)]
    stale = set(_newest_first(folder)) - {*own[:kept], *also}
    unfinished = [*Path(folder).glob(".epoch-*"), *Path(folder).glob(".tmp*")]  # ours, and safetensors' own
    for path in [*stale, *unfinished]:
        path.unlink()


def _load_optimizer(optimizer: torch.optim.Optimizer, tensors: Mapping[str, Tensor]) -> None:
    state = {}
    for index, parameter in enumerate(parameter for group in optimizer.param_groups for parameter in group["params"]):
        prefix = f"optimizer.{index}."
        if prefix + "step" not in tensors:  # of a parameter that the loss does not depend on
            continue
        state[index] = {
            "step": tensors[prefix + "step"].clone(),  # or it would keep the file mapped
            # The fused step walks a parameter and its moments side by side in memory, so their layouts must agree.
            **{name: _laid_out_as(parameter, tensors[prefix + name]) for name in ("exp_avg", "exp_avg_sq")},
        }
    optimizer.load_state_dict({"state": state, "param_groups": optimizer.state_dict()["param_groups"]})


def _laid_out_as(parameter: Tensor, values: Tensor) -> Tensor:
    return torch.empty_like(parameter).copy_(values)
