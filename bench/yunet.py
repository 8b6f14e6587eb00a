"""What the numbers of the engine `yunet_sface` were chosen by, on real pictures.

    python bench/yunet.py DATA …     folders with val.json, val_label.json and val/, in the challenge's format

Four tables:

- **Sizes**: YuNet at each working size, the side of a square of the area that a crop is scaled to. In how many crops
  selection finds a face, their mean score, the processor's time; and how well SFace tells people apart with the
  landmarks of that size: the share of pairs of one person that are more alike than a pair of two people (of a movie;
  mean over movies).
- **Small faces**: of the faces that some size finds with a score of 0.7 in the whole pictures, the share that each size
  finds, by the side of the face over that of the picture.
- **Cosines**: of pairs of one person and of two people, in each movie and, two people only, in scikit-image's
  `lfw_subset`: what the cascade's thresholds have to lie between.
- **Thresholds**: mean average precision of the cascade by faces alone, with each.
"""

import argparse
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path

import cv2
import numpy as np
import pandas as pd
from numpy.typing import NDArray
from tqdm import tqdm

from castsearch.boxes import overlap, suppress
from castsearch.data.challenge import image_path, is_cast_label, load_annotations, load_labels
from castsearch.data.crops import decode_rgb, read_crops
from castsearch.data.cutting import crop_movie
from castsearch.data.images import read_rgb
from castsearch.evaluation.metrics import mean_average_precision
from castsearch.faces.engine import Face, Faces, Image
from castsearch.faces.engines.yunet_sface import _FLOOR, _SIDE, YuNetSFaceEngine
from castsearch.faces.networks import yunet
from castsearch.faces.selection import select_candidate_face, select_cast_face
from castsearch.files import packaged_file
from castsearch.search.cascade import rank_candidates

SIDES = (80, 160, 224, 320, 448, 640, 960)
WIDE_SIDES = (160, 320, 448, 640, 960, 1280)
WIDE = 640  # pixels; smaller pictures have no face that is small in them and large enough to be one
SMALL = (0, 0.04, 0.08, 0.12, 0.2, 1)
THRESHOLDS = (
    (0.5, 0.45, 0.42, 0.4),
    (0.45, 0.42, 0.4, 0.38),
    (0.42, 0.4, 0.38, 0.36),
    (0.4, 0.38, 0.36, 0.34),
    (0.36, 0.34, 0.32, 0.3),
    (0.5, 0.4, 0.3, 0.25),
)


@dataclass
class Movie:
    """A movie's people, cast first, and what an engine makes of them."""

    name: str
    num_cast: int
    ids: list[str]
    labels: list[str]
    frames: list[str]
    images: list[Image]
    answers: dict[str, list[str]]
    faces: list[Face | None] = field(default_factory=list)
    detected: NDArray[np.bool_] | None = None
    features: NDArray[np.float32] | None = None


def read_movies(folder: Path) -> list[Movie]:
    """Cut out the people of all movies of a folder."""
    answers, movies = load_labels(folder / "val_label.json"), []
    for name, entry in load_annotations(folder / "val.json").items():
        with tempfile.TemporaryDirectory() as temporary:
            table = Path(temporary, "crops.arrow")
            crop_movie(table, "val", name, entry, source=name, images=folder / "val", on_bad_image="stop")
            crops = read_crops(table)
            images = [decode_rgb(image.as_py()) for image in crops.images]
        own = {person: answers[person] for person in crops.cast}
        movies.append(Movie(name, len(crops.cast), crops.ids, crops.labels, crops.frames, images, own))
    return movies


def select(engine: YuNetSFaceEngine, image: Image, found: Faces, cast: bool) -> tuple[Face | None, float]:
    """The person's own face and its score."""
    rule, (height, width) = engine.selection, image.shape[:2]
    good = found.scores >= rule.min_score
    boxes, scores, landmarks = found.boxes[good], found.scores[good], found.landmarks[good]
    if cast:
        own = select_cast_face(width, height, boxes, scores, rule)
    else:
        own = select_candidate_face(width, height, boxes, scores, rule)
    return (None, 0) if own is None else (Face(boxes[own], landmarks[own]), scores[own])


def look(engine: YuNetSFaceEngine, movie: Movie, side: float) -> tuple[list[float], float]:
    """Detect at one size, select and describe; return the scores of the faces and the seconds of detection."""
    start = time.process_time()
    found = [yunet.detect(engine._detector, image, side, _FLOOR) for image in movie.images]
    seconds = time.process_time() - start
    chosen = [
        select(engine, image, faces, row < movie.num_cast)
        for row, (image, faces) in enumerate(zip(movie.images, found, strict=True))
    ]
    movie.faces = [face for face, _ in chosen]
    movie.detected = np.array([(faces.scores >= engine.selection.min_score).any() for faces in found])
    movie.features = np.array(list(engine.embed(zip(movie.images, movie.faces, strict=True))))
    return [score for face, score in chosen if face is not None], seconds


def pairs(movie: Movie) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Cosines of all pairs of faces: of one person, and of two people."""
    rows = [row for row, face in enumerate(movie.faces) if face is not None]
    unit = movie.features[rows] / np.linalg.norm(movie.features[rows], axis=1, keepdims=True)
    names = np.array([movie.labels[row] for row in rows])
    known = np.array([is_cast_label(name) for name in names])
    first, second = np.triu_indices(len(rows), 1)
    cosines, same = (unit @ unit.T)[first, second], names[first] == names[second]
    return cosines[same & known[first]], cosines[~same]


def separation(same: NDArray, different: NDArray) -> float:
    """The share of pairs (one of `same`, one of `different`) in which the former is greater."""
    ordered = np.sort(different)
    return float(np.searchsorted(ordered, same).mean() / len(ordered))


def sizes(engine: YuNetSFaceEngine, movies: Sequence[Movie]) -> pd.DataFrame:
    """The table of sizes."""
    rows = []
    for side in tqdm(SIDES, "sizes"):
        looked = [look(engine, movie, side) for movie in movies]
        owners = [(row < movie.num_cast, face) for movie in movies for row, face in enumerate(movie.faces)]
        rows.append(
            {
                "side": side,
                "portraits": np.mean([face is not None for cast, face in owners if cast]),
                "candidates": np.mean([face is not None for cast, face in owners if not cast]),
                "score": np.mean([score for scores, _ in looked for score in scores]),
                "told apart": np.mean([separation(*pairs(movie)) for movie in movies]),
                "ms": 1000 * sum(seconds for _, seconds in looked) / len(owners),
            }
        )
    return pd.DataFrame(rows)


def small_faces(engine: YuNetSFaceEngine, folders: Sequence[Path]) -> pd.DataFrame:
    """The table of small faces in wide pictures."""
    found: list[tuple[float, list[bool]]] = []
    for folder in folders:
        pictures = {
            one["img"] for entry in load_annotations(folder / "val.json").values() for one in entry["candidates"]
        }
        for img in tqdm(sorted(pictures), "small faces"):
            image = np.asarray(read_rgb(image_path(folder / "val", img)))
            picture = np.sqrt(image.shape[0] * image.shape[1])
            if picture < WIDE:
                continue
            looked = [yunet.detect(engine._detector, image, side, _FLOOR) for side in WIDE_SIDES]
            boxes, scores = (
                np.concatenate([one.boxes for one in looked]),
                np.concatenate([one.scores for one in looked]),
            )
            for box in boxes[suppress(boxes, scores, yunet.SUPPRESSION)]:
                best = [faces.scores[overlap(box[None], faces.boxes)[0] > 0.4].max(initial=0) for faces in looked]
                if max(best) >= 0.7:
                    relative = float(np.sqrt(np.prod(box[2:] - box[:2])) / picture)
                    found.append((relative, [score >= engine.selection.min_score for score in best]))
    rows = []
    for low, high in pairwise(SMALL):
        some = [seen for relative, seen in found if low <= relative < high]
        shares = np.mean(some, axis=0) if some else [np.nan] * len(WIDE_SIDES)
        rows.append({"face": f"{low} to {high}", "faces": len(some)} | dict(zip(WIDE_SIDES, shares, strict=True)))
    return pd.DataFrame(rows)


def strangers(engine: YuNetSFaceEngine) -> NDArray[np.float64]:
    """Cosines of the 100 faces of scikit-image's `lfw_subset`, enlarged from 25 pixels."""
    samples = []
    for face in np.load(packaged_file("skimage", "data/lfw_subset.npy"))[:100]:
        grey = cv2.resize((face * 255).round().astype(np.uint8), (150, 150), interpolation=cv2.INTER_CUBIC)
        image = cv2.cvtColor(cv2.copyMakeBorder(grey, 75, 75, 75, 75, cv2.BORDER_REPLICATE), cv2.COLOR_GRAY2RGB)
        (found,) = engine.detect([image])
        own, _ = select(engine, image, found, cast=False)
        if own is not None:
            samples.append((image, own))
    features = np.array(list(engine.embed(samples)))
    unit = features / np.linalg.norm(features, axis=1, keepdims=True)
    return (unit @ unit.T)[np.triu_indices(len(unit), 1)]


def cosines(engine: YuNetSFaceEngine, movies: Sequence[Movie]) -> pd.DataFrame:
    """The table of cosines."""
    rows = []
    for name, same, different in [
        *((movie.name, *pairs(movie)) for movie in movies),
        ("lfw_subset", np.array([]), strangers(engine)),
    ]:
        row = {"movie": name, "pairs of two": len(different), "mean": different.mean()}
        row |= {f"{share:.1%} below": np.quantile(different, share) for share in (0.95, 0.99, 0.999)}
        row |= {"pairs of one": len(same)}
        if len(same):
            row |= {"median": np.median(same), "5.0% below": np.quantile(same, 0.05)}
        rows.append(row)
    return pd.DataFrame(rows)


def cascade(movies: Sequence[Movie]) -> pd.DataFrame:
    """The table of thresholds."""
    rows = []
    for thresholds in THRESHOLDS:
        row: dict[str, object] = {"thresholds": ", ".join(map(str, thresholds))}
        for movie in movies:
            cast = movie.num_cast
            ranking = rank_candidates(
                movie.features, None, movie.frames[cast:], movie.detected[cast:], cast, thresholds=thresholds
            )
            answer = {
                person: [movie.ids[cast + candidate] for candidate in order]
                for person, order in zip(movie.ids[:cast], ranking, strict=True)
            }
            row[movie.name] = mean_average_precision(movie.answers, answer)
        rows.append(row | {"mean": np.mean([row[movie.name] for movie in movies])})
    return pd.DataFrame(rows)


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path, nargs="*", help="folders with val.json, val_label.json and val/")
    folders = parser.parse_args().data
    if not folders:
        print("skipped: it needs real pictures; name folders in the challenge's format")
        return
    cv2.setNumThreads(1)
    engine = YuNetSFaceEngine()
    movies = [movie for folder in folders for movie in read_movies(folder)]
    tables = [sizes(engine, movies), small_faces(engine, folders)]
    for movie in movies:
        look(engine, movie, _SIDE)
    for table in (*tables, cosines(engine, movies), cascade(movies)):
        print(f"\n{table.to_markdown(index=False, floatfmt=('g', *['.3f'] * 8))}")


if __name__ == "__main__":
    main()
