"""Files of named tensors, and networks that are filled from them without tolerance."""

import pickle
from collections.abc import Mapping
from pathlib import Path

import safetensors
import torch
from safetensors.torch import load_file
from torch import Tensor, nn

from castsearch.errors import InputError


def read_tensors(path: Path, what: str) -> dict[str, Tensor]:
    """Read a file of named tensors.

    Args:
        path: A .safetensors file, or a state dict that torch saved. No code in it is run.
        what: What the file should hold, for the message.

    Raises:
        InputError: The file is missing, unreadable, or holds something else.
    """
    path = Path(path)
    if not path.is_file():
        raise InputError(f"{path}: no such file; expected {what}")
    try:
        if path.suffix == ".safetensors":
            return load_file(path)
        state = torch.load(path, map_location="cpu", weights_only=True)
    except (safetensors.SafetensorError, pickle.UnpicklingError, RuntimeError, EOFError, OSError, ValueError) as error:
        reason = str(error).strip().split("\n", 1)[0] or type(error).__name__
        raise InputError(f"{path}: cannot be read as {what}: {reason}") from error
    if not isinstance(state, Mapping) or not all(isinstance(tensor, Tensor) for tensor in state.values()):
        raise InputError(f"{path}: holds no plain state dict; expected {what}")
    return dict(state)


def fill(
    network: nn.Module, state: Mapping[str, Tensor], path: Path, what: str, *, ignoring: tuple[str, ...] = ()
) -> None:
    """Fill a network from tensors of exactly its names and shapes.

    Args:
        network: The network. It may be on the meta device, because its tensors are replaced.
        state: The tensors by name.
        path: Where they come from, for the message.
        what: What the network is, for the message.
        ignoring: Starts of names that are left as they are in the network, and may be anything in `state`.

    Raises:
        InputError: A tensor is missing, superfluous or of another shape.
    """
    wanted = {name: tensor for name, tensor in network.state_dict().items() if not name.startswith(ignoring)}
    # Files from before torch 0.4.1 do not count batches.
    counters = {name: torch.tensor(0) for name in wanted if name.endswith("num_batches_tracked")}
    given = counters | {name: tensor for name, tensor in state.items() if not name.startswith(ignoring)}
    for name in [*wanted, *given]:
        expected, found = (tuple(of[name].shape) if name in of else "nothing" for of in (wanted, given))
        if expected != found:
            raise InputError(f"{path}: not the weights of {what}: expected {expected} as {name}, found {found}")
    network.load_state_dict({name: given[name].to(wanted[name].dtype) for name in wanted}, strict=False, assign=True)
