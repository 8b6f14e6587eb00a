"""Train a ReID network: classification and triplets on batches of P people with K images each."""

import hashlib
import json
import sys
from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal

import numpy as np
import safetensors
import torch
from safetensors.torch import save_file
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812
from torch.utils.data import DataLoader, Dataset
from tqdm import tqdm

from castsearch.errors import InputError
from castsearch.files import replacing, write_text
from castsearch.provenance import file_digest, source_digest
from castsearch.reid import sampler
from castsearch.reid.images import augment, to_input
from castsearch.reid.losses import Metric, Mining, TripletLoss
from castsearch.reid.networks import Kind, ReidNetwork, build, pick_device, save_weights
from castsearch.reid.people import People, read_people

_DECAY = 0.1
_HISTORY = ("epoch", "learning_rate", "loss", "cross_entropy", "triplet", "top1", "precision")


@dataclass(frozen=True)
class Settings:
    """How a network is trained; the defaults are the seed system's recipe.

    Attributes:
        epochs: passes over the people.
        people: people in a batch.
        images: images of each of them in a batch.
        learning_rate: Adam's.
        weight_decay: Adam's, added to the gradient.
        step: epochs after which the learning rate is multiplied by 0.1, again and again.
        margin: of the triplet loss, a number or "soft".
        mining: of the triplet loss: "hard", "uniform" or "adaptive".
        metric: of the triplet loss: "euclidean", "sqeuclidean" or "cosine".
        checkpoint_every: epochs between checkpoints.
        seed: of the initial weights, the batches and the augmentation.
        height: of the input in pixels.
        width: of the input in pixels.
        flip: probability that an image is mirrored.
        pad: pixels by which an image may be shifted.
        erasing: probability that a rectangle of an image is erased.
        erasing_area: smallest and largest share of the image that is erased.
        erasing_aspect: smallest and largest ratio of the rectangle's height to its width.
        precision: "float32", or "bfloat16" for autocast, which pays on GPUs and on CPUs that multiply bfloat16 natively
            (AVX512-BF16, AMX) and is many times slower on others.
    """

    epochs: int = 450
    people: int = 18
    images: int = 4
    learning_rate: float = 3e-4
    weight_decay: float = 5e-4
    step: int = 150
    margin: float | Literal["soft"] = "soft"
    mining: Mining = "hard"
    metric: Metric = "euclidean"
    checkpoint_every: int = 50
    seed: int = 0
    height: int = 256
    width: int = 128
    flip: float = 0.5
    pad: int = 10
    erasing: float = 0.5
    erasing_area: tuple[float, float] = (0.02, 0.4)
    erasing_aspect: tuple[float, float] = (0.3, 3.3)
    precision: Literal["float32", "bfloat16"] = "float32"


def train(
    crop_tables: Sequence[Path],
    kind: Kind,
    backbone: str,
    settings: Settings,
    *,
    weights_out: Path,
    log_out: Path,
    checkpoint_dir: Path,
    imagenet: Path | None,
    device: str = "auto",
    workers: int = 0,
) -> None:
    """Train one network and write its weights.

    The weights depend on nothing but the arguments: on one machine with one number of threads they are the same in
    every bit, however often training was killed and started again. It goes on from `checkpoint_dir` where that holds a
    checkpoint of the same settings, data, network, ImageNet weights and code; another's is written over.

    A single person leaves nothing to learn, so the network is written as it starts, and the log says so.

    Args:
        crop_tables: of the training movies, see `read_people`.
        kind: "triplet" or "mgn".
        backbone: one of `networks.BACKBONES`.
        settings: the recipe.
        weights_out: receives what `networks.load_weights` reads.
        log_out: receives a tab-separated table with a row per epoch: learning rate, loss and its two parts (for mgn
            summed over the four embeddings), top-1 of the triplet loss and precision, which is the classifier's
            accuracy (both averaged over the embeddings).
        checkpoint_dir: kept between runs; holds the last checkpoint.
        imagenet: torchvision's weights for the backbone to start from, random ones if None.
        device: "cpu", "cuda" or any of torch's, "auto" being the GPU where there is one.
        workers: processes that load images, 0 for none but this one.

    Raises:
        InputError: nobody to train on, a crop that is no image, unusable ImageNet weights, or a loss that is no longer
            finite.
    """
    people = read_people(crop_tables)
    if not people.names:
        raise InputError(f"nobody to train on: no labelled candidate with an image in {len(crop_tables)} crop tables")
    network = _initial(kind, backbone, len(people.names), settings, imagenet)
    rows, remark = [], ""
    if len(people.names) == 1:
        movie, label = people.names[0]
        remark = (
            f"# {label} of {movie} is the only person, so there was nothing to learn: these are the initial weights\n"
        )
        print(remark.strip("# \n"), file=sys.stderr)
    else:
        rows = _run(
            network,
            people,
            settings,
            checkpoint=Path(checkpoint_dir, "last.safetensors"),
            fingerprint=_fingerprint(crop_tables, kind, backbone, settings, imagenet),
            device=pick_device(device),
            workers=workers,
        )
    save_weights(network, weights_out)
    write_text(log_out, remark + "".join("\t".join(row) + "\n" for row in [_HISTORY, *rows]))


def _initial(kind: Kind, backbone: str, num_classes: int, settings: Settings, imagenet: Path | None) -> ReidNetwork:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(settings.seed)
        size = (settings.height, settings.width)
        return build(kind, backbone, num_classes, imagenet=imagenet, input_size=size)


class _Batches(Dataset):
    """Training batches by the number of the step, counted through all epochs."""

    def __init__(self, people: People, settings: Settings):
        self.people, self.settings = people, settings
        self.owner = {row: person for person, rows in enumerate(people.members) for row in rows.tolist()}
        self.steps = sampler.steps_per_epoch(len(people.names), settings.people)

    def __getitem__(self, number: int) -> tuple[np.ndarray, np.ndarray] | InputError:
        """Return images, uint8 (n, height, width, 3), and the number of the person in each, int64 (n,).

        An error is returned, too, because one raised in a worker process arrives with its stack trace as its message.
        """
        settings, (epoch, step) = self.settings, divmod(number, self.steps)
        when = {"seed": settings.seed, "epoch": epoch, "step": step}
        rows = sampler.batch(self.people.members, settings.people, settings.images, **when).tolist()
        try:
            images = np.stack([self.people.image(row, (settings.height, settings.width)) for row in rows])
        except InputError as error:
            return error
        varied = augment(
            images,
            np.random.default_rng((settings.seed, epoch, 1 + step, 1)),
            flip=settings.flip,
            pad=settings.pad,
            erasing=settings.erasing,
            erasing_area=settings.erasing_area,
            erasing_aspect=settings.erasing_aspect,
        )
        return varied, np.array([self.owner[row] for row in rows])


def _run(
    network: ReidNetwork,
    people: People,
    settings: Settings,
    *,
    checkpoint: Path,
    fingerprint: str,
    device: torch.device,
    workers: int,
) -> list[tuple[str, ...]]:
    """Train `network` in place, from the checkpoint on if it fits, and return the rows of the log."""
    network.to(device, memory_format=torch.channels_last).train()
    optimizer = torch.optim.Adam(
        network.parameters(), lr=settings.learning_rate, weight_decay=settings.weight_decay, fused=True
    )
    rows = _resume(network, optimizer, checkpoint, fingerprint)
    criterion = TripletLoss(settings.margin, settings.mining, settings.metric)
    batches = _Batches(people, settings)
    loader = DataLoader(
        batches,
        batch_size=None,
        sampler=range(len(rows) * batches.steps, settings.epochs * batches.steps),
        num_workers=workers,
        pin_memory=device.type == "cuda",
        generator=torch.Generator(),  # or it would draw from the global one
    )
    upcoming = iter(loader)
    images = settings.images * min(settings.people, len(people.names)) * batches.steps
    progress = tqdm(
        desc=f"train {network.kind} {network.backbone_name}",
        total=settings.epochs * images,
        initial=len(rows) * images,
        unit="image",
        mininterval=2,
    )
    with progress, _deterministic(device):
        for epoch in range(len(rows), settings.epochs):
            learning_rate = settings.learning_rate * _DECAY ** (epoch // settings.step)
            for group in optimizer.param_groups:
                group["lr"] = learning_rate
            totals = torch.zeros(len(_HISTORY) - 2, device=device)
            for _ in range(batches.steps):
                batch = next(upcoming)
                if isinstance(batch, InputError):
                    raise batch
                pixels, labels = batch
                totals += _step(network, optimizer, criterion, pixels, labels, precision=settings.precision)
                progress.update(len(labels))
            means = (totals / batches.steps).tolist()
            if not np.isfinite(means).all():
                raise InputError(
                    f"{network.kind} on {network.backbone_name}: the loss is not finite in epoch {epoch + 1}"
                )
            rows.append((str(epoch + 1), *(f"{value:.6g}" for value in (learning_rate, *means))))
            progress.set_postfix(dict(zip(_HISTORY, rows[-1], strict=True)), refresh=False)
            if (epoch + 1) % settings.checkpoint_every == 0:
                _save_checkpoint(network, optimizer, rows, checkpoint, fingerprint)
    return rows


def _step(
    network: nn.Module,
    optimizer: torch.optim.Optimizer,
    criterion: TripletLoss,
    pixels: Tensor,
    labels: Tensor,
    *,
    precision: str,
) -> Tensor:
    """Take one step and return loss, cross-entropy, triplet loss, top-1 and precision as one tensor on the device."""
    device = next(network.parameters()).device
    labels = labels.to(device, non_blocking=True)
    with torch.autocast(device.type, torch.bfloat16, enabled=precision == "bfloat16"):
        parts = network(to_input(pixels, device))
    cross_entropies, triplets, top1s, precisions = [], [], [], []
    for embedding, logits in parts:
        triplet, top1 = criterion(embedding, labels)
        cross_entropies.append(F.cross_entropy(logits.float(), labels))
        triplets.append(triplet)
        top1s.append(top1)
        precisions.append((logits.argmax(dim=1) == labels).float().mean())
    cross_entropy, triplet = torch.stack(cross_entropies).sum(), torch.stack(triplets).sum()
    loss = cross_entropy + triplet
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    means = torch.stack(top1s).mean(), torch.stack(precisions).mean()
    return torch.stack([loss, cross_entropy, triplet, *means]).detach()


def _deterministic(device: torch.device):
    """Bar cuDNN from the algorithms whose sums depend on the order of threads, and from choosing by a stopwatch."""
    if device.type != "cuda":
        return nullcontext()
    return torch.backends.cudnn.flags(enabled=True, benchmark=False, deterministic=True)


def _fingerprint(
    crop_tables: Sequence[Path], kind: Kind, backbone: str, settings: Settings, imagenet: Path | None
) -> str:
    """Digest all that the weights depend on."""
    parts = {
        "network": [kind, backbone],
        "settings": asdict(settings),
        "imagenet": file_digest(imagenet) if imagenet else None,
        "crops": [[Path(path).stem, file_digest(path)] for path in crop_tables],
        "code": [source_digest(__file__), torch.__version__],
    }
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()


def _save_checkpoint(
    network: nn.Module, optimizer: torch.optim.Optimizer, rows: list[tuple[str, ...]], path: Path, fingerprint: str
) -> None:
    """Write the state after `len(rows)` epochs."""
    tensors = {f"network.{name}": tensor for name, tensor in network.state_dict().items()}
    for index, state in optimizer.state_dict()["state"].items():
        tensors |= {f"optimizer.{index}.{name}": tensor for name, tensor in state.items()}
    with replacing(path) as temporary:
        save_file(
            {name: tensor.contiguous() for name, tensor in tensors.items()},
            temporary,
            {"training": json.dumps({"fingerprint": fingerprint, "rows": rows})},
        )


def _resume(
    network: nn.Module, optimizer: torch.optim.Optimizer, path: Path, fingerprint: str
) -> list[tuple[str, ...]]:
    """Load the checkpoint at `path` if it is one of this training, and return the log's rows up to it."""
    if not path.is_file():
        return []
    try:
        with safetensors.safe_open(path, "pt") as file:
            training = json.loads(file.metadata()["training"])
            if training["fingerprint"] != fingerprint:
                print(f"{path} belongs to another training and is not used", file=sys.stderr)
                return []
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 - it is no mapping
    except safetensors.SafetensorError as error:
        raise InputError(f"{path}: damaged ({error}); remove it to train from the start") from error
    network.load_state_dict({name: tensors[f"network.{name}"] for name in network.state_dict()})
    _load_optimizer(optimizer, tensors)
    return [tuple(row) for row in training["rows"]]


def _load_optimizer(optimizer: torch.optim.Optimizer, tensors: dict[str, Tensor]) -> None:
    state = {}
    for index, parameter in enumerate(parameter for group in optimizer.param_groups for parameter in group["params"]):
        # The fused step walks a parameter and its moments side by side in memory, so their layouts must agree.
        state[index] = {
            "step": tensors[f"optimizer.{index}.step"],
            "exp_avg": torch.empty_like(parameter).copy_(tensors[f"optimizer.{index}.exp_avg"]),
            "exp_avg_sq": torch.empty_like(parameter).copy_(tensors[f"optimizer.{index}.exp_avg_sq"]),
        }
    optimizer.load_state_dict({"state": state, "param_groups": optimizer.state_dict()["param_groups"]})
