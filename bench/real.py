"""Compare the ways to search on labelled pictures of real people, with several face engines and body networks.

    python bench/real.py DATA
    python bench/real.py DATA --compare FILE

DATA has `val.json`, `val_label.json` and the pictures in `val/`, as the challenge has them. FILE is YAML with a list of
`engines`, each with its `name` and options as under `faces` in the configuration, and a list of `networks`, each as
under `reid.networks`; without it, what a run without labels has is measured. Prints for every movie, engine and network
the mean average precision of every search of the ablation table, the margin of the default to the best of the others,
and F1 and expected calibration error of the names that it gives; then how right names of each confidence are.
"""

import argparse
import json
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from hashlib import sha256
from importlib import import_module
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import pyarrow as pa
import yaml
from search import searches
from tqdm import tqdm

from castsearch import files
from castsearch.data.challenge import load_annotations, load_labels
from castsearch.data.crops import read_crops
from castsearch.data.cutting import crop_movie
from castsearch.data.nameless import UNKNOWN
from castsearch.evaluation.metrics import average_precision
from castsearch.evaluation.name_scores import calibration_error, true_names
from castsearch.faces import engines
from castsearch.faces.detection import detect_table
from castsearch.faces.embedding import embed_table
from castsearch.reid.features import extract
from castsearch.reid.kinds import MODULES
from castsearch.reid.networks import build_pretrained, save_weights
from castsearch.reid.weights import imagenet_file
from castsearch.search.fuse_stage import rank_gallery
from castsearch.search.gallery import load_gallery
from castsearch.search.naming import name_group
from castsearch.search.rerank_stage import rerank_gallery
from castsearch.search.variant import reranked_similarities

LEAST = 0.5  # the default of search.min_confidence
DEFAULT = {
    "engines": [{"name": "yunet_sface"}],
    "networks": [{"name": "imagenet", "kind": "pretrained", "backbone": "mobilenet_v2", "imagenet": "packaged"}],
}


class Described(NamedTuple):
    """A movie by one engine and one network: its tables, and the candidates of each of its cast."""

    movie: str
    label: str
    engine: str
    network: str
    crops: Path
    faces: Path
    bodies: Path | None
    labels: Mapping[str, Sequence[str]]


def engine_label(options: Mapping[str, Any]) -> str:
    """A short name of an engine and its recogniser."""
    recogniser = options.get("recogniser")
    own = recogniser.get("file") if isinstance(recogniser, Mapping) else recogniser
    return options["name"] + (f" + {Path(own).stem}" if own else "")


def make_faces(folder: Path, options: Mapping[str, Any]) -> Path:
    """Find and describe the faces of a movie whose crop table is in the folder."""
    module = engines.load(options["name"])
    chosen = {name: value for name, value in options.items() if name != "name"}
    known = {name: chosen.get(name, schema.get("default")) for name, schema in module.OPTIONS.items()}
    planned = module.plan(known, str(folder))
    found_by = sha256(
        json.dumps([options["name"], planned.detection], default=str, sort_keys=True).encode()
    ).hexdigest()
    detections, people = folder / f"{found_by}.arrow", read_crops(folder / "crops.arrow")
    if not detections.exists():
        files.write_table(detections, detect_table(people, module.make(planned.detection)))
    engine = module.make(planned.embedding)
    path = folder / f"{engine_label(options)}.arrow"
    files.write_table(path, embed_table(people, files.read_table(detections), engine))
    return path


def make_bodies(folder: Path, options: Mapping[str, Any]) -> Path:
    """Describe the bodies of a movie whose crop table is in the folder."""
    weights, settings = Path(options.get("file", folder / "pretrained.safetensors")), dict(options)
    if options["kind"] == "pretrained":
        save_weights(build_pretrained(options["backbone"], imagenet_file(options["imagenet"])), weights)
        settings["precision"] = "float32"
    describer = import_module(MODULES[options["kind"]]).open_describer(weights, settings, 1)
    path = folder / f"{options['name']}.npy"
    files.write_array(path, extract(describer, read_crops(folder / "crops.arrow").candidate_images()))
    return path


def score(given: Described) -> tuple[pd.Series, pd.DataFrame]:
    """Mean average precision of a movie by the title of every search, and how right the names of its boxes are."""
    networks = [] if given.bodies is None else ["body"]
    compared = searches(engine=given.engine, networks=networks, thresholds=None)
    gallery = load_gallery([given.crops], {given.engine: [given.faces]}, {name: [given.bodies] for name in networks})
    reranked = dict(rerank_gallery(gallery, reranked_similarities(compared)))
    rankings = pa.concat_tables(rank_gallery(gallery, reranked, compared))
    titles = {variant.key: variant.title.replace("[body]", "") for variant in compared}
    found: dict[str, list[float]] = {title: [] for title in titles.values()}
    for row in rankings.to_pylist():
        if given.labels[row["cast"]]:
            found[titles[row["variant"]]].append(average_precision(given.labels[row["cast"]], row["ranking"]))
    scores = pd.Series({title: np.mean(values) for title, values in found.items()})
    [default] = [
        key for key, title in titles.items() if title == ("diffusion face+body" if networks else "diffusion face")
    ]
    files.write_table(given.crops.with_name("rankings.arrow"), rankings)
    names = name_group([given.crops], given.crops.with_name("rankings.arrow"), default, LEAST)
    truth = true_names(read_crops(given.crops), given.labels)
    return scores, names.assign(truth=[truth.get(box, UNKNOWN) for box in names["box"]])


def name_scores(names: pd.DataFrame) -> dict[str, float]:
    """F1 of the names of boxes, and their expected calibration error."""
    given, shown = names["person"] != UNKNOWN, names["truth"] != UNKNOWN
    right = given & (names["person"] == names["truth"])
    error = calibration_error(names["confidence"][given].to_numpy(), right[given].to_numpy())
    return {"F1 of names": 2 * right.sum() / max(1, given.sum() + shown.sum()), "calibration error": error}


def reliability(names: pd.DataFrame) -> pd.DataFrame:
    """How many boxes are in each bin of confidence, and how many of them show whom they are likeliest to show."""
    likely = names[names["likeliest"] != ""]
    bins = pd.cut(likely["confidence"], np.linspace(0, 1, 11), include_lowest=True)
    right = likely["likeliest"] == likely["truth"]
    own = likely.assign(right=right).groupby(bins, observed=True)
    return own.agg(boxes=("right", "size"), confidence=("confidence", "mean"), right=("right", "mean"))


def described(data: Path, engine_options: Sequence[Mapping], networks: Sequence[Mapping]) -> Iterator[Described]:
    """Every movie with every engine and network; its files are there until the next one."""
    annotations, labels = load_annotations(data / "val.json"), load_labels(data / "val_label.json")
    for movie, entry in tqdm(annotations.items(), unit="movie"):
        with tempfile.TemporaryDirectory() as temporary:
            folder = Path(temporary)
            crops = folder / "crops.arrow"
            crop_movie(crops, "val", movie, entry, source=movie, images=data / "val", on_bad_image="stop")
            bodies = {"none": None} | {each["name"]: make_bodies(folder, each) for each in networks}
            for options in engine_options:
                faces = make_faces(folder, options)
                for network, features in bodies.items():
                    own = (folder / "crops.arrow", faces, features)
                    yield Described(movie, engine_label(options), options["name"], network, *own, labels)


def measure(
    data: Path, engine_options: Sequence[Mapping], networks: Sequence[Mapping]
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """A row for every movie, engine and network, with a column for every search; and the names of all their boxes."""
    rows, named = [], []
    for each in described(data, engine_options, networks):
        scores, names = score(each)
        searched = {"movie": each.movie, "engine": each.label, "bodies": each.network}
        rows.append(searched | scores.to_dict() | {"margin": margin(scores)} | name_scores(names))
        named.append(names)
    scores = pd.DataFrame(rows)
    last = [name for name in ("margin", *name_scores(names)) if name in scores]
    return scores[[*scores.columns.drop(last), *last]], pd.concat(named)


def margin(scores: pd.Series) -> float:
    """By how much the default, which has bodies where there are any, exceeds the best other search."""
    default = "diffusion face+body" if "diffusion face+body" in scores else "diffusion face"
    return float(scores[default] - scores.drop(default).max())


def read_options(description: str | None, nargs: str | None) -> tuple[Any, Sequence[Mapping], Sequence[Mapping]]:
    """The data, engines and networks that the command line of a program names.

    Args:
        description: of the program.
        nargs: how many folders of data it takes, as `argparse` has it.
    """
    parser = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path, nargs=nargs, help="folder with val.json, val_label.json and val/")
    parser.add_argument("--compare", type=Path, help="YAML with engines and networks")
    options = parser.parse_args()
    compared = yaml.safe_load(options.compare.read_text()) if options.compare else DEFAULT
    return options.data, compared["engines"], compared["networks"]


def main() -> None:
    """Print the table."""
    scores, names = measure(*read_options(__doc__, None))
    for keys, group in scores.groupby(["engine", "bodies"], sort=False):
        print(f"\n{' and '.join(keys)}\n")
        print(group.drop(columns=["engine", "bodies"]).dropna(axis=1).set_index("movie").T.to_markdown(floatfmt=".3f"))
    print(f"\nconfidence of names, all of them\n\n{reliability(names).to_markdown(floatfmt='.3f')}")


if __name__ == "__main__":
    main()
