"""Speed and cost of ReID training and features, beside the reference system's way of doing the same.

    python bench/reid.py                              everything that this machine can do
    python bench/reid.py input loss --threads 1       only these parts
    python bench/reid.py gpu --workers 12             the training loop on a GPU
    python bench/reid.py gpu --device cpu --rehearse  that part's code, small, without a GPU

The parts: `step`, a whole training step; `loss`, the triplet loss alone; `input`, from the encoded crop to the
network's input; `features`, describing crops; `costs`, what each of the reference system's networks takes; `gpu`, the
training loop, its images decoded once or in every epoch, beside the same steps on tensors that are already there. The
two ways that are compared take turns, and time is the processor's where it is measured on one thread, so that other
work on the machine hardly changes a ratio.
"""

import argparse
import io
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from importlib.util import find_spec
from itertools import cycle, product
from pathlib import Path
from unittest.mock import patch

import cv2
import numpy as np
import pandas as pd
import pyarrow as pa
import torch
from PIL import Image
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812
from torch.utils.flop_counter import FlopCounterMode
from torchvision.transforms import v2
from tqdm import tqdm

from castsearch import files
from castsearch.data import crops as crop_tables
from castsearch.reid import features, history, networks, transforms
from castsearch.reid.determinism import deterministic
from castsearch.reid.learner import Learner
from castsearch.reid.losses import TripletLoss
from castsearch.reid.recipe import Recipe
from castsearch.reid.torch_features import describer
from castsearch.reid.trainer import TrainingJob, train

SIZE = networks.INPUT_SIZE
CROPS = ((200, 480), (300, 700))  # usual widths and heights of a person box, pixels
JPEG_QUALITY = 95  # without chroma subsampling, as the workflow writes crops
BATCH = {"people": 18, "images": 4}  # the reference system's
KINDS = ("triplet", "mgn")
BACKBONES = ("mobilenet_v2", "resnet50", "resnet101", "resnet152", "resnext50_32x4d", "resnext101_32x8d")
BACKBONES += ("densenet121", "densenet161", "densenet169", "densenet201")
CHALLENGE_PEOPLE = 1000  # about as many as the challenge's training movies have


def encoded_crop(rng: np.random.Generator, size: tuple[int, int]) -> bytes:
    """JPEG of a piece of a photograph, `size` wide and high."""
    folder = find_spec("skimage").submodule_search_locations[0]
    photograph = cv2.imread(str(Path(folder, "data/astronaut.png")), cv2.IMREAD_COLOR_RGB)
    left, top = rng.integers(0, 300), rng.integers(0, 60)
    piece = cv2.resize(photograph[top : top + 450, left : left + 200], size, interpolation=cv2.INTER_CUBIC)
    buffer = io.BytesIO()
    Image.fromarray(piece).save(buffer, "JPEG", quality=JPEG_QUALITY, subsampling=0)
    return buffer.getvalue()


def crop_table(path: Path, people: int, crops: int, size: tuple[int, int]) -> Path:
    """Write a movie of some people with some crops each, from 64 different pictures at most."""
    rng = np.random.default_rng(0)
    pictures = cycle([encoded_crop(rng, size) for _ in range(min(64, people * crops))])
    box = {"frame": "", "x": 0, "y": 0, "width": size[0], "height": size[1], "problem": None}
    rows = [
        {"id": f"{person}_{crop}", "role": "candidate", "label": str(person), "image": next(pictures), **box}
        for person, crop in product(range(people), range(crops))
    ]
    files.write_table(path, crop_tables.crop_table("train", path.stem, rows))
    return path


def in_turns(ways: dict[str, Callable[[], object]], rounds: int, clock: Callable[[], float]) -> dict[str, float]:
    """Seconds that each way takes at its best, all of them once in every round, the first of which is not counted."""
    seconds: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(rounds + 1):
        for name, way in ways.items():
            start = clock()
            way()
            seconds[name].append(clock() - start)
    return {name: min(values[1:]) for name, values in seconds.items()}


def clock() -> float:
    """This process's time at work on one thread, else the time that passes."""
    return time.process_time() if torch.get_num_threads() == 1 else time.perf_counter()


def native_bfloat16() -> bool:
    """Whether this machine's processor multiplies bfloat16 by itself."""
    able = torch.cpu.get_capabilities()
    return bool(able.get("avx512_bf16") or able.get("amx_bf16") or able.get("bf16"))


class RowByRow(nn.Module):
    """The triplet loss as the reference system computes it: a walk over the anchors."""

    def forward(self, embeddings: Tensor, labels: Tensor) -> tuple[Tensor, Tensor]:
        """Return the loss and the top-1 accuracy."""
        losses, hits = [], 0
        for anchor in range(len(labels)):
            distance = (embeddings - embeddings[anchor]).square().sum(dim=1).clamp(min=1e-12).sqrt()
            same = labels == labels[anchor]
            others = torch.arange(len(labels)) != anchor
            farthest, nearest = distance[same & others].max(), distance[~same].min()
            losses.append(F.softplus(farthest - nearest))
            hits += int(distance[same & others].min() < nearest)
        return torch.stack(losses).mean(), torch.tensor(hits / len(labels))


def batch(people: int, crops: int) -> tuple[Tensor, Tensor]:
    """Random images, uint8, and who is in them."""
    generator = torch.Generator().manual_seed(0)
    pixels = torch.randint(0, 256, (people * crops, *SIZE, 3), dtype=torch.uint8, generator=generator)
    return pixels, torch.arange(people).repeat_interleave(crops)


def plain_step(kind: str, backbone: str) -> Callable[[], None]:
    """The reference system's training step: planar images, one Adam update after the other, float32."""
    network = networks.build(kind, backbone, CHALLENGE_PEOPLE).train()
    optimizer = torch.optim.Adam(network.parameters(), lr=3e-4, weight_decay=5e-4, foreach=False, fused=False)
    pixels, labels = batch(6, 4)
    criterion = RowByRow()

    def step() -> None:
        planes = transforms.to_input(pixels, torch.device("cpu")).contiguous()
        loss = torch.tensor(0.0)
        for embedding, logits in network(planes):
            loss = loss + F.cross_entropy(logits, labels) + criterion(embedding, labels)[0]
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()

    return step


def trainers_step(recipe: Recipe, device: torch.device, compiled: bool = False) -> Callable[[], Tensor]:
    """The trainer's own step on a batch that is already there."""
    network = networks.build(recipe.kind, recipe.backbone, CHALLENGE_PEOPLE).train()
    network.to(device).to(memory_format=torch.channels_last)
    pixels, labels = (each.to(device) for each in batch(recipe.people, recipe.images))
    # Without a GPU only the tracing is rehearsed, since to generate code for a CPU takes minutes.
    backend = "inductor" if device.type == "cuda" else "eager"
    learner = Learner(torch.compile(network, backend=backend) if compiled else network, recipe, [len(labels)])
    return lambda: learner.step(pixels, labels)


def steps(options: argparse.Namespace) -> pd.DataFrame:
    """Seconds of a step of 6 x 4 images, 1,000 people."""
    rows = []
    for kind in KINDS:
        recipe = Recipe(kind, "resnet50", people=6, images=4)
        ways = {
            "seed [s]": plain_step(kind, "resnet50"),
            "float32 [s]": trainers_step(recipe, torch.device("cpu")),
        }
        if native_bfloat16():
            ways["bfloat16 [s]"] = trainers_step(replace(recipe, precision="bfloat16"), torch.device("cpu"))
        seconds = in_turns(ways, options.rounds, clock)
        ours = seconds.get("bfloat16 [s]", seconds["float32 [s]"])
        rows.append({"step": f"{kind} on resnet50"} | seconds | {"ratio": seconds["seed [s]"] / ours})
    if not native_bfloat16():
        print("bfloat16: left out: this processor has no bfloat16")
    return pd.DataFrame(rows)


def loss(options: argparse.Namespace) -> pd.DataFrame:
    """Milliseconds of the triplet loss with its gradient, 18 x 4 rows of 2,048 numbers."""
    labels = torch.arange(BATCH["people"]).repeat_interleave(BATCH["images"])
    embeddings = torch.randn(len(labels), 2048, generator=torch.Generator().manual_seed(0), requires_grad=True)

    def run(criterion: nn.Module) -> Callable[[], None]:
        return lambda: [criterion(embeddings, labels)[0].backward() for _ in range(10)]

    seconds = in_turns({"row by row": run(RowByRow()), "at once": run(TripletLoss())}, options.rounds, clock)
    ratio = seconds["row by row"] / seconds["at once"]
    return pd.DataFrame(
        [{f"triplet loss {name} [ms]": 100 * value for name, value in seconds.items()} | {"ratio": ratio}]
    )


def seeds_input() -> Callable[[bytes], Tensor]:
    """From an encoded crop to the network's input as the reference system does it, one image at a time."""
    transform = v2.Compose(
        [
            v2.Resize(SIZE, v2.InterpolationMode.BICUBIC),
            v2.RandomHorizontalFlip(),
            v2.Pad(10),
            v2.RandomCrop(SIZE),
            v2.PILToTensor(),
            v2.ToDtype(torch.float32, scale=True),
            v2.Normalize(transforms.MEAN, transforms.STD),
            v2.RandomErasing(0.5, (0.02, 0.4), (0.3, 3.3)),
        ]
    )
    return lambda encoded: transform(Image.open(io.BytesIO(encoded)).convert("RGB"))


def augmented(pixels: np.ndarray, recipe: Recipe) -> Tensor:
    """The trainer's augmentation of a batch, and its normalisation on the CPU."""
    variations = transforms.draw_variations(
        len(pixels),
        SIZE,
        np.random.default_rng(0),
        flip=recipe.flip,
        pad=recipe.pad,
        erasing=recipe.erasing,
        erasing_area=recipe.erasing_area,
        erasing_aspect=recipe.erasing_aspect,
    )
    return transforms.to_input(torch.from_numpy(transforms.augment(pixels, variations)), torch.device("cpu"))


def inputs(options: argparse.Namespace) -> pd.DataFrame:
    """Milliseconds an image on one core, from the encoded crop to the network's input."""
    recipe, rows, threads = Recipe("triplet", "resnet50"), [], torch.get_num_threads()
    torch.set_num_threads(1)
    cv2.setNumThreads(1)
    for size in CROPS:
        rng = np.random.default_rng(0)
        crops = [encoded_crop(rng, size) for _ in range(24)]
        decoded = np.stack([transforms.decode_image(crop, SIZE) for crop in crops])
        seed = seeds_input()
        ways = {
            "seed": lambda crops=crops, seed=seed: torch.stack([seed(crop) for crop in crops]),
            "ours": lambda crops=crops: augmented(
                np.stack([transforms.decode_image(crop, SIZE) for crop in crops]), recipe
            ),
            "decoded once": lambda decoded=decoded: augmented(decoded, recipe),
        }
        seconds = in_turns(ways, 2 * options.rounds, time.process_time)
        pillow = [
            np.asarray(Image.open(io.BytesIO(crop)).resize(SIZE[::-1], Image.Resampling.BICUBIC)) for crop in crops
        ]
        off = np.abs(np.stack(pillow).astype(int) - decoded)
        rows.append(
            {"crop": f"{size[0]}x{size[1]}, {np.mean([len(crop) for crop in crops]) / 1000:.0f} kB"}
            | {f"{name} [ms]": 1000 * value / len(crops) for name, value in seconds.items()}
            | {"ratio": seconds["seed"] / seconds["ours"], "grey levels off, mean": off.mean(), "most": off.max()}
        )
    torch.set_num_threads(threads)
    return pd.DataFrame(rows)


def described(options: argparse.Namespace) -> pd.DataFrame:
    """Images a second from encoded crops to features, each with its mirror."""
    device = networks.pick_device(options.device)
    rng = np.random.default_rng(0)
    count = 16 if device.type == "cpu" else 4096
    crops = [encoded_crop(rng, CROPS[1]) for _ in range(min(count, 64))] * max(1, count // 64)
    table = pa.table({"id": list(map(str, range(count))), "image": pa.array(crops, pa.binary())})
    rows = []
    for kind, backbone in product(KINDS, ("resnet50", "mobilenet_v2")):
        network = networks.build(kind, backbone, 0)
        precisions = ["float32"] + ["bfloat16"] * (device.type == "cuda" or native_bfloat16())
        ways = {
            f"{precision} [images/s]": lambda precision=precision, network=network: features.extract(
                describer(network, device=str(device), precision=precision), table
            )
            for precision in precisions
        }
        seconds = in_turns(ways, options.rounds, clock if device.type == "cpu" else time.perf_counter)
        rows.append(
            {"features": f"{kind} on {backbone}, {device.type}"}
            | {name: count / value for name, value in seconds.items()}
        )
    return pd.DataFrame(rows)


def saved_for_backward(network: nn.Module, pixels: Tensor) -> int:
    """Bytes that a forward pass keeps for the backward one."""
    kept = {}

    def keep(tensor: Tensor) -> Tensor:
        storage = tensor.untyped_storage()
        kept[storage._cdata] = storage
        return tensor

    weights = {parameter.untyped_storage()._cdata for parameter in network.parameters()}
    with torch.autograd.graph.saved_tensors_hooks(keep, lambda tensor: tensor):
        parts = network(pixels)
        sum(F.cross_entropy(logits, torch.zeros(len(logits), dtype=torch.long, device="meta")) for _, logits in parts)
    return sum(storage.nbytes() for key, storage in kept.items() if key not in weights)


def costs(options: argparse.Namespace) -> pd.DataFrame:
    """What each of the reference system's networks takes; all but the seconds is counted, not measured."""
    rows = []
    for kind, backbone in tqdm(list(product(KINDS, BACKBONES)), desc="costs", mininterval=2):
        with torch.device("meta"):
            network = networks.build(kind, backbone, CHALLENGE_PEOPLE)
            counter = FlopCounterMode(display=False)
            with counter, torch.no_grad():
                network.eval()(torch.empty(1, 3, *SIZE))
            kept = saved_for_backward(network.train(), torch.empty(72, 3, *SIZE))
        parameters = sum(parameter.numel() for parameter in network.parameters())
        described = sum(p.numel() for name, p in network.named_parameters() if not name.startswith("logits"))
        step = trainers_step(Recipe(kind, backbone, people=2, images=2), torch.device("cpu"))
        rows.append(
            {
                "network": f"{kind} {backbone}",
                "parameters [M]": described / 1e6,
                "GFLOP an image": counter.get_total_flops() / 1e9,
                "memory of a step [GB]": (16 * parameters + kept) / 1e9,
                "step [s]": in_turns({"step": step}, 1, clock)["step"],
            }
        )
    table = pd.DataFrame(rows)
    reference = table.loc[table["network"] == "triplet resnet50", "step [s]"].item()
    return table.assign(**{"step, relative": table["step [s]"] / reference}).drop(columns="step [s]")


def loop_speed(table: Path, recipe: Recipe, options: argparse.Namespace, *, once: bool) -> tuple[float, float]:
    """Images a second of the trainer's own loop after its first epoch, and the seconds of decoding before that.

    The first epoch is left out because it starts the loader's processes, chooses kernels and fills the queue. `once`
    says whether images are decoded once, or in every epoch.
    """
    seconds = []
    original = transforms.decode_once

    def decode(*arguments: object, **named: object) -> Callable[[int], np.ndarray]:
        if not once:
            raise OSError("as if there were no room")
        start = time.perf_counter()
        decoded = original(*arguments, **named)
        seconds.append(time.perf_counter() - start)
        return decoded

    with tempfile.TemporaryDirectory() as name, patch.object(transforms, "decode_once", decode):
        folder = Path(name)
        train(
            TrainingJob(
                [table],
                recipe,
                imagenet=None,
                validation=None,
                weights=folder / "weights.safetensors",
                history=folder / "history.tsv",
                checkpoints=folder / "checkpoints",
                logs=folder / "log",
                code="bench",
                device=options.device,
                workers=options.workers,
            )
        )
        speeds = pd.read_table(folder / "log/history.tsv")[history.SPEED]
    return 1 / (1 / speeds[1:]).mean(), sum(seconds)


def step_speed(recipe: Recipe, device: torch.device, *, compiled: bool) -> tuple[float, float]:
    """Images a second of steps on one batch that is on the device, and the memory in GB that they take."""
    on_gpu = device.type == "cuda"
    step, count = trainers_step(recipe, device, compiled), 30 if on_gpu else 1
    with deterministic(device, recipe.precision):
        for _ in range(5 if on_gpu else 1):
            step().tolist()
        if on_gpu:
            torch.cuda.reset_peak_memory_stats(device)
        start = time.perf_counter()
        for _ in range(count):
            last = step()
        last.tolist()  # waits for the device
        seconds = (time.perf_counter() - start) / count
    memory = torch.cuda.max_memory_allocated(device) / 1e9 if on_gpu else float("nan")
    return recipe.people * recipe.images / seconds, memory


def gpu(options: argparse.Namespace) -> pd.DataFrame:
    """Images a second of training at the reference system's batch, and how much of it the loader leaves."""
    device = networks.pick_device(options.device)
    if device.type != "cuda" and not options.rehearse:
        print("gpu: left out: there is no GPU")
        return pd.DataFrame()
    recipe = Recipe("triplet", "resnet50", **BATCH, epochs=4, checkpoint_every=4, precision="bfloat16")
    people = options.steps * recipe.people
    if options.rehearse:
        recipe = replace(recipe, backbone="mobilenet_v2", people=2, images=2, epochs=2, precision="float32")
        people = 4
    rows, threads = [], torch.get_num_threads()
    torch.set_num_threads(options.workers)  # which decode before the first epoch
    with tempfile.TemporaryDirectory() as folder:
        table = crop_table(Path(folder, "movie.arrow"), people, recipe.images, CROPS[1])
        for kind in KINDS:
            of_kind = replace(recipe, kind=kind)
            ready, memory = step_speed(of_kind, device, compiled=False)
            loops = {once: loop_speed(table, of_kind, options, once=once) for once in (True, False)}
            try:  # last, since it wants a compiler, too
                compiled, compiled_memory = step_speed(of_kind, device, compiled=True)
            except (AssertionError, OSError, RuntimeError) as error:
                print(f"{kind}: not compiled: {error}")
                compiled = compiled_memory = float("nan")
            for once, (loop, decoding) in loops.items():
                rows.append(
                    {
                        "training": f"{kind} on {recipe.backbone}, {recipe.people}x{recipe.images}, {recipe.precision}",
                        "images decoded": "once" if once else "in every epoch",
                        "before the first epoch [s]": decoding,
                        "loop [images/s]": loop,
                        "from tensors [images/s]": ready,
                        "share": f"{loop / ready:.0%}",
                        "memory [GB]": memory,
                        "compiled, from tensors [images/s]": compiled,
                        "compiled, memory [GB]": compiled_memory,
                    }
                )
    torch.set_num_threads(threads)
    name = torch.cuda.get_device_name(device) if device.type == "cuda" else "no GPU, so these numbers mean nothing"
    print(f"{name}, {options.workers} workers; an epoch has {people // recipe.people} steps")
    return pd.DataFrame(rows)


PARTS = {"step": steps, "loss": loss, "input": inputs, "features": described, "costs": costs, "gpu": gpu}


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure the chosen parts and print a table of each."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("parts", nargs="*", metavar="part", help=f"of {', '.join(PARTS)}; all if none is named")
    parser.add_argument("--threads", type=int, default=1, help="of the processor, for what is measured on it")
    parser.add_argument("--rounds", type=int, default=3, help="how often each way is timed; the best counts")
    parser.add_argument("--steps", type=int, default=200, help="of an epoch on the GPU; the first few dozen are ready")
    parser.add_argument("--workers", type=int, default=12, help="processes that load images for the GPU")
    parser.add_argument("--device", default="auto", help="for features and gpu")
    parser.add_argument("--rehearse", action="store_true", help="run the part gpu small, on any device")
    options = parser.parse_args(arguments)
    if unknown := set(options.parts) - set(PARTS):
        parser.error(f"no such part: {', '.join(sorted(unknown))}")
    torch.set_num_threads(options.threads)
    for name in options.parts or PARTS:
        table = PARTS[name](options)
        if len(table):
            threads = "one thread" if name == "input" else f"threads: {options.threads}"
            print(
                f"\n{PARTS[name].__doc__.strip()} ({threads})\n\n{table.to_markdown(index=False, floatfmt='.4g')}",
                flush=True,
            )


if __name__ == "__main__":
    main()
