"""Train a ReID network: classification and triplets on batches of P people with K images each."""

import copy
import hashlib
import json
import math
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Literal

import numpy as np
import pyarrow as pa
import torch
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812
from torch.utils.data import DataLoader, Dataset
from tqdm import tqdm

from castsearch.errors import InputError
from castsearch.files import file_digest, read_table
from castsearch.reid import checkpoints, distributed, history, sampler
from castsearch.reid.determinism import Precision, cost, deterministic
from castsearch.reid.images import augment, decode_once, draw_variations, in_memory, to_input
from castsearch.reid.losses import Metric, Mining, TripletLoss
from castsearch.reid.networks import Kind, Neck, Pooling, ReidNetwork, build, pick_device, save_weights
from castsearch.reid.people import People, read_people
from castsearch.reid.validation import SCORES, validate
from castsearch.workflow.provenance import source_digest

_NOT_OF_THE_WEIGHTS = ("validate_every", "checkpoint_every", "checkpoints_kept", "use")  # of an epoch


@dataclass(frozen=True)
class Settings:
    """How a network is trained; the defaults are the seed system's recipe.

    Attributes:
        epochs: passes over the people.
        people: people in a batch.
        images: images of each of them in a batch.
        learning_rate: Adam's.
        weight_decay: Adam's, added to the gradient.
        schedule: "step" multiplies the learning rate by a factor again and again; "cosine" lets it fall to zero along
            half a cosine (Loshchilov and Hutter, "SGDR", 2017).
        step: epochs between the steps.
        step_factor: of each step.
        warmup: epochs at the start in which the learning rate rises in equal steps to its full height.
        margin: of the triplet loss, a number or "soft".
        mining: of the triplet loss: "hard", "uniform" or "adaptive".
        metric: of the triplet loss: "euclidean", "sqeuclidean" or "cosine".
        label_smoothing: share of the classifier's target that is spread over all people (Szegedy et al., "Rethinking
            the Inception Architecture for Computer Vision", 2016).
        pooling: "average" or "gem", see `networks.build`.
        neck: "seed" or "bnneck", see `networks.build`.
        validate_every: epochs between validations; the last epoch has one in any case.
        checkpoint_every: epochs between checkpoints.
        checkpoints_kept: how many of them are kept, the best epoch's apart.
        use: which epoch's weights are the result: "last", or "best" by the mAP of validation.
        seed: of the initial weights, the batches and the augmentation.
        height: of the input in pixels.
        width: of the input in pixels.
        flip: probability that an image is mirrored.
        pad: pixels by which an image may be shifted.
        erasing: probability that a rectangle of an image is erased.
        erasing_area: smallest and largest share of the image that is erased.
        erasing_aspect: smallest and largest ratio of the rectangle's height to its width.
        precision: "float32", on GPUs without TF32; or "bfloat16" for autocast, with TF32 for the rest. It pays on GPUs
            and on CPUs that multiply bfloat16 natively (AVX512-BF16, AMX) and is many times slower on others.
    """

    epochs: int = 450
    people: int = 18
    images: int = 4
    learning_rate: float = 3e-4
    weight_decay: float = 5e-4
    schedule: Literal["step", "cosine"] = "step"
    step: int = 150
    step_factor: float = 0.1
    warmup: int = 0
    margin: float | Literal["soft"] = "soft"
    mining: Mining = "hard"
    metric: Metric = "euclidean"
    label_smoothing: float = 0.0
    pooling: Pooling = "average"
    neck: Neck = "seed"
    validate_every: int = 25
    checkpoint_every: int = 50
    checkpoints_kept: int = 1
    use: Literal["last", "best"] = "last"
    seed: int = 0
    height: int = 256
    width: int = 128
    flip: float = 0.5
    pad: int = 10
    erasing: float = 0.5
    erasing_area: tuple[float, float] = (0.02, 0.4)
    erasing_aspect: tuple[float, float] = (0.3, 3.3)
    precision: Precision = "float32"


def train(
    crop_tables: Sequence[Path],
    kind: Kind,
    backbone: str,
    settings: Settings,
    *,
    weights_out: Path,
    history_out: Path,
    checkpoint_dir: Path,
    log_dir: Path,
    imagenet: Path | None,
    validation: Path | None = None,
    device: str = "auto",
    workers: int = 0,
    processes: int = 1,
) -> None:
    """Train one network and write its weights.

    The weights of an epoch depend on nothing but the arguments: on one machine with one number of threads they are the
    same in every bit, however often training was killed and started again, and whether it is validated or not. So they
    are on a GPU, but for operations that have no deterministic kernel, of which torch warns; more than two GPUs may add
    up in another order after a start.

    It goes on from `checkpoint_dir` where that holds a checkpoint of the same settings, data, network, ImageNet
    weights, number of processes, code and libraries, and of the same validation where that chooses the epoch; another's
    is deleted once there is a new one.

    A single person leaves nothing to learn, so the network is written as it starts, and the history says so.

    Args:
        crop_tables: of the training movies, see `read_people`.
        kind: "triplet" or "mgn".
        backbone: see `networks.build`.
        settings: the recipe.
        weights_out: receives what `networks.load_weights` reads, of the epoch that `settings.use` says.
        history_out: receives a tab-separated table with a row per epoch: learning rate, loss and its two parts (for mgn
            summed over the four embeddings), top-1 of the triplet loss and precision, which is the classifier's
            accuracy (both averaged over the embeddings); mAP and CMC, see `validation.score`, empty where there was no
            validation. No time stands in it, so equal trainings give equal bytes.
        checkpoint_dir: kept between runs; holds the checkpoints of the last epoch and of the best.
        log_dir: receives TensorBoard's file, and the history with the speed in images per second, epoch by epoch.
        imagenet: torchvision's or timm's weights for the backbone to start from, random ones if None.
        validation: what `validation.collect` gathered, to validate on; without a row, or if None, nothing is validated.
        device: "cpu", "cuda" or any of torch's, "auto" being the GPU where there is one.
        workers: processes that load images for each of `processes`, 0 for none but itself.
        processes: how many share the batches, each with a GPU of its own where there are GPUs; see `distributed`.

    Raises:
        InputError: nobody to train on, a crop that is no image, unusable ImageNet weights, a network that does not fit
            the images or that several GPUs cannot share, a loss that is no longer finite, or a best checkpoint lost.
    """
    task = partial(
        _train,
        list(crop_tables),
        kind,
        backbone,
        settings,
        weights_out=weights_out,
        history_out=history_out,
        checkpoint_dir=checkpoint_dir,
        log_dir=log_dir,
        imagenet=imagenet,
        validation=validation,
        device=device,
        workers=workers,
    )
    distributed.launch(task, processes, pick_device(device).type)


def _train(
    crop_tables: Sequence[Path],
    kind: Kind,
    backbone: str,
    settings: Settings,
    *,
    weights_out: Path,
    history_out: Path,
    checkpoint_dir: Path,
    log_dir: Path,
    imagenet: Path | None,
    validation: Path | None,
    device: str,
    workers: int,
) -> None:
    """Do the part of `train` that is one process's."""
    people = read_people(crop_tables)
    if not people.names:
        raise InputError(f"nobody to train on: no labelled candidate with an image in {len(crop_tables)} crop tables")
    network = _initial(kind, backbone, len(people.names), settings, imagenet)
    rows, remark = [], ""
    if len(people.names) == 1:
        movie, label = people.names[0]
        remark = f"{label} of {movie} is the only person, so there was nothing to learn: these are the initial weights"
        _say(remark)
    else:
        rows = _run(
            network,
            people,
            read_table(validation) if validation else None,
            settings,
            checkpoint_dir=checkpoint_dir,
            identity={
                "fingerprint": _fingerprint(crop_tables, kind, backbone, settings, imagenet),
                "validation": validation and file_digest(validation),
                "validate_every": settings.validate_every,
            },
            log_dir=log_dir,
            device=pick_device(device),
            workers=workers,
        )
    if distributed.rank() == 0:
        save_weights(network, weights_out)
        history.write(history_out, rows, history.COLUMNS, remark)


def _say(line: str) -> None:
    if distributed.rank() == 0:
        print(line, file=sys.stderr)


def _initial(kind: Kind, backbone: str, num_classes: int, settings: Settings, imagenet: Path | None) -> ReidNetwork:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(settings.seed)
        return build(
            kind,
            backbone,
            num_classes,
            imagenet=imagenet,
            input_size=(settings.height, settings.width),
            pooling=settings.pooling,
            neck=settings.neck,
        )


def learning_rate(settings: Settings, epoch: int) -> float:
    """Return the learning rate of an epoch, counted from 0."""
    if epoch < settings.warmup:
        return settings.learning_rate * (epoch + 1) / settings.warmup
    if settings.schedule == "step":
        return settings.learning_rate * settings.step_factor ** (epoch // settings.step)
    done = (epoch - settings.warmup) / (settings.epochs - settings.warmup)
    return settings.learning_rate * (1 + math.cos(math.pi * done)) / 2


class _Batches(Dataset):
    """This process's part of the training batches, by the number of the step, counted through all epochs."""

    def __init__(self, people: People, settings: Settings):
        self.people, self.settings = people, settings
        self.image = partial(people.image, size=(settings.height, settings.width))
        self.owner = {row: person for person, rows in enumerate(people.members) for row in rows.tolist()}
        self.steps = sampler.steps_per_epoch(len(people.names), settings.people)
        self.size = settings.images * min(settings.people, len(people.names))
        self.rank = distributed.rank()
        self.sizes = [len(part) for part in np.array_split(range(self.size), distributed.world_size())]
        if not all(self.sizes):
            raise InputError(f"a batch of {self.size} images cannot be divided among {len(self.sizes)} GPUs")

    def decode(self, folders: Sequence[Path]) -> None:
        """Decode all images once for all epochs, into a nameless file in the first of the folders that has room.

        Where none has, images are decoded in every epoch.

        Raises:
            InputError: a crop is not an image.
        """
        rows = np.concatenate(self.people.members).tolist()
        places = {row: place for place, row in enumerate(rows)}
        for folder in folders:
            try:
                decoded = decode_once(
                    lambda place: self.image(rows[place]),
                    len(rows),
                    (self.settings.height, self.settings.width),
                    folder=folder,
                    threads=torch.get_num_threads(),
                )
            except OSError as error:
                _say(f"no place for decoded images: {error}")
            else:
                self.image = lambda row, decoded=decoded: decoded(places[row])
                return
        _say("every epoch decodes its images again")

    def __getitem__(self, number: int) -> tuple[np.ndarray, np.ndarray] | InputError:
        """Return this process's images, uint8 (n, height, width, 3), and who is in each of the batch's, int64 (size,).

        An error is returned, too, because one raised in a worker process arrives with its stack trace as its message.
        """
        settings, (epoch, step) = self.settings, divmod(number, self.steps)
        when = {"seed": settings.seed, "epoch": epoch, "step": step}
        rows = sampler.batch(self.people.members, settings.people, settings.images, **when).tolist()
        # Of the whole batch, so that its pixels are the same among however many processes it is divided.
        variations = draw_variations(
            self.size,
            (settings.height, settings.width),
            np.random.default_rng((settings.seed, epoch, 1 + step, 1)),
            flip=settings.flip,
            pad=settings.pad,
            erasing=settings.erasing,
            erasing_area=settings.erasing_area,
            erasing_aspect=settings.erasing_aspect,
        )
        own = np.array_split(range(self.size), len(self.sizes))[self.rank]
        try:
            images = np.stack([self.image(rows[place]) for place in own])
        except InputError as error:
            return error
        varied = augment(images, [variations[place] for place in own])
        return varied, np.array([self.owner[row] for row in rows])


def _run(
    network: ReidNetwork,
    people: People,
    gallery: pa.Table | None,
    settings: Settings,
    *,
    checkpoint_dir: Path,
    identity: dict[str, str | int | None],
    log_dir: Path,
    device: torch.device,
    workers: int,
) -> list[history.Row]:
    """Train `network` in place, from the checkpoint on if one fits, and return the history."""
    network.to(device, memory_format=torch.channels_last).train()
    batches = _Batches(people, settings)
    leads = distributed.rank() == 0
    _say(_describe(people, gallery, settings))
    rows: list[history.Row] = []
    # Where validation does not decide on the weights, another one, or more of it, is no reason to train again.
    wanted = identity if settings.use == "best" else {"fingerprint": identity["fingerprint"]}
    found = checkpoints.newest(checkpoint_dir, wanted)
    if found:
        rows, determinism = found[1]["rows"], found[1]["determinism"]
        if found[1]["validation"] != identity["validation"]:  # scores on other movies are not to be compared
            rows = [row | dict.fromkeys(SCORES, "") for row in rows]
        _require_best(rows, checkpoint_dir, settings)
        _say(f"going on after epoch {len(rows)}, from {found[0]}")
    else:
        determinism = _determinism_cost(network, batches, settings, device) if leads else ""
    _say(determinism)
    shared = distributed.parallel(network)
    optimizer = _adam(network, settings)
    if found:
        checkpoints.load(found[0], network, optimizer)
    if distributed.world_size() == 1 and len(rows) < settings.epochs - 1:  # several would each fill a file
        checkpoint_dir.mkdir(parents=True, exist_ok=True)
        # The node's own disk before one that many jobs share; but what lies in memory is no better than a cache.
        local = Path(tempfile.gettempdir())
        batches.decode([checkpoint_dir] if in_memory(local) else [local, checkpoint_dir])
    upcoming = iter(_loader(batches, settings, first=len(rows), device=device, workers=workers))
    board = history.Board(log_dir, rows) if leads else None
    progress = tqdm(
        desc=f"{network.kind} on {network.backbone_name}",
        total=settings.epochs * batches.steps * batches.size,
        initial=len(rows) * batches.steps * batches.size,
        unit="image",
        mininterval=2,
        disable=not leads,
    )
    with progress, deterministic(device, settings.precision):
        for number in range(len(rows) + 1, settings.epochs + 1):
            row = _epoch(shared, optimizer, upcoming, batches, settings, epoch=number - 1, progress=progress)
            rows.append(row)
            if not leads:
                continue
            final = number == settings.epochs
            if gallery and (final or number % settings.validate_every == 0):
                scores = validate(network, gallery, device=str(device), precision=settings.precision)
                network.train()
                row |= {name: _number(scores[name]) for name in SCORES}
            progress.set_postfix({name: row[name] for name in history.COLUMNS if row[name]}, refresh=False)
            board.add(row)
            history.write(Path(log_dir, "history.tsv"), rows, (*history.COLUMNS, history.SPEED))
            best = history.best(rows)
            if final or number % settings.checkpoint_every == 0 or row is best:
                path = checkpoints.path_of(checkpoint_dir, number)
                checkpoints.save(path, network, optimizer, identity | {"rows": rows, "determinism": determinism})
                of_best = [_checkpoint_of(best, checkpoint_dir)] if best else []
                checkpoints.prune(checkpoint_dir, wanted, settings.checkpoints_kept, of_best)
    if leads:
        board.close()
        _choose(network, rows, checkpoint_dir, settings)
    return rows


def _checkpoint_of(row: history.Row, folder: Path) -> Path:
    return checkpoints.path_of(folder, int(row["epoch"]))


def _require_best(rows: list[history.Row], checkpoint_dir: Path, settings: Settings) -> None:
    """Refuse to go on where the weights that may be wanted in the end are lost."""
    best = history.best(rows)
    if settings.use == "best" and best and checkpoints.training_of(_checkpoint_of(best, checkpoint_dir)) is None:
        path = _checkpoint_of(best, checkpoint_dir)
        remedy = f"put it back, use the last epoch, or delete {checkpoint_dir} to train anew"
        raise InputError(f"{path}: the checkpoint of the best epoch so far is missing or damaged; {remedy}")


def _choose(network: ReidNetwork, rows: list[history.Row], checkpoint_dir: Path, settings: Settings) -> None:
    """Set the network to the epoch that is wanted, and say which is the best."""
    best = history.best(rows)
    if best is None:
        _say("there is no validation to tell the best epoch; these are the weights of the last")
        return
    path = _checkpoint_of(best, checkpoint_dir)
    _say(f"epoch {best['epoch']} is the best, with mAP {best['mAP']}: {path}; used is the {settings.use}")
    if settings.use == "best":
        checkpoints.load(path, network)


def _describe(people: People, gallery: pa.Table | None, settings: Settings) -> str:
    counts = [len(rows) for rows in people.members]
    few = sum(count < settings.images for count in counts)
    line = f"training on {len(counts)} people in {sum(counts)} images"
    if few:
        line += f"; {few} of them have fewer than {settings.images}, which are repeated"
    if not gallery:
        return f"{line}\nno validation, for want of labelled movies that are not trained on"
    movies = len(gallery["movie"].unique())
    return (
        f"{line}\nvalidating on {len(gallery)} candidates of {movies} movies; once settings, or the best epoch, are "
        "chosen by it, scores on these movies flatter the network"
    )


def _adam(network: nn.Module, settings: Settings) -> torch.optim.Adam:
    return torch.optim.Adam(
        network.parameters(), lr=settings.learning_rate, weight_decay=settings.weight_decay, fused=True
    )


def _loader(batches: _Batches, settings: Settings, *, first: int, device: torch.device, workers: int) -> DataLoader:
    """Return the batches from the epoch `first` on, counted from 0."""
    return DataLoader(
        batches,
        batch_size=None,
        sampler=range(first * batches.steps, settings.epochs * batches.steps),
        num_workers=workers,
        multiprocessing_context="fork" if workers else None,  # decoded images are read from an open file
        pin_memory=device.type == "cuda",
        generator=torch.Generator(),  # or it would draw from the global one
    )


def _determinism_cost(network: ReidNetwork, batches: _Batches, settings: Settings, device: torch.device) -> str:
    """Time steps of a copy, which is thrown away."""
    if device.type != "cuda":
        return cost(lambda: None, device, settings.precision)
    twin = copy.deepcopy(network)
    optimizer, criterion = _adam(twin, settings), TripletLoss(settings.margin, settings.mining, settings.metric)
    batch = batches[0]
    if isinstance(batch, InputError):
        raise batch
    pixels, labels = map(torch.from_numpy, batch)
    labels = labels[: len(pixels)]  # the first process's own
    step = partial(_step, twin, optimizer, criterion, (pixels, labels), settings=settings, sizes=[len(pixels)])
    return cost(step, device, settings.precision)


def _epoch(
    network: nn.Module,
    optimizer: torch.optim.Optimizer,
    upcoming: Iterator,
    batches: _Batches,
    settings: Settings,
    *,
    epoch: int,
    progress: tqdm,
) -> dict[str, str]:
    """Train for one epoch, counted from 0, and return its row of the history, without a validation's scores."""
    criterion = TripletLoss(settings.margin, settings.mining, settings.metric)
    rate = learning_rate(settings, epoch)
    for group in optimizer.param_groups:
        group["lr"] = rate
    # Dropout and stochastic depth, which some of timm's models have, draw from torch's own generators.
    torch.manual_seed(np.random.SeedSequence((settings.seed, epoch, batches.rank)).generate_state(1).item())
    totals = torch.zeros(len(history.LOSSES), device=next(network.parameters()).device)
    start = time.perf_counter()
    for _ in range(batches.steps):
        batch = next(upcoming)
        if isinstance(batch, InputError):
            raise batch
        totals += _step(network, optimizer, criterion, batch, settings=settings, sizes=batches.sizes)
        progress.update(batches.size)
    means = (totals / batches.steps).tolist()
    seconds = time.perf_counter() - start
    if not np.isfinite(means).all():
        raise InputError(f"{progress.desc}: the loss is not finite in epoch {epoch + 1}")
    return {
        "epoch": str(epoch + 1),
        "learning_rate": _number(rate),
        **dict(zip(history.LOSSES, map(_number, means), strict=True)),
        **dict.fromkeys(SCORES, ""),
        history.SPEED: f"{batches.steps * batches.size / seconds:.4g}",
        "time": f"{time.time():.3f}",
    }


def _number(value: float) -> str:
    return "" if math.isnan(value) else f"{value:.6g}"


def _step(
    network: nn.Module,
    optimizer: torch.optim.Optimizer,
    criterion: TripletLoss,
    batch: tuple[Tensor, Tensor],
    *,
    settings: Settings,
    sizes: list[int],
) -> Tensor:
    """Take one step and return `history.LOSSES` as one tensor on the device.

    Args:
        network: in training mode.
        optimizer: of its parameters.
        criterion: the triplet loss.
        batch: this process's images, uint8 (n, height, width, 3), and the labels of all processes' images.
        settings: of which `precision` and `label_smoothing` are used.
        sizes: how many images each process has.
    """
    device = next(network.parameters()).device
    pixels, labels = batch[0], batch[1].to(device, non_blocking=True)
    with torch.autocast(device.type, torch.bfloat16, enabled=settings.precision == "bfloat16"):
        parts = network(to_input(pixels, device))
    cross_entropies, triplets, top1s, precisions = [], [], [], []
    for part in parts:
        embedding, logits = (distributed.gather(rows.float(), sizes) for rows in part)
        triplet, top1 = criterion(embedding, labels)
        cross_entropies.append(F.cross_entropy(logits, labels, label_smoothing=settings.label_smoothing))
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


def _fingerprint(
    crop_tables: Sequence[Path], kind: Kind, backbone: str, settings: Settings, imagenet: Path | None
) -> str:
    """Digest all that the weights of an epoch depend on."""
    parts = {
        "network": [kind, backbone],
        "settings": {name: value for name, value in asdict(settings).items() if name not in _NOT_OF_THE_WEIGHTS},
        "imagenet": file_digest(imagenet) if imagenet else None,
        "crops": [[f"{path.parent.name}/{path.stem}", file_digest(path)] for path in map(Path, crop_tables)],
        "code": source_digest(__file__),
        "processes": distributed.world_size(),
    }
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()
