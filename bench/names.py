"""How right names and their confidence are on simulated movies, and what corrections are worth to the other boxes.

    python bench/names.py               one seed, some minutes
    python bench/names.py --seeds 4

For each world of `bench/search.py`, each a draw of 19 movies: precision, recall and F1 of names at the default
`search.min_confidence`, the expected calibration error of the names given, the mean relative error of how many boxes
people have, beside what faces alone reach above a cosine of 0.4. Then the first boxes of each ranking are corrected by
somebody who knows, and the ranking of the other boxes is scored again.
"""

import argparse
from typing import NamedTuple

import numpy as np
import pandas as pd
import search
import simulation
from tqdm import tqdm

from castsearch.evaluation.name_scores import calibration_error
from castsearch.search import diffusion
from castsearch.search.naming import assign
from castsearch.search.search_result import SearchResult
from castsearch.search.similarity import face_similarity

LEAST = 0.5  # the default of search.min_confidence
FACE = 0.4  # cosine above which a face alone names a box
REVIEWED = 10  # of each ranking


class Named(NamedTuple):
    """Whom each of n boxes is said to show, −1 for nobody, and how sure that is."""

    person: np.ndarray
    sure: np.ndarray


def find(drawn: simulation.SimulatedMovie, facts: np.ndarray | None = None) -> SearchResult:
    """Search a movie by the diffusion, with faces and bodies."""
    num_cast = len(drawn.face) - len(drawn.identity)
    similarity = face_similarity(drawn.face, num_cast)
    seen = {"frames": drawn.frames, "has_face": drawn.has_face}
    return diffusion.rank(similarity, drawn.face[num_cast:], drawn.body, **seen, facts=facts)


def name(drawn: simulation.SimulatedMovie, found: SearchResult) -> Named:
    """Name the boxes of a movie as the stage `names` does."""
    person = assign(found.score, found.share, drawn.frames)
    return Named(person, np.where(person >= 0, found.share[person, np.arange(len(person))], 0))


def by_face(drawn: simulation.SimulatedMovie) -> np.ndarray:
    """Name by the most similar portrait, if the cosine is high enough."""
    num_cast = len(drawn.face) - len(drawn.identity)
    similarity = np.where(drawn.has_face, face_similarity(drawn.face, num_cast), -1)
    return np.where(similarity.max(axis=0) > FACE, similarity.argmax(axis=0), -1)


def rates(person: np.ndarray, true: np.ndarray, num_cast: int) -> dict[str, float]:
    """Precision, recall and F1 of names, and the relative error of the boxes of each person."""
    truth = np.where(true < num_cast, true, -1)
    right = np.count_nonzero((person >= 0) & (person == truth))
    named, shown = np.count_nonzero(person >= 0), np.count_nonzero(truth >= 0)
    errors = [
        abs(np.count_nonzero(person == own) - np.count_nonzero(truth == own)) / max(1, np.count_nonzero(truth == own))
        for own in range(num_cast)
    ]
    return {
        "precision": right / max(1, named),
        "recall": right / max(1, shown),
        "F1": 2 * right / max(1, named + shown),
        "error of screen time": float(np.mean(errors)),
    }


def corrected(drawn: simulation.SimulatedMovie, found: SearchResult) -> tuple[np.ndarray, np.ndarray]:
    """Facts of the first boxes of each ranking, and which boxes nobody has looked at."""
    facts = np.zeros((len(found.order) + 1, len(drawn.identity)), np.int8)
    for person, order in enumerate(found.order[:, :REVIEWED]):
        facts[person, order] = np.where(drawn.identity[order] == person, 1, -1)
    facts[:, (facts > 0).any(axis=0)] = np.where(facts[:, (facts > 0).any(axis=0)] > 0, 1, -1)
    return facts, (facts == 0).all(axis=0)


def mean_precision(order: np.ndarray, identity: np.ndarray, counted: np.ndarray) -> float:
    """Mean average precision among the boxes that count."""
    scores = []
    for person, row in enumerate(order):
        relevant = identity[row[counted[row]]] == person
        if relevant.any():
            ranks = np.flatnonzero(relevant) + 1
            scores.append(float((np.arange(1, len(ranks) + 1) / ranks).mean()))
    return float(np.mean(scores)) if scores else float("nan")


def measure(seeds: int, assumptions: simulation.Assumptions, world: str) -> dict[str, float]:
    """Means over the movies of all seeds."""
    rows, sure, right = [], [], []
    for seed in range(seeds):
        sizes = search.SIZES.get(world, simulation.SIZES)
        for drawn in tqdm(search.draw(seed, assumptions, sizes), desc=world, mininterval=2):
            num_cast = len(drawn.face) - len(drawn.identity)
            found = find(drawn)
            named = name(drawn, found)
            given = named.sure >= LEAST
            sure.append(named.sure[given])
            right.append(named.person[given] == drawn.identity[given])
            row = rates(np.where(given, named.person, -1), drawn.identity, num_cast)
            row |= {f"{key} by face": value for key, value in rates(by_face(drawn), drawn.identity, num_cast).items()}
            facts, left = corrected(drawn, found)
            again = find(drawn, facts)
            row["mAP of the rest"] = mean_precision(found.order, drawn.identity, left)
            row["after corrections"] = mean_precision(again.order, drawn.identity, left)
            rows.append(row)
    error = calibration_error(np.concatenate(sure), np.concatenate(right))
    return pd.DataFrame(rows).mean().to_dict() | {"calibration error": error}


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=1)
    arguments = parser.parse_args()
    for world, assumed in search.SCENARIOS.items():
        print(
            f"\n{world}\n{pd.Series(measure(arguments.seeds, assumed, world)).to_string(float_format='{:.3f}'.format)}"
        )
