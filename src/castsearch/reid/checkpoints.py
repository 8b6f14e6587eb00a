"""Checkpoints of a training: one safetensors file per epoch that is kept, written whole or not at all.

A file holds the network, Adam's moments and, as JSON, what the caller wants to find again.
"""

import json
import logging
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import safetensors
import torch
from torch import Tensor, nn

from castsearch.errors import InputError
from castsearch.reid import history
from castsearch.reid.recipe import Recipe
from castsearch.reid.validation import SCORES
from castsearch.reid.weights import write_tensors

logger = logging.getLogger(__name__)


class Found(NamedTuple):
    """A checkpoint to go on from.

    Attributes:
        path: its file.
        rows: the history of the epochs so far.
        determinism: what the log says about the cost of determinism.
    """

    path: Path
    rows: list[history.Row]
    determinism: str


class Series:
    """The checkpoints of one training: where to go on, when one is due, which are kept, and which is the best.

    Args:
        folder: where they lie.
        identity: what a checkpoint must agree in to belong to this training: `fingerprint`, of all that the weights
            depend on; and, where validation decides on the weights, `validation` and `validate_every`. Elsewhere other
            validation, or more of it, is no reason to train again.
        recipe: of which `use`, `epochs`, `checkpoint_every` and `checkpoints_kept` are used.
    """

    def __init__(self, folder: Path, identity: Mapping[str, str | int | None], recipe: Recipe) -> None:
        self._folder, self._identity, self._recipe = Path(folder), identity, recipe
        self._wanted = dict(identity) if recipe.use == "best" else {"fingerprint": identity["fingerprint"]}

    def newest(self) -> Found | None:
        """Find the checkpoint to go on from.

        Raises:
            InputError: the checkpoint of the best epoch, which may be wanted in the end, is lost.
        """
        found = newest(self._folder, self._wanted)
        if found is None:
            return None
        path, training = found
        rows = training["rows"]
        if training["validation"] != self._identity["validation"]:  # scores on other movies cannot be compared
            rows = [row | dict.fromkeys(SCORES, "") for row in rows]
        best = history.best(rows)
        if self._recipe.use == "best" and best and training_of(self._path_of(best)) is None:
            remedy = f"put it back, use the last epoch, or delete {self._folder} to train anew"
            lost = self._path_of(best)
            raise InputError(f"{lost}: the checkpoint of the best epoch so far is missing or damaged; {remedy}")
        logger.info("going on after epoch %d, from %s", len(rows), path)
        return Found(path, rows, training["determinism"])

    def add(
        self, rows: Sequence[history.Row], network: nn.Module, optimizer: torch.optim.Optimizer, determinism: str
    ) -> None:
        """Write the checkpoint of the last of `rows` if it is due or the best, and delete what it makes superfluous."""
        number, best = len(rows), history.best(rows)
        if number == self._recipe.epochs or number % self._recipe.checkpoint_every == 0 or rows[-1] is best:
            training = {**self._identity, "rows": list(rows), "determinism": determinism}
            save_checkpoint(path_of(self._folder, number), network, optimizer, training)
            of_best = [self._path_of(best)] if best else []
            prune(self._folder, self._wanted, self._recipe.checkpoints_kept, of_best)

    def choose(self, rows: Sequence[history.Row], network: nn.Module) -> None:
        """Set the network to the epoch that the recipe uses, and log which is the best."""
        best = history.best(rows)
        if best is None:
            logger.info("there is no validation to tell the best epoch; these are the weights of the last")
            return
        path, use = self._path_of(best), self._recipe.use
        logger.info("epoch %s is the best, with mAP %s: %s; used is the %s", best["epoch"], best["mAP"], path, use)
        if use == "best":
            load_checkpoint(path, network)

    def _path_of(self, row: history.Row) -> Path:
        return path_of(self._folder, int(row["epoch"]))


def path_of(folder: Path, epoch: int) -> Path:
    """Return where the checkpoint after `epoch` epochs lies."""
    return Path(folder, f"epoch-{epoch:06d}.safetensors")


def save_checkpoint(
    path: Path, network: nn.Module, optimizer: torch.optim.Optimizer, training: Mapping[str, Any]
) -> None:
    """Write a checkpoint; `training` is anything that JSON can hold."""
    tensors = {f"network.{name}": tensor for name, tensor in network.state_dict().items()}
    for index, state in optimizer.state_dict()["state"].items():
        tensors |= {f"optimizer.{index}.{name}": tensor for name, tensor in state.items()}
    write_tensors(tensors, path, {"training": json.dumps(training)})


def newest(folder: Path, wanted: Mapping[str, Any]) -> tuple[Path, dict[str, Any]] | None:
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
        logger.warning("%s %s and is not used", path, flaw)
    return None


def _newest_first(folder: Path) -> list[Path]:
    return sorted(Path(folder).glob("epoch-*.safetensors"), reverse=True)


def training_of(path: Path) -> dict[str, Any] | None:
    """Return the `training` that `save_checkpoint` was given; None where there is no checkpoint, or a damaged one."""
    try:
        # Safetensors calls a file missing that cannot be opened now, and the run would delete it.
        path.open("rb").close()
        with safetensors.safe_open(path, "pt") as file:
            return json.loads(file.metadata()["training"])
    except (FileNotFoundError, safetensors.SafetensorError):
        return None


def _matches(training: Mapping[str, Any], wanted: Mapping[str, Any]) -> bool:
    return all(training.get(key) == value for key, value in wanted.items())


def load_checkpoint(path: Path, network: nn.Module, optimizer: torch.optim.Optimizer | None = None) -> None:
    """Set the network, and the optimizer if there is one, to the state that `save_checkpoint` wrote."""
    with safetensors.safe_open(path, "pt") as file:
        network.load_state_dict({name: file.get_tensor(f"network.{name}") for name in network.state_dict()})
        if optimizer is not None:
            _load_optimizer(optimizer, {name: file.get_tensor(name) for name in file.keys()})  # noqa: SIM118


def prune(folder: Path, wanted: Mapping[str, Any], kept: int, also: Collection[Path]) -> None:
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
