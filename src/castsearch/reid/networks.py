"""The two kinds of ReID network, and the files that they are kept in."""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, get_args

import safetensors
import torch
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

from castsearch.errors import InputError
from castsearch.hardware import torch_has_gpu
from castsearch.reid.backbones import TIMM, open_backbone, without_stride
from castsearch.reid.heads import MGN, Description, Kind, Neck, Pooling, Triplet
from castsearch.reid.weights import fill, read_tensors, write_tensors

INPUT_SIZE = (256, 128)  # height and width in pixels


def build(
    kind: Kind,
    backbone: str,
    num_classes: int,
    *,
    imagenet: Path | None = None,
    input_size: tuple[int, int] = INPUT_SIZE,
    pooling: Pooling = "average",
    neck: Neck = "seed",
) -> Triplet | MGN:
    """Build a ReID network.

    Args:
        kind: "triplet" for one global embedding, "mgn" for four of the whole and of halves, see `heads`.
        backbone: a ResNet, DenseNet or MobileNetV2 of torchvision's, such as "resnet50"; or any of timm's models,
            "timm/convnext_tiny" or with the tag of its weights, "timm/convnext_tiny.in12k", which says what the pixels
            are normalised to. A model whose stages follow each other as convolutions do serves both kinds. Another,
            such as a vision transformer, serves `triplet` as it is, with its own pooling.
        num_classes: people to tell apart in training; 0 leaves the classifiers out.
        imagenet: torchvision's or timm's own weights for the backbone (.pth or .safetensors) to start from; random
            ones if None.
        input_size: height and width in pixels of the images that it will see.
        pooling: "average", or "gem" for `heads.GeM`.
        neck: "seed" or "bnneck", see `heads.ReidNetwork`.

    Raises:
        ValueError: `kind`, `pooling` or `neck` is unknown.
        InputError: there is no such backbone; the `imagenet` file is missing, unreadable or belongs to another
            architecture; or timm's model does not take images of that size, or has no stages where `kind` or `pooling`
            needs them.
    """
    for name, chosen, known in (("kind", kind, Kind), ("pooling", pooling, Pooling), ("neck", neck, Neck)):
        if chosen not in get_args(known):
            raise ValueError(f"{name} {chosen!r} is none of {', '.join(get_args(known))}")
    trunk, last_stage, width = open_backbone(kind, backbone, imagenet, input_size, pooling)
    described = Description(backbone_name=backbone, input_size=input_size, pooling=pooling, neck=neck)
    if kind == "triplet":
        return Triplet(trunk, width, num_classes, **described)
    return MGN(trunk, last_stage, without_stride(last_stage), width, num_classes, **described)


def build_pretrained(backbone: str, imagenet: Path) -> Triplet | MGN:
    """Build a network that describes people by what ImageNet's classes taught its backbone.

    Which form of it serves best was measured on real people; docs/bodies.md has the table.

    Raises:
        InputError: see `build`.
    """
    return build("mgn", backbone, 0, imagenet=imagenet, pooling="gem").eval()


def pick_device(name: str) -> torch.device:
    """Return torch's device `name`, "auto" being the GPU where there is one and the CPU elsewhere."""
    if name == "auto":
        name = "cuda" if torch_has_gpu() else "cpu"
    return torch.device(name)


def load_weights(path: Path, kind: Kind | None = None, backbone: str | None = None) -> Triplet | MGN:
    """Load a network for extracting features, without its classifiers, in evaluation mode.

    Args:
        path: weights written by `save_weights`, or a checkpoint that was published with the reference system (a state
            dict).
        kind: needed for a published checkpoint, which does not say what it is. For any other file, it must be what the
            file says.
        backbone: likewise.

    Raises:
        InputError: the file is missing, unreadable, or does not hold exactly this network.
    """
    path = Path(path)
    state = read_tensors(path, "weights of a ReID network")
    described: dict[str, Any] = {"kind": kind, "backbone": backbone} | _description_in(path)
    for wanted, found in ((kind, described["kind"]), (backbone, described["backbone"])):
        if wanted not in (None, found):
            raise InputError(f"{path}: holds {described['kind']} on {described['backbone']}, not {kind} on {backbone}")
    kind, backbone = described.pop("kind"), described.pop("backbone")
    if kind is None or backbone is None:
        raise InputError(f"{path}: says neither its kind nor its backbone; name them")
    # No memory and no random numbers for weights that are about to be replaced; but timm's models are run to be split,
    # and hold tensors that are in no file.
    place = torch.device("cpu") if str(backbone).startswith(TIMM) else _without_memory()
    with place, torch.random.fork_rng(devices=[]):
        try:
            network = build(kind, backbone, 0, **described)
        except (InputError, ValueError, TypeError) as error:
            raise InputError(f"{path}: describes no network that can be built: {error}") from None
    fill(network, state, path, f"{kind} on {backbone}", ignoring=("logits.",))
    return network.eval()


@contextmanager
def _without_memory() -> Iterator[None]:
    """Let new tensors have no memory, and so no numbers."""
    with torch.device("meta"), _WithoutNormals():
        yield


class _WithoutNormals(TorchFunctionMode):
    """Draw no normally distributed numbers: for tensors without memory, torch would import its compiler to do so."""

    def __torch_function__(
        self,
        func: Callable[..., Any],
        types: Sequence[type],
        args: Sequence[Any] = (),
        kwargs: Mapping[str, Any] | None = None,
    ) -> object:
        """Call `func` unless it draws."""
        given = dict(kwargs or {})
        if func in (Tensor.normal_, nn.init.normal_):
            return args[0] if args else given["tensor"]
        return func(*args, **given)


def _description_in(path: Path) -> dict[str, Any]:
    """Return what a file of `save_weights` says of its network; nothing for any other file."""
    if path.suffix != ".safetensors":
        return {}
    with safetensors.safe_open(path, "pt") as file:
        metadata = file.metadata() or {}
    try:
        described = dict(json.loads(metadata.get("network", "{}")))
        if "input_size" in described:
            height, width = described["input_size"]
            described["input_size"] = int(height), int(width)
    except (TypeError, ValueError) as error:
        raise InputError(f"{path}: cannot be read as weights of a ReID network: {error}") from None
    return described


def save_weights(network: Triplet | MGN, path: Path) -> None:
    """Write what `load_weights` needs as safetensors: all tensors but the classifiers, and what they belong to."""
    state = {name: tensor for name, tensor in network.state_dict().items() if not name.startswith("logits.")}
    description = {
        "kind": network.kind,
        "backbone": network.backbone_name,
        "input_size": network.input_size,
        "pooling": network.pooling,
        "neck": network.neck,
    }
    write_tensors(state, path, {"network": json.dumps(description)})
