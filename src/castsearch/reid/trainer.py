"""Train a ReID network: classification and triplets on batches of P people with K images each."""

import copy
import hashlib
import json
import logging
import math
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import closing, nullcontext
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path

import numpy as np
import pyarrow as pa
import torch
from torch import Tensor
from tqdm import tqdm

from castsearch.errors import InputError
from castsearch.files import file_digest, read_table
from castsearch.reid import checkpoints, distributed, history
from castsearch.reid.batches import Batches
from castsearch.reid.determinism import cost, deterministic
from castsearch.reid.features import decoder
from castsearch.reid.heads import MGN, Triplet
from castsearch.reid.identities import Identities, read_identities
from castsearch.reid.learner import Learner
from castsearch.reid.networks import build, pick_device, save_weights
from castsearch.reid.recipe import Recipe, learning_rate
from castsearch.reid.transforms import Images, decode_ahead, in_memory
from castsearch.reid.validation import SCORES, validate

logger = logging.getLogger(__name__)

# These keys of a recipe do not change the weights of an epoch.
_NOT_OF_THE_WEIGHTS = ("validate_every", "checkpoint_every", "checkpoints_kept", "use")


@dataclass(frozen=True)
class TrainingJob:
    """A network to train, what it learns from, and where the results go.

    Attributes:
        crop_tables: of the training movies, see `read_identities`.
        recipe: what is trained, and how.
        imagenet: torchvision's or timm's weights for the backbone to start from, random ones if None.
        validation: what `collect_labelled` gathered, to validate on. Without a row, or if None, nothing is validated.
        weights: receives what `networks.load_weights` reads, of the epoch that `recipe.use` says.
        history: receives a tab-separated table with a row for each epoch: learning rate, loss and its two parts (for
            mgn summed over the four embeddings), top-1 of the triplet loss and accuracy of the classifier
            (both averaged over the embeddings); then the scores of `validation.score`, empty where there was
            no validation. It holds no time, so equal trainings give equal bytes.
        checkpoints: folder for the checkpoints of the last epochs and of the best. It is kept between runs.
        logs: folder for TensorBoard's file, and for the history with the speed in images per second.
        code: digest of the code and the packages that train, so that a checkpoint of other code is not used.
        device: "cpu", "cuda" or any of torch's; "auto" is the GPU where there is one.
        workers: processes that load images for each of `processes`; 0 for none but itself.
        processes: how many share the batches, each with a GPU of its own; see `distributed`.
    """

    crop_tables: Sequence[Path]
    recipe: Recipe
    imagenet: Path | None
    validation: Path | None
    weights: Path
    history: Path
    checkpoints: Path
    logs: Path
    code: str
    device: str = "auto"
    workers: int = 0
    processes: int = 1


def train(job: TrainingJob) -> None:
    """Train one network and write its weights.

    The weights of an epoch depend on nothing but the job. On one machine with one number of threads they are the same
    in every bit, however often training was killed and started again, and whether it is validated or not. So they are
    on a GPU, except for operations that have no deterministic kernel, of which torch warns. More than two GPUs may add
    up in another order after a start.

    Training goes on from `job.checkpoints` where that holds a checkpoint of the same recipe, data, network, ImageNet
    weights, number of processes and code, and of the same validation where that chooses the epoch. A checkpoint of
    another training is deleted once there is a new one.

    With a single person there is nothing to learn. The network is then written as it starts, and the history says so.

    Raises:
        InputError: nobody to train on, a crop that is no image, an unknown backbone, unusable ImageNet weights, a
            network that does not fit the images or that several GPUs cannot share, a loss that is no longer finite, or
            a best checkpoint that is lost.
    """
    distributed.launch(partial(_train, job), job.processes, pick_device(job.device).type)


def _train(job: TrainingJob) -> None:
    """Do the part of `train` that is one process's."""
    identities = read_identities(job.crop_tables)
    if not identities.names:
        tables = len(job.crop_tables)
        raise InputError(f"nobody to train on: no labelled candidate with an image in {tables} crop tables")
    network = initial_network(job.recipe, len(identities.names), job.imagenet)
    rows: list[history.Row] = []
    remark = ""
    if len(identities.names) == 1:
        movie, label = identities.names[0]
        remark = f"{label} of {movie} is the only person, so there was nothing to learn: these are the initial weights"
        logger.warning(remark)
    else:
        rows = _run(job, network, identities)
    if distributed.rank() == 0:
        save_weights(network, job.weights)
        history.write_history(job.history, rows, history.COLUMNS, remark)


def initial_network(recipe: Recipe, num_classes: int, imagenet: Path | None) -> Triplet | MGN:
    """Return the network that a training starts with; see `networks.build`."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(recipe.seed)
        return build(
            recipe.kind,
            recipe.backbone,
            num_classes,
            imagenet=imagenet,
            input_size=recipe.input_size,
            pooling=recipe.pooling,
            neck=recipe.neck,
        )


def _run(job: TrainingJob, network: Triplet | MGN, identities: Identities) -> list[history.Row]:
    """Train `network` in place, from the checkpoint on if one fits, and return the history."""
    recipe, device, leads = job.recipe, pick_device(job.device), distributed.rank() == 0
    network.to(device).to(memory_format=torch.channels_last).train()
    batches = Batches(identities, recipe)
    gallery = read_table(job.validation) if job.validation else None
    _log_data(identities, gallery, recipe)
    series = checkpoints.Series(job.checkpoints, _identity(job), recipe)
    found = series.newest()
    rows = found.rows if found else []
    determinism = found.determinism if found else _determinism_cost(network, batches, recipe) if leads else ""
    logger.info(determinism)
    learner = Learner(network, recipe, batches.sizes)
    if found:
        checkpoints.load_checkpoint(found.path, network, learner.optimizer)
    folders = _folders(job.checkpoints)
    if distributed.world_size() == 1 and len(rows) < recipe.epochs - 1:  # several would each fill a file
        batches.decode(folders)
    image = _decoded(gallery, recipe, folders) if leads and gallery and len(rows) < recipe.epochs else None
    log = history.Log(job.logs, rows) if leads else None
    stream = batches.stream(len(rows), workers=job.workers, pin_memory=device.type == "cuda")
    with (
        closing(log) if log else nullcontext(),
        _progress(network, batches, recipe, done=len(rows)) as progress,
        deterministic(device, recipe.precision),
    ):
        for epoch in range(len(rows), recipe.epochs):
            rows.append(_epoch(learner, stream, batches, epoch, progress))
            if log is None:
                continue
            if gallery and (epoch + 1 == recipe.epochs or (epoch + 1) % recipe.validate_every == 0):
                scores = validate(network, gallery, device=str(device), precision=recipe.precision, image=image)
                rows[-1] = {**rows[-1], **{name: _number(scores[name]) for name in SCORES}}
            progress.set_postfix({name: rows[-1][name] for name in history.COLUMNS if rows[-1][name]}, refresh=False)
            log.add(rows)
            series.add(rows, network, learner.optimizer, determinism)
    if leads:
        series.choose(rows, network)
    return rows


def _log_data(identities: Identities, gallery: pa.Table | None, recipe: Recipe) -> None:
    counts = [len(rows) for rows in identities.members]
    few = sum(count < recipe.images for count in counts)
    repeated = f"; {few} of them have fewer than {recipe.images}, which are repeated" if few else ""
    logger.info("training on %d people in %d images%s", len(counts), sum(counts), repeated)
    if not gallery:
        logger.info("no validation: there is no labelled movie that is not trained on")
        return
    logger.info(
        "validating on %d candidates of %d movies; once settings, or the best epoch, are chosen by these scores, they "
        "are too good",
        len(gallery),
        len(gallery["movie"].unique()),
    )


def _folders(checkpoint_dir: Path) -> list[Path]:
    """Return where decoded images may lie: the node's own disk before one that many jobs share.

    What lies in memory is no better than a cache.
    """
    checkpoint_dir.mkdir(parents=True, exist_ok=True)
    local = Path(tempfile.gettempdir())
    return [checkpoint_dir] if in_memory(local) else [local, checkpoint_dir]


def _decoded(gallery: pa.Table, recipe: Recipe, folders: Sequence[Path]) -> Images:
    """Return what gives the images of the validation, which are decoded once if they are looked at more than once."""
    image = decoder(gallery, recipe.input_size)
    if recipe.validate_every >= recipe.epochs:
        return image
    return decode_ahead(image, len(gallery), recipe.input_size, folders=folders, threads=torch.get_num_threads())


def _progress(network: Triplet | MGN, batches: Batches, recipe: Recipe, *, done: int) -> tqdm:
    return tqdm(
        desc=f"{network.kind} on {network.backbone_name}",
        total=recipe.epochs * batches.steps * batches.size,
        initial=done * batches.steps * batches.size,
        unit="image",
        mininterval=2,
        disable=distributed.rank() != 0,
    )


def _determinism_cost(network: Triplet | MGN, batches: Batches, recipe: Recipe) -> str:
    """Time steps of a copy, which is thrown away; on the CPU there is nothing to time."""
    device = next(network.parameters()).device
    if device.type != "cuda":
        return cost(lambda: None, device, recipe.precision)
    images, labels = batches.first()
    twin = Learner(copy.deepcopy(network), recipe, [len(images)])
    return cost(partial(twin.step, images, labels[: len(images)]), device, recipe.precision)


def _epoch(
    learner: Learner,
    stream: Iterator[tuple[Tensor, Tensor]],
    batches: Batches,
    epoch: int,
    progress: tqdm,
) -> history.Row:
    """Train for one epoch, counted from 0, and return its row of the history, without a validation's scores."""
    rate = learning_rate(batches.recipe, epoch)
    for group in learner.optimizer.param_groups:
        group["lr"] = rate
    # Dropout and stochastic depth, which some of timm's models have, draw from torch's own generators.
    seed = np.random.SeedSequence((batches.recipe.seed, epoch, distributed.rank())).generate_state(1).item()
    torch.manual_seed(seed)
    totals = torch.zeros(len(history.LOSSES), device=learner.device)
    start = time.perf_counter()
    for _ in range(batches.steps):
        totals += learner.step(*next(stream))
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


def _identity(job: TrainingJob) -> dict[str, str | int | None]:
    """Return what a checkpoint must agree in, see `checkpoints.Series`."""
    recipe = {name: value for name, value in asdict(job.recipe).items() if name not in _NOT_OF_THE_WEIGHTS}
    parts = {
        "recipe": recipe,
        "imagenet": file_digest(job.imagenet) if job.imagenet else None,
        "crops": [file_digest(path) for path in job.crop_tables],  # which say which movies they are
        "code": job.code,
        "processes": distributed.world_size(),
    }
    return {
        "fingerprint": hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest(),
        "validation": file_digest(job.validation) if job.validation else None,
        "validate_every": job.recipe.validate_every,
    }
