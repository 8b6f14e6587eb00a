"""Compare the ways to search on labelled pictures of real people, with several face engines and body networks.

    python bench/real.py DATA
    python bench/real.py DATA --compare FILE

DATA has `val.json`, `val_label.json` and the pictures in `val/`, as the challenge has them. FILE is YAML with a list of
`engines`, each with its `name` and options as under `faces` in the configuration, and a list of `networks`, each as
under `reid.networks`; without it, what a run without labels has is measured. Prints for every movie, engine and network
the mean average precision of every search of the ablation table, and the margin of the default to the best of the
others.
"""

import argparse
import tempfile
from collections.abc import Mapping, Sequence
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import yaml
from search import searches
from tqdm import tqdm

from castsearch import files
from castsearch.data.challenge import load_annotations, load_labels
from castsearch.data.crops import read_crops
from castsearch.data.cutting import crop_movie
from castsearch.evaluation.metrics import average_precision
from castsearch.faces import engines
from castsearch.faces.detection import detect_table
from castsearch.faces.embedding import embed_table
from castsearch.reid.features import extract
from castsearch.reid.kinds import MODULES
from castsearch.reid.networks import build_pretrained, save_weights
from castsearch.reid.weights import imagenet_file
from castsearch.search.fuse_stage import rank_gallery
from castsearch.search.gallery import load_gallery
from castsearch.search.rerank_stage import rerank_gallery
from castsearch.search.variant import reranked_similarities

DEFAULT = {
    "engines": [{"name": "yunet_sface"}],
    "networks": [{"name": "imagenet", "kind": "pretrained", "backbone": "mobilenet_v2", "imagenet": "packaged"}],
}


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
    files.write_table(folder / "detections.arrow", detect_table(folder / "crops.arrow", module.make(planned.detection)))
    engine = module.make(planned.embedding)
    path = folder / f"{engine_label(options)}.arrow"
    files.write_table(path, embed_table(folder / "crops.arrow", folder / "detections.arrow", engine))
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


def score(crops: Path, faces: Path, bodies: Path | None, engine: str, labels: Mapping[str, Sequence[str]]) -> pd.Series:
    """Mean average precision of a movie by the title of every search."""
    networks = [] if bodies is None else ["body"]
    compared = searches(engine=engine, networks=networks, thresholds=None)
    gallery = load_gallery([crops], {engine: [faces]}, {name: [bodies] for name in networks})
    reranked = dict(rerank_gallery(gallery, reranked_similarities(compared)))
    rankings = rank_gallery(gallery, reranked, compared).to_pylist()
    titles = {variant.key: variant.title.replace("[body]", "") for variant in compared}
    found: dict[str, list[float]] = {title: [] for title in titles.values()}
    for row in rankings:
        if labels[row["cast"]]:
            found[titles[row["variant"]]].append(average_precision(labels[row["cast"]], row["ranking"]))
    return pd.Series({title: np.mean(values) for title, values in found.items()})


def measure(data: Path, engine_options: Sequence[Mapping], networks: Sequence[Mapping]) -> pd.DataFrame:
    """A row for every movie, engine and network, with a column for every search."""
    annotations, labels = load_annotations(data / "val.json"), load_labels(data / "val_label.json")
    rows = []
    for movie, entry in tqdm(annotations.items(), unit="movie"):
        with tempfile.TemporaryDirectory() as temporary:
            folder = Path(temporary)
            crops = folder / "crops.arrow"
            crop_movie(crops, "val", movie, entry, source=movie, images=data / "val", on_bad_image="stop")
            bodies = {"none": None} | {each["name"]: make_bodies(folder, each) for each in networks}
            for options in engine_options:
                faces = make_faces(folder, options)
                for network, features in bodies.items():
                    found = score(folder / "crops.arrow", faces, features, options["name"], labels)
                    rows.append({"movie": movie, "engine": engine_label(options), "bodies": network, **found})
    return pd.DataFrame(rows)


def with_margin(scores: pd.DataFrame) -> pd.DataFrame:
    """Add the margin of the default to the best other search, which has bodies where there are any."""
    titles = scores.columns[3:]
    default = scores["diffusion face+body"].where(scores["bodies"] != "none", scores["diffusion face"])
    used = np.where(scores["bodies"] != "none", "diffusion face+body", "diffusion face")
    others = scores[titles].mask(titles.to_numpy() == used[:, None]).max(axis=1)
    return scores.assign(margin=(default - others).map("{:+.3f}".format))


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path, help="folder with val.json, val_label.json and val/")
    parser.add_argument("--compare", type=Path, help="YAML with engines and networks")
    options = parser.parse_args()
    compared = yaml.safe_load(options.compare.read_text()) if options.compare else DEFAULT
    scores = measure(options.data, compared["engines"], compared["networks"])
    for keys, group in with_margin(scores).groupby(["engine", "bodies"], sort=False):
        print(f"\n{' and '.join(keys)}\n")
        print(group.drop(columns=["engine", "bodies"]).dropna(axis=1).set_index("movie").T.to_markdown(floatfmt=".3f"))


if __name__ == "__main__":
    main()
