"""The two kinds of ReID network on torchvision's and timm's backbones, and the files that their weights live in.

On torchvision's, names and shapes of all parameters are those of the checkpoints that the seed system published, so
those load as they are.
"""

import copy
import json
import pickle
import re
import sys
from collections import OrderedDict
from collections.abc import Mapping
from pathlib import Path
from typing import Literal

import safetensors
import timm
import torch
import torchvision
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from castsearch.errors import InputError
from castsearch.files import replacing
from castsearch.reid.images import MEAN, STD

Kind = Literal["triplet", "mgn"]
Pooling = Literal["average", "gem"]
Neck = Literal["seed", "bnneck"]

KINDS = ("triplet", "mgn")
POOLINGS = ("average", "gem")
NECKS = ("seed", "bnneck")
TIMM = "timm/"  # in front of the name of one of timm's models, with or without a tag of its pretrained weights
BACKBONES = (  # torchvision's
    "resnet50",
    "resnet101",
    "resnet152",
    "resnext50_32x4d",
    "resnext101_32x8d",
    "densenet121",
    "densenet161",
    "densenet169",
    "densenet201",
    "mobilenet_v2",
)
INPUT_SIZE = (256, 128)  # height and width in pixels

# A training step's view of the network: of each of its parts the embedding that triplets are made of, (n, d), and the
# logits (n, classes).
Parts = list[tuple[Tensor, Tensor]]


class Average(nn.Module):
    """Mean over a map's positions, (n, d, h, w) → (n, d), in at least float32."""

    def forward(self, maps: Tensor) -> Tensor:
        """Pool `maps`."""
        return maps.mean(dim=(2, 3), dtype=torch.promote_types(maps.dtype, torch.float32))


class GeM(nn.Module):
    """Generalised mean over a map's positions, (n, d, h, w) → (n, d), in at least float32: (mean of x^p)^(1/p).

    Radenović et al., "Fine-tuning CNN Image Retrieval with No Human Annotation", 2018. The average has p = 1 and the
    maximum p → ∞; here p is learnt, from 3.
    """

    def __init__(self):
        super().__init__()
        self.p = nn.Parameter(torch.full((1,), 3.0))

    def forward(self, maps: Tensor) -> Tensor:
        """Pool `maps`, of which all that is not positive counts as nearly 0."""
        maps = maps.to(torch.promote_types(maps.dtype, torch.float32)).clamp(min=1e-6)
        return maps.pow(self.p).mean(dim=(2, 3)).pow(1 / self.p)


class ReidNetwork(nn.Module):
    """What both kinds have in common.

    In training mode `forward` returns `Parts`; in evaluation mode the embeddings alone, which are what a person is
    described by: (n, d) for `triplet`, (n, 4, d) for `mgn`.

    A pooled map becomes an embedding through a batch norm, on which a linear classifier stands. In the seed system's
    neck the embedding serves the triplets, too. The "bnneck" makes the triplets of what enters the norm, because
    distances and angles ask for different spaces, and leaves out the biases of norm and classifier (Luo et al., "Bag of
    Tricks and A Strong Baseline for Deep Person Re-identification", 2019).

    Attributes:
        kind: "triplet" or "mgn".
        backbone_name: one of `BACKBONES`, or one of timm's models as "timm/name".
        input_size: height and width of the images that the network is trained on.
        pooling: "average" or "gem".
        neck: "seed" or "bnneck".
        feature_size: length of all embeddings of an image together.
    """

    kind: Kind
    feature_size: int

    def __init__(self, backbone_name: str, input_size: tuple[int, int], pooling: Pooling, neck: Neck):
        super().__init__()
        self.backbone_name, self.input_size, self.pooling, self.neck = backbone_name, input_size, pooling, neck

    def _pool(self) -> nn.Module:
        return {"average": Average, "gem": GeM}[self.pooling]()

    def _norm(self, width: int) -> nn.BatchNorm1d:
        return nn.BatchNorm1d(width, bias=self.neck == "seed")

    def _classifier(self, width: int, num_classes: int) -> nn.Linear:
        classifier = nn.Linear(width, num_classes, bias=self.neck == "seed")
        if self.neck == "bnneck":
            nn.init.normal_(classifier.weight, std=0.001)
        return classifier

    def _part(self, pooled: Tensor, embedding: Tensor, classifier: nn.Linear) -> tuple[Tensor, Tensor]:
        return embedding if self.neck == "seed" else pooled, classifier(embedding)


class Triplet(ReidNetwork):
    """One global embedding: backbone, pooling over the whole map, batch norm, and a classifier on the embedding."""

    kind = "triplet"

    def __init__(self, backbone: nn.Sequential, width: int, num_classes: int, **described):
        super().__init__(**described)
        self.backbone = backbone
        self.feature_size = width
        self.pool = self._pool()
        self.bn = self._norm(width)
        self.logits = self._classifier(width, num_classes) if num_classes else None

    def forward(self, images: Tensor) -> Tensor | Parts:
        """Embed `images`, (n, 3, height, width)."""
        pooled = self.pool(self.backbone(images))
        embedding = self.bn(pooled)
        return [self._part(pooled, embedding, self.logits)] if self.training else embedding


class MGN(ReidNetwork):
    """Four embeddings from two copies of the last stage.

    A reduced form of Wang et al., "Learning Discriminative Features with Multiple Granularities for Person
    Re-Identification", 2018. `branch1` keeps the stage's stride and gives a global embedding; `branch2` has stride 1
    and gives another global one and those of the upper and the lower half.
    """

    kind = "mgn"

    def __init__(self, trunk: nn.Sequential, last_stage: nn.Sequential, width: int, num_classes: int, **described):
        super().__init__(**described)
        self.backbone, self.branch1, self.branch2 = trunk, last_stage, _without_stride(last_stage)
        self.feature_size = 4 * width
        self.pools = nn.ModuleList(self._pool() for _ in range(4))
        self.bns = nn.ModuleList(self._norm(width) for _ in range(4))
        self.logits = nn.ModuleList(self._classifier(width, num_classes) for _ in range(4)) if num_classes else None

    def forward(self, images: Tensor) -> Tensor | Parts:
        """Embed `images`, (n, 3, height, width)."""
        shared = self.backbone(images)
        coarse, fine = self.branch1(shared), self.branch2(shared)
        upper, lower = fine.chunk(2, dim=2)
        pooled = [pool(maps) for pool, maps in zip(self.pools, (coarse, fine, upper, lower), strict=True)]
        embeddings = [bn(each) for bn, each in zip(self.bns, pooled, strict=True)]
        if not self.training:
            return torch.stack(embeddings, dim=1)
        return list(map(self._part, pooled, embeddings, self.logits))


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
        kind: "triplet" or "mgn".
        backbone: one of `BACKBONES`; or any of timm's models, "timm/convnext_tiny" or with the tag of its weights,
            "timm/convnext_tiny.in12k", which says what the pixels are normalised to. A model whose stages follow each
            other as convolutions do serves both kinds. Another, such as a vision transformer, serves `triplet` as it
            is, with its own pooling.
        num_classes: people to tell apart in training; 0 leaves the classifiers out.
        imagenet: torchvision's or timm's own weights for the backbone (.pth or .safetensors) to start from; random
            without.
        input_size: height and width of the images that it will see.
        pooling: "average", or "gem" for `GeM`.
        neck: "seed" or "bnneck", see `ReidNetwork`.

    Raises:
        ValueError: `kind`, `backbone`, `pooling` or `neck` is unknown.
        InputError: the `imagenet` file is missing, unreadable or belongs to another architecture; timm's model does not
            take images of that size, or has no stages where `kind` or `pooling` needs them.
    """
    for name, chosen, known in (("kind", kind, KINDS), ("pooling", pooling, POOLINGS), ("neck", neck, NECKS)):
        if chosen not in known:
            raise ValueError(f"{name} {chosen!r} is none of {', '.join(known)}")
    if not is_backbone(backbone):
        raise ValueError(f"backbone {backbone!r} is none of {', '.join(BACKBONES)}, nor timm/ and one of timm's models")
    parts = _timm_parts if backbone.startswith(TIMM) else _torchvision_parts
    network = Triplet if kind == "triplet" else MGN
    return network(
        *parts(kind, backbone, imagenet, input_size, pooling),
        num_classes,
        backbone_name=backbone,
        input_size=input_size,
        pooling=pooling,
        neck=neck,
    )


def is_backbone(name: str) -> bool:
    """Tell whether `build` knows a backbone of this name."""
    if not name.startswith(TIMM):
        return name in BACKBONES
    architecture, _, tag = name.removeprefix(TIMM).partition(".")
    return timm.is_model(architecture) and (not tag or f"{architecture}.{tag}" in timm.list_pretrained(architecture))


def pick_device(name: str) -> torch.device:
    """Return torch's device `name`, "auto" being the GPU where there is one and the CPU elsewhere."""
    if name == "auto":
        name = "cuda" if torch.cuda.is_available() else "cpu"
    return torch.device(name)


def _torchvision_parts(
    kind: Kind, name: str, imagenet: Path | None, _input_size: tuple[int, int], _pooling: Pooling
) -> tuple[nn.Sequential, int] | tuple[nn.Sequential, nn.Sequential, int]:
    """Return what the network of this kind is made of and the width of its maps."""
    net = getattr(torchvision.models, name)(weights=None)
    if imagenet is not None:
        load_imagenet(net, imagenet, name)
    return _triplet_backbone(net) if kind == "triplet" else _mgn_stages(net)


def _triplet_backbone(net: nn.Module) -> tuple[nn.Sequential, int]:
    """Return torchvision's `net` without its classifier, its last stride removed, and the width of its output."""
    if isinstance(net, torchvision.models.ResNet):
        _remove_strides(net.layer4)
        stages = OrderedDict(net.named_children())
        del stages["avgpool"], stages["fc"]
        return nn.Sequential(stages), net.fc.in_features
    if isinstance(net, torchvision.models.DenseNet):  # the published networks keep DenseNet's last stride here
        return nn.Sequential(OrderedDict(features=net.features)), net.classifier.in_features
    _remove_strides(net.features[14])
    return nn.Sequential(OrderedDict(features=net.features)), net.last_channel


def _mgn_stages(net: nn.Module) -> tuple[nn.Sequential, nn.Sequential, int]:
    """Split torchvision's `net` into the shared trunk and the last stage, and return the latter's output width."""
    if isinstance(net, torchvision.models.ResNet):
        *trunk, last_stage, _avgpool, fc = net.children()
        return nn.Sequential(*trunk), last_stage, fc.in_features
    if isinstance(net, torchvision.models.DenseNet):
        *trunk, transition, block, _norm = net.features  # the published networks have no norm after the last block
        return nn.Sequential(*trunk), nn.Sequential(transition, block), net.classifier.in_features
    return net.features[:14], net.features[14:], net.last_channel


def _without_stride(stage: nn.Sequential) -> nn.Sequential:
    stage = copy.deepcopy(stage)
    _remove_strides(stage)
    return stage


def _remove_strides(stage: nn.Module) -> None:
    """Make `stage` keep the size of its input, if nothing but convolutions and pools with a stride reduce it."""
    for module in list(stage.modules()):
        for name, child in module.named_children():
            if isinstance(child, nn.AvgPool2d | nn.MaxPool2d) and _pair(child.kernel_size) == _pair(child.stride):
                setattr(module, name, nn.Identity())
        if isinstance(module, nn.Conv2d):
            if max(module.stride) > 1 and module.padding == (0, 0) and module.kernel_size[0] > 1:
                module.padding = "same"  # patches side by side, as ConvNeXt merges them
            module.stride = (1, 1)
        elif isinstance(module, nn.AvgPool2d | nn.MaxPool2d | timm.layers.BlurPool2d):
            module.stride = 1


def _pair(number: int | tuple[int, int]) -> tuple[int, int]:
    return number if isinstance(number, tuple) else (number, number)


class _Renormalise(nn.Module):
    """From pixels normalised with ImageNet's statistics to those that a model was trained with."""

    def __init__(self, mean: tuple[float, ...], std: tuple[float, ...]):
        super().__init__()
        old_mean, old_std, mean, std = (torch.tensor(values).view(3, 1, 1) for values in (MEAN, STD, mean, std))
        self.register_buffer("scale", old_std / std)
        self.register_buffer("shift", (old_mean - mean) / std)

    def forward(self, images: Tensor) -> Tensor:
        return images * self.scale + self.shift


def _timm_parts(
    kind: Kind, name: str, weights: Path | None, input_size: tuple[int, int], pooling: Pooling
) -> tuple[nn.Sequential, int] | tuple[nn.Sequential, nn.Sequential, int]:
    """Return what the network of this kind is made of and the width of its maps, or of what the model pools itself."""
    described = timm.get_pretrained_cfg(name.removeprefix(TIMM)) or timm.models.PretrainedCfg()
    size = {"img_size": input_size} if described.fixed_input_size else {}
    net = timm.create_model(name.removeprefix(TIMM), num_classes=0, **size)
    if weights is not None:
        _load_timm(net, weights, name)
    start = [] if (described.mean, described.std) == (MEAN, STD) else [_Renormalise(described.mean, described.std)]
    image = torch.rand((1, 3, *input_size), generator=torch.Generator().manual_seed(0))
    net.eval()
    try:
        with torch.no_grad():
            calls = _calls(net, image)
            width = net(image).shape[1]
    except (AssertionError, RuntimeError, ValueError) as error:
        reason = str(error).strip().split("\n", 1)[0]
        raise InputError(f"{name} does not take images of {input_size[0]}x{input_size[1]} pixels: {reason}") from error
    stages = _split(calls, image, net.num_features)
    net.train()
    if stages is None:
        if kind != "triplet" or pooling != "average":
            wish = f"kind {kind}" if kind != "triplet" else f"pooling {pooling}"
            raise InputError(f"{name} has no last stage whose stride could be removed, which {wish} needs")
        return nn.Sequential(*start, net, nn.Unflatten(1, (width, 1, 1))), width
    trunk, last_stage = stages
    if kind == "mgn":
        return nn.Sequential(*start, *trunk), last_stage, net.num_features
    return nn.Sequential(*start, *trunk, *_without_stride(last_stage)), net.num_features


def _load_timm(net: nn.Module, path: Path, name: str) -> None:
    """Fill timm's model from its own weights; those of a transformer's positions are resampled to the image size."""
    state = _read_tensors(path, f"the pretrained weights of {name}")
    adapt = getattr(sys.modules[type(net).__module__], "checkpoint_filter_fn", None)
    if adapt and net.pretrained_cfg["fixed_input_size"]:
        try:
            state = adapt(state, net)
        except (AttributeError, KeyError, RuntimeError, TypeError, ValueError) as error:
            raise InputError(f"{path}: not the weights of {name}: {error}") from error
    classifiers = net.pretrained_cfg["classifier"]
    classifiers = (classifiers,) if isinstance(classifiers, str) else classifiers or ()
    _load_strictly(net, state, path, name, ignoring=tuple(f"{each}." for each in classifiers))


def _calls(net: nn.Module, image: Tensor) -> list[tuple[nn.Module, Tensor]] | None:
    """Return timm's `net` as a chain of modules with their outputs, None where it is not one.

    A chain passes each module's output to the next and nothing else; its members are the model's children, or theirs
    where a child is no more than a sequence.
    """
    members = [m for child in net.children() for m in (child if isinstance(child, nn.Sequential) else [child])]
    calls = []

    def note(module: nn.Module, inputs: tuple, keywords: dict, output: object) -> None:
        calls.append((module, inputs, keywords, output))

    hooks = [member.register_forward_hook(note, with_kwargs=True) for member in members]
    result = net.forward_features(image)
    for hook in hooks:
        hook.remove()
    last = image
    for _module, inputs, keywords, output in calls:
        if keywords or len(inputs) != 1 or inputs[0] is not last:
            return None
        last = output
    return [(module, output) for module, _, _, output in calls] if last is result else None


def _split(
    calls: list[tuple[nn.Module, Tensor]] | None, image: Tensor, width: int
) -> tuple[list[nn.Module], nn.Sequential] | None:
    """Split a chain of modules where the map last shrinks, if it would keep its size there without strides."""
    maps = [image, *(output for _, output in calls or [])]
    if not all(isinstance(each, Tensor) and each.ndim == 4 for each in maps) or maps[-1].shape[1] != width:
        return None
    modules = [module for module, _ in calls]
    shrinking = [number for number in range(len(modules)) if maps[number + 1].shape[2] < maps[number].shape[2]]
    if not shrinking:
        return None
    opening = shrinking[-1]
    last_stage = nn.Sequential(*modules[opening:])
    try:
        with torch.no_grad():
            kept = _without_stride(last_stage)(maps[opening])
    except RuntimeError:  # branches of different sizes
        return None
    return (modules[:opening], last_stage) if kept.shape[2:] == maps[opening].shape[2:] else None


def load_imagenet(net: nn.Module, path: Path, name: str) -> None:
    """Fill torchvision's model `net` from its ImageNet weights.

    Args:
        net: the model; its classifier is left as it is.
        path: torchvision's file, .pth or .safetensors, with or without the classifier.
        name: the architecture, for the message.

    Raises:
        InputError: the file is missing, unreadable or belongs to another architecture.
    """
    # torchvision's DenseNet files are older than its names: what was "norm.1.weight" is now "norm1.weight".
    state = {
        re.sub(r"(denselayer\d+\.(?:norm|conv))\.([12]\.)", r"\1\2", key): tensor
        for key, tensor in _read_tensors(path, f"the ImageNet weights of {name}").items()
    }
    _load_strictly(net, state, path, f"torchvision's {name}", ignoring=("fc.", "classifier."))


def load_weights(path: Path, kind: Kind | None = None, backbone: str | None = None) -> Triplet | MGN:
    """Load a network for extracting features, without its classifiers, in evaluation mode.

    Args:
        path: weights written by `save_weights`, or a checkpoint published with the seed system (a state dict).
        kind: needed for a published checkpoint, which does not say what it is; must be what a file says that does.
        backbone: likewise.

    Raises:
        InputError: the file is missing, unreadable, or does not hold exactly this network.
    """
    path = Path(path)
    state = _read_tensors(path, "weights of a ReID network")
    described = {"kind": kind, "backbone": backbone, "input_size": INPUT_SIZE, "pooling": "average", "neck": "seed"}
    if path.suffix == ".safetensors":
        with safetensors.safe_open(path, "pt") as file:
            described |= json.loads((file.metadata() or {}).get("network", "{}"))
    for wanted, found in ((kind, described["kind"]), (backbone, described["backbone"])):
        if wanted not in (None, found):
            raise InputError(f"{path}: holds {described['kind']} on {described['backbone']}, not {kind} on {backbone}")
    kind, backbone = described.pop("kind"), described.pop("backbone")
    described["input_size"] = tuple(described["input_size"])
    if kind not in KINDS or not is_backbone(str(backbone)):
        raise InputError(f"{path}: says neither its kind nor its backbone; name them (found {kind!r}, {backbone!r})")
    # No memory and no random numbers for weights that are about to be replaced; but timm's models are run to be split,
    # and hold tensors that are in no file.
    with torch.device("cpu" if backbone.startswith(TIMM) else "meta"), torch.random.fork_rng(devices=[]):
        network = build(kind, backbone, 0, **described)
    _load_strictly(network, state, path, f"{kind} on {backbone}", ignoring=("logits.",))
    return network.eval()


def save_weights(network: Triplet | MGN, path: Path) -> None:
    """Write what `load_weights` needs as safetensors: all tensors but the classifiers, and what they belong to."""
    state = {
        name: tensor.cpu().contiguous()
        for name, tensor in network.state_dict().items()
        if not name.startswith("logits.")
    }
    description = {
        "kind": network.kind,
        "backbone": network.backbone_name,
        "input_size": network.input_size,
        "pooling": network.pooling,
        "neck": network.neck,
    }
    # One entry, because safetensors writes several in an order that changes from run to run.
    metadata = {"network": json.dumps(description)}
    with replacing(path) as temporary:
        save_file(state, temporary, metadata)


def _read_tensors(path: Path, what: str) -> dict[str, Tensor]:
    """Read a file of named tensors; `what` says in an error what should have been there."""
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


def _load_strictly(
    network: nn.Module, state: dict[str, Tensor], path: Path, what: str, ignoring: tuple[str, ...]
) -> None:
    """Fill `network` from a `state` of exactly its names and shapes, those that start as in `ignoring` left aside."""
    wanted = {name: tensor for name, tensor in network.state_dict().items() if not name.startswith(ignoring)}
    # Files from before torch 0.4.1 do not count batches.
    counters = {name: torch.tensor(0) for name in wanted if name.endswith("num_batches_tracked")}
    state = counters | {name: tensor for name, tensor in state.items() if not name.startswith(ignoring)}
    for name in [*wanted, *state]:
        expected, found = (tuple(of[name].shape) if name in of else "nothing" for of in (wanted, state))
        if expected != found:
            raise InputError(f"{path}: not the weights of {what}: expected {expected} as {name}, found {found}")
    # Assigned rather than copied, because a network on the meta device has nothing to copy into.
    network.load_state_dict({name: state[name].to(wanted[name].dtype) for name in wanted}, strict=False, assign=True)
