"""The convolutional part of a ReID network: torchvision's and timm's classification models, taken apart.

A model's name is data. Of torchvision's models, every ResNet (ResNeXt and Wide ResNet among them), DenseNet and
MobileNetV2 will do; timm's models are examined by running them. On torchvision's, names and shapes of all parameters
are those of the checkpoints that the reference system published, so those load as they are.
"""

import copy
import re
import sys
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple, TypeGuard

import torch
from torch import Tensor, nn

from castsearch.errors import InputError
from castsearch.reid.heads import Kind, Pooling
from castsearch.reid.lazy_dynamo import lazy_dynamo
from castsearch.reid.transforms import MEAN, STD
from castsearch.reid.weights import fill, read_tensors

with lazy_dynamo():
    import torchvision

TIMM = "timm/"  # before the name of one of timm's models, which may have a tag of its pretrained weights


class Backbone(NamedTuple):
    """A model without its classifier.

    Attributes:
        trunk: from images (n, 3, height, width) to maps. For `triplet` it is the whole model, its last stride removed.
        last_stage: for `mgn`, what follows the trunk, with its stride. Empty for `triplet`.
        width: channels of the maps in the end.
    """

    trunk: nn.Sequential
    last_stage: nn.Sequential
    width: int


def open_backbone(
    kind: Kind, name: str, weights: Path | None, input_size: tuple[int, int], pooling: Pooling
) -> Backbone:
    """Take a model apart for a ReID network.

    Args:
        kind: of the network that it is for.
        name: a model of torchvision's, or "timm/" and one of timm's.
        weights: torchvision's or timm's own weights (.pth or .safetensors); random ones if None.
        input_size: height and width of the images in pixels.
        pooling: how its maps will be pooled.

    Raises:
        InputError: no such model, or one that cannot be taken apart; the weights' file is missing, unreadable or
            belongs to another model; or timm's model does not take images of that size.
    """
    if name.startswith(TIMM):
        return _open_timm(kind, name, weights, input_size, pooling)
    return _open_torchvision(kind, name, weights)


def _open_torchvision(kind: Kind, name: str, weights: Path | None) -> Backbone:
    known = name in torchvision.models.list_models(module=torchvision.models)
    net: nn.Module | None = torchvision.models.get_model(name, weights=None) if known else None
    if not isinstance(net, torchvision.models.ResNet | torchvision.models.DenseNet | torchvision.models.MobileNetV2):
        raise InputError(
            f"backbone {name!r} is none of torchvision's ResNets, DenseNets and MobileNetV2, "
            "nor timm/ and one of timm's models"
        )
    if weights is not None:
        load_imagenet(net, weights, name)
    return _whole(net) if kind == "triplet" else _in_stages(net)


def _whole(net: Any) -> Backbone:
    """Return torchvision's `net` without its classifier, its last stride removed."""
    if isinstance(net, torchvision.models.ResNet):
        _remove_strides(net.layer4)
        stages = OrderedDict(net.named_children())
        del stages["avgpool"], stages["fc"]
        return Backbone(nn.Sequential(stages), nn.Sequential(), net.fc.in_features)
    if isinstance(net, torchvision.models.DenseNet):  # the published networks keep DenseNet's last stride here
        return Backbone(nn.Sequential(OrderedDict(features=net.features)), nn.Sequential(), net.classifier.in_features)
    _remove_strides(net.features[14])
    return Backbone(nn.Sequential(OrderedDict(features=net.features)), nn.Sequential(), net.last_channel)


def _in_stages(net: Any) -> Backbone:
    """Split torchvision's `net` into the trunk and the last stage."""
    if isinstance(net, torchvision.models.ResNet):
        *trunk, last_stage, _avgpool, fc = net.children()
        return Backbone(nn.Sequential(*trunk), last_stage, fc.in_features)
    if isinstance(net, torchvision.models.DenseNet):
        *trunk, transition, block, _norm = net.features  # the published networks have no norm after the last block
        return Backbone(nn.Sequential(*trunk), nn.Sequential(transition, block), net.classifier.in_features)
    return Backbone(net.features[:14], net.features[14:], net.last_channel)


def without_stride(stage: nn.Sequential) -> nn.Sequential:
    """Return a copy of `stage` without strides, which keeps the size of its input if nothing else reduced it."""
    stage = copy.deepcopy(stage)
    _remove_strides(stage)
    return stage


def _remove_strides(stage: nn.Module) -> None:
    for module in list(stage.modules()):
        for name, child in module.named_children():
            if isinstance(child, nn.AvgPool2d | nn.MaxPool2d) and _pair(child.kernel_size) == _pair(child.stride):
                setattr(module, name, nn.Identity())
        if isinstance(module, nn.Conv2d):
            if max(module.stride) > 1 and module.padding == (0, 0) and module.kernel_size[0] > 1:
                module.padding = "same"  # patches side by side, as ConvNeXt merges them
            module.stride = (1, 1)
        elif _pools(module):
            module.stride = 1


def _pools(module: nn.Module) -> TypeGuard[nn.AvgPool2d | nn.MaxPool2d]:
    if isinstance(module, nn.AvgPool2d | nn.MaxPool2d):
        return True
    layers = sys.modules.get("timm.layers")  # not imported for a network that has none of timm's: it takes a second
    return layers is not None and isinstance(module, layers.BlurPool2d)


def _pair(number: int | tuple[int, int]) -> tuple[int, int]:
    return number if isinstance(number, tuple) else (number, number)


class _Renormalise(nn.Module):
    """From pixels normalised with ImageNet's statistics to those that a model was trained with."""

    def __init__(self, mean: tuple[float, ...], std: tuple[float, ...]) -> None:
        super().__init__()
        old_mean, old_std, new_mean, new_std = (torch.tensor(v).view(3, 1, 1) for v in (MEAN, STD, mean, std))
        self.scale: Tensor
        self.shift: Tensor
        self.register_buffer("scale", old_std / new_std)
        self.register_buffer("shift", (old_mean - new_mean) / new_std)

    def forward(self, images: Tensor) -> Tensor:
        return images * self.scale + self.shift


def _open_timm(kind: Kind, name: str, weights: Path | None, input_size: tuple[int, int], pooling: Pooling) -> Backbone:
    """Take timm's model apart; one without stages becomes a trunk that pools its maps itself."""
    import timm  # noqa: PLC0415 (it takes a second, and few networks are timm's)

    model = name.removeprefix(TIMM)
    architecture, _, tag = model.partition(".")
    if not timm.is_model(architecture) or (tag and model not in timm.list_pretrained(architecture)):
        raise InputError(f"backbone {name!r} is none of timm's models")
    described = timm.get_pretrained_cfg(model) or timm.models.PretrainedCfg()
    size: dict[str, Any] = {"img_size": input_size} if described.fixed_input_size else {}
    net: Any = timm.create_model(model, num_classes=0, **size)
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
        return Backbone(nn.Sequential(*start, net, nn.Unflatten(1, (width, 1, 1))), nn.Sequential(), width)
    trunk, last_stage = stages
    if kind == "mgn":
        return Backbone(nn.Sequential(*start, *trunk), last_stage, net.num_features)
    return Backbone(nn.Sequential(*start, *trunk, *without_stride(last_stage)), nn.Sequential(), net.num_features)


def _load_timm(net: Any, path: Path, name: str) -> None:
    """Fill timm's model from its own weights; those of a transformer's positions are resampled to the image size."""
    state: Mapping[str, Tensor] = read_tensors(path, f"the pretrained weights of {name}")
    adapt = getattr(sys.modules[type(net).__module__], "checkpoint_filter_fn", None)
    if adapt and net.pretrained_cfg["fixed_input_size"]:
        try:
            state = adapt(state, net)
        except (AttributeError, KeyError, RuntimeError, TypeError, ValueError) as error:
            raise InputError(f"{path}: not the weights of {name}: {error}") from error
    classifiers = net.pretrained_cfg["classifier"]
    classifiers = (classifiers,) if isinstance(classifiers, str) else classifiers or ()
    fill(net, state, path, name, ignoring=tuple(f"{each}." for each in classifiers))


def _calls(net: Any, image: Tensor) -> list[tuple[nn.Module, Tensor]] | None:
    """Return timm's `net` as a chain of modules with their outputs, None where it is not one.

    A chain passes each module's output to the next and nothing else. Its members are the model's children, or theirs
    where a child is no more than a sequence.
    """
    members = [m for child in net.children() for m in (child if isinstance(child, nn.Sequential) else [child])]
    calls: list[tuple[nn.Module, tuple[Any, ...], dict[str, Any], Any]] = []

    def note(module: nn.Module, inputs: tuple[Any, ...], keywords: dict[str, Any], output: Any) -> None:
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
    calls: Sequence[tuple[nn.Module, Tensor]] | None, image: Tensor, width: int
) -> tuple[list[nn.Module], nn.Sequential] | None:
    """Split a chain of modules where the map last shrinks, if it would keep its size there without strides."""
    maps = [image, *(output for _, output in calls or [])]
    if not all(isinstance(each, Tensor) and each.ndim == 4 for each in maps) or maps[-1].shape[1] != width:
        return None
    modules = [module for module, _ in calls or []]
    shrinking = [number for number in range(len(modules)) if maps[number + 1].shape[2] < maps[number].shape[2]]
    if not shrinking:
        return None
    opening = shrinking[-1]
    last_stage = nn.Sequential(*modules[opening:])
    try:
        with torch.no_grad():
            kept = without_stride(last_stage)(maps[opening])
    except RuntimeError:  # branches of different sizes
        return None
    return (modules[:opening], last_stage) if kept.shape[2:] == maps[opening].shape[2:] else None


def load_imagenet(net: nn.Module, path: Path, name: str) -> None:
    """Fill torchvision's model `net` from its ImageNet weights.

    Args:
        net: the model. Its classifier is left as it is.
        path: torchvision's file, .pth or .safetensors, with or without the classifier.
        name: the model's name, for the message.

    Raises:
        InputError: the file is missing, unreadable or belongs to another model.
    """
    # torchvision's DenseNet files are older than its names: what was "norm.1.weight" is now "norm1.weight".
    state = {
        re.sub(r"(denselayer\d+\.(?:norm|conv))\.([12]\.)", r"\1\2", key): tensor
        for key, tensor in read_tensors(path, f"the ImageNet weights of {name}").items()
    }
    fill(net, state, path, f"torchvision's {name}", ignoring=("fc.", "classifier."))
