"""How right the groups of unknown people are, beside what scikit-learn's HDBSCAN makes of the same faces.

    python bench/groups.py                  simulated movies, a minute or two
    python bench/groups.py DATA [DATA ...]  labelled pictures, too: folders with val.json, val_label.json and val/

Homogeneity and completeness (Rosenberg and Hirschberg, EMNLP 2007), and precision, recall and F1 of pairs of boxes that
are said to be of one person; whoever is in no group counts as alone. "all" groups all boxes, as in a film without
portraits; "strangers" those of people without one. Of labelled pictures, boxes count whose person is known.
`castsearch demo FOLDER` writes the demo as such a folder.
"""

import argparse
import tempfile
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
import real
import search
import simulation
from sklearn.cluster import HDBSCAN
from sklearn.metrics import homogeneity_completeness_v_measure, pair_confusion_matrix
from tqdm import tqdm

from castsearch.data.challenge import load_annotations, load_labels
from castsearch.data.cutting import crop_movie
from castsearch.search.gallery import load_gallery
from castsearch.search.groups import EVEN_BODY_IN_GROUPS, EVEN_FACE_IN_GROUPS, find_groups
from castsearch.search.links import link
from castsearch.search.neighbors import l2_normalize
from castsearch.search.similarity import face_similarity
from castsearch.search.strangers import certain_strangers

WORLDS = ("as assumed", "poor faces", "poor bodies", "half of the costumes are uniforms")


def of_pictures(data: Path) -> dict[str, simulation.SimulatedMovie]:
    """Labelled pictures by movie, as if they were simulated; whom a label does not name is −1."""
    annotations, labels = load_annotations(data / "val.json"), load_labels(data / "val_label.json")
    engine, network = real.DEFAULT["engines"][0], real.DEFAULT["networks"][0]
    movies = {}
    for movie, entry in tqdm(annotations.items(), desc=data.name, unit="movie"):
        with tempfile.TemporaryDirectory() as temporary:
            folder = Path(temporary)
            crops = folder / "crops.arrow"
            crop_movie(crops, "val", movie, entry, source=movie, images=data / "val", on_bad_image="stop")
            faces, bodies = real.make_faces(folder, engine), real.make_bodies(folder, network)
            gallery = load_gallery([crops], {"faces": [faces]}, {"bodies": [bodies]})
        found = gallery.faces["faces"]
        person = {box: number for number, name in enumerate(gallery.cast) for box in labels[name]}
        identity = np.array([person.get(box, -1) for box in gallery.candidates])
        body = gallery.bodies["bodies"]
        movies[movie] = simulation.SimulatedMovie(identity, found.feature, found.selected, body, gallery.frames)
    return movies


class Boxes(NamedTuple):
    """n boxes to be grouped, as a simulated movie has them, and c portraits, which tell what strangers reach."""

    portraits: np.ndarray
    face: np.ndarray
    has_face: np.ndarray
    body: np.ndarray
    frames: np.ndarray
    identity: np.ndarray


def choose(drawn: simulation.SimulatedMovie, strangers: bool) -> Boxes:
    """The boxes of strangers, or all as if nobody had a portrait."""
    num_cast = len(drawn.face) - len(drawn.identity)
    _, frames = np.unique(drawn.frames, return_inverse=True)
    own = drawn.identity >= num_cast if strangers else np.full(len(frames), True)
    portraits = drawn.face[: num_cast if strangers else 0]
    face = drawn.face[num_cast:][own]
    return Boxes(portraits, face, drawn.has_face[own], drawn.body[own], frames[own], drawn.identity[own])


def ours(boxes: Boxes) -> np.ndarray:
    """Group as the rule `names` does."""
    features = np.concatenate([boxes.portraits, boxes.face])
    similarity = face_similarity(features, len(boxes.portraits))
    certain = certain_strangers(similarity, boxes.frames, boxes.has_face)
    graph = link(
        certain,
        boxes.face,
        boxes.body,
        frames=boxes.frames,
        has_face=boxes.has_face,
        even_face=EVEN_FACE_IN_GROUPS,
        even_body=EVEN_BODY_IN_GROUPS,
    )
    return find_groups(graph, boxes.frames)


def hdbscan(boxes: Boxes) -> np.ndarray:
    """Group the faces that are seen, with HDBSCAN's defaults but for groups of two."""
    group = np.full(len(boxes.face), -1)
    group[boxes.has_face] = HDBSCAN(min_cluster_size=2, copy=True).fit(l2_normalize(boxes.face[boxes.has_face])).labels_
    return group


def score(group: np.ndarray, identity: np.ndarray) -> dict[str, float]:
    """Scores of groups, −1 for whoever is alone, over the boxes whose person is known."""
    alone = group < 0
    group = np.where(alone, group.max(initial=0) + 1 + np.cumsum(alone), group)
    known = identity >= 0
    homogeneity, completeness, _ = homogeneity_completeness_v_measure(identity[known], group[known])
    (_, apart), (missed, together) = pair_confusion_matrix(identity[known], group[known])
    precision, recall = together / max(1, together + apart), together / max(1, together + missed)
    return {
        "homogeneity": homogeneity,
        "completeness": completeness,
        "precision": precision,
        "recall": recall,
        "F1": 2 * together / max(1, 2 * together + apart + missed),
    }


def measure(sets: dict[str, list[Boxes]]) -> pd.DataFrame:
    """A row for each set and way to group: means over its movies."""
    rows = []
    for name, movies in tqdm(sets.items(), unit="set"):
        for way, group in {"ours": ours, "HDBSCAN": hdbscan}.items():
            means = pd.DataFrame([score(group(boxes), boxes.identity) for boxes in movies]).mean()
            rows.append({"set": name, "grouped by": way, **means})
    return pd.DataFrame(rows)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path, nargs="*", help="folders of labelled pictures")
    parser.add_argument("--seed", type=int, default=1, help="of the simulated movies; those of 0 chose the constants")
    parser.add_argument("--movies", type=int, default=6, help="how many are simulated in each world")
    arguments = parser.parse_args()
    sets = {}
    for world in WORLDS:
        drawn = search.draw(arguments.seed, search.SCENARIOS[world], simulation.SIZES[: arguments.movies])
        sets |= {
            f"{world}, {which}": [choose(movie, which == "strangers") for movie in drawn]
            for which in ("all", "strangers")
        }
    for folder in arguments.data:
        sets |= {f"{folder.name} {movie}": [choose(drawn, False)] for movie, drawn in of_pictures(folder).items()}
    print(measure(sets).to_markdown(index=False, floatfmt=".2f"))
