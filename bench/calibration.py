"""Fit the constants of `castsearch.search.calibration`, and measure them on sets that did not choose them.

    python bench/calibration.py DATA [DATA ...] [--compare FILE]

DATA and FILE are those of `bench/real.py`. Simulated movies of three worlds choose, too, and count a third of a folder
each. Prints the constants that all choose, those that are used, and for each folder F1 of names and the expected
calibration error, with the constants that are used and with those that the others choose. Beside each error stands what
chance alone gives: see `chance`.
"""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import names
import numpy as np
import pandas as pd
import real
import search
import simulation
from scipy.optimize import minimize

from castsearch.evaluation.name_scores import calibration_error
from castsearch.search import diffusion
from castsearch.search.calibration import SURER, WEIGHTS, Evidence, confidence, probability
from castsearch.search.gallery import load_gallery
from castsearch.search.naming import assign
from castsearch.search.similarity import best_portrait, face_similarity

WORLDS = ("as assumed", "portraits unlike the part", "poor faces")
SIMULATED = 1 / 3  # weight of a world, of that of a folder
PENALTY = 1e-3  # of squared constants
CHOICES = (0.0, 1.0, 2.0, 3.0, 4.0)  # of `calibration.SURER`
DRAWS = 1000  # of right and wrong names, by which chance is measured


class Labelled(NamedTuple):
    """What the search knows of n candidates in frames, and whom they show: the number of a person, or −1.

    Candidates of one name in `boxes` are one picture, which several engines or networks describe.
    """

    evidence: Evidence
    frames: np.ndarray
    true: np.ndarray
    boxes: Sequence[str]


def of_simulation(drawn: simulation.SimulatedMovie, name: str) -> Labelled:
    """What the search knows of a simulated movie."""
    num_cast = len(drawn.face) - len(drawn.identity)
    similarity = face_similarity(drawn.face, num_cast)
    true = np.where(drawn.identity < num_cast, drawn.identity, -1)
    seen = {"frames": drawn.frames, "has_face": drawn.has_face}
    boxes = [f"{name} {row}" for row in range(len(true))]
    return labelled(similarity, drawn.face[num_cast:], drawn.body, **seen, true=true, boxes=boxes)


def labelled(
    by_person: np.ndarray,
    face: np.ndarray,
    body: np.ndarray | None,
    *,
    frames: Sequence[str],
    has_face: np.ndarray,
    frontal: np.ndarray | None = None,
    true: np.ndarray,
    boxes: Sequence[str],
) -> Labelled:
    """What the search knows of candidates; the arguments are those of `diffusion.gather`, and of `Labelled`."""
    _, frame = np.unique(np.asarray(frames, str), return_inverse=True)
    evidence = diffusion.gather(by_person, face, body, frames=frame, has_face=has_face, frontal=frontal)
    # The fit's finite differences are smaller than what float32 can tell apart.
    return Labelled(Evidence(*(np.asarray(values, np.float64) for values in evidence)), frame, true, boxes)


def of_pictures(given: real.Described) -> Labelled:
    """What the search knows of a movie of labelled pictures. People who are not searched are strangers."""
    gallery = load_gallery(
        [given.crops], {"faces": [given.faces]}, {} if given.bodies is None else {"bodies": [given.bodies]}
    )
    faces = gallery.faces["faces"]
    _, person = np.unique(gallery.person[faces.searched], return_inverse=True)
    shown = {
        box: int(number)
        for name, number in zip(np.array(gallery.cast)[faces.searched], person, strict=True)
        for box in given.labels[name]
    }
    features, num_cast = faces.searched_feature, faces.num_searched
    by_person = best_portrait(face_similarity(features, num_cast), person)
    true = np.array([shown.get(box, -1) for box in gallery.candidates])
    seen = {"frames": gallery.frames, "has_face": faces.selected, "frontal": faces.frontal}
    known = {"true": true, "boxes": gallery.candidates}
    return labelled(by_person, features[num_cast:], gallery.bodies.get("bodies"), **seen, **known)


def loss(weights: np.ndarray, sets: Mapping[str, Sequence[Labelled]]) -> float:
    """Mean negative logarithm of the probability of the truth, each folder as one, plus the penalty."""
    total, counted = 0.0, 0.0
    for name, movies in sets.items():
        weight = SIMULATED if name in WORLDS else 1.0
        likely = []
        for movie in movies:
            people = probability(movie.evidence, weights)
            everybody = np.concatenate([people, 1 - people.sum(axis=0, keepdims=True)])  # the last is −1, strangers
            likely.append(everybody[movie.true, np.arange(len(movie.true))])
        total -= weight * float(np.log(np.maximum(np.concatenate(likely), 0) + 1e-3).mean())
        counted += weight
    return total / counted + PENALTY * float(np.square(weights).sum())


def fit(sets: Mapping[str, Sequence[Labelled]]) -> np.ndarray:
    """The constants that sets choose."""
    return minimize(loss, np.array(WEIGHTS), args=(sets,), method="L-BFGS-B").x


def name(movie: Labelled, weights: Sequence[float], surer: float) -> tuple[np.ndarray, np.ndarray]:
    """Whom each box is said to show, −1 for nobody, and how sure that is."""
    likely = probability(movie.evidence, weights)
    score = likely.copy()
    confidence(likely, movie.evidence.familiar, movie.evidence.appears, surer)
    person = assign(score, likely, movie.frames)
    sure = np.where(person >= 0, likely[person, np.arange(len(person))], 0)
    return np.where(sure >= names.LEAST, person, -1), sure


def fit_surer(sets: Mapping[str, Sequence[Labelled]], weights: Sequence[float]) -> float:
    """The one of `CHOICES` by which the names that are given are most probable, each folder as one."""
    return min(CHOICES, key=lambda surer: sum(_surprise(*each, weights, surer) for each in sets.items()))


def _surprise(name_of: str, movies: Sequence[Labelled], weights: Sequence[float], surer: float) -> float:
    """Mean negative logarithm of how probable it was that names are right or wrong as they are."""
    probable = []
    for movie in movies:
        person, sure = name(movie, weights, surer)
        given = person >= 0
        probable.append(np.where(person == movie.true, sure, 1 - sure)[given])
    return -(SIMULATED if name_of in WORLDS else 1.0) * float(np.log(np.concatenate(probable) + 1e-3).mean())


def score(movies: Sequence[Labelled], weights: Sequence[float], surer: float) -> dict[str, float]:
    """Mean and lowest F1 of names over movies, the calibration error of all their names together, and its `chance`."""
    scores, certain, right, boxes = [], [], [], []
    for movie in movies:
        person, sure = name(movie, weights, surer)
        named = person >= 0
        certain.append(sure[named])
        right.append((person == movie.true)[named])
        boxes.append(np.asarray(movie.boxes)[named])
        scores.append(2 * right[-1].sum() / max(1, named.sum() + (movie.true >= 0).sum()))
    error = calibration_error(np.concatenate(certain), np.concatenate(right))
    expected, most = chance(np.concatenate(certain), np.concatenate(boxes))
    return {
        "F1": float(np.mean(scores)),
        "least F1": min(scores),
        "calibration error": error,
        "of chance": expected,
        "of chance at most": most,
    }


def chance(sure: np.ndarray, boxes: np.ndarray) -> tuple[float, float]:
    """Calibration error that names have by chance, though of those with confidence p a share p is right.

    Whether a name is right is drawn by its confidence, once for all names of one box: several searches of the same box
    err together.

    Args:
        sure: (n,) confidence of names.
        boxes: (n,) ids, equal for names of one box.

    Returns:
        The mean over `DRAWS`, and what 95 % of them do not exceed.
    """
    _, box = np.unique(boxes, return_inverse=True)
    drawn = np.random.default_rng(0).random((DRAWS, box.max(initial=-1) + 1))
    errors = [calibration_error(sure, own[box] < sure) for own in drawn]
    return float(np.mean(errors)), float(np.quantile(errors, 0.95))


def main() -> None:
    """Print constants and scores."""
    folders, engines, networks = real.read_options(__doc__, "+")
    sets = {
        folder.name: [of_pictures(each) for each in real.described(folder, engines, networks)] for folder in folders
    }
    sets |= {
        world: [
            of_simulation(drawn, str(number))
            for number, drawn in enumerate(search.draw(1, search.SCENARIOS[world], simulation.SIZES[::5]))
        ]
        for world in WORLDS
    }
    chosen = fit(sets)
    print(f"all choose {chosen.round(2).tolist()} and {fit_surer(sets, WEIGHTS)}; used: {list(WEIGHTS)} and {SURER}")
    rows = []
    for folder, movies in sets.items():
        others = {other: own for other, own in sets.items() if other != folder}
        chosen = fit(others)
        held_out = score(movies, chosen, fit_surer(others, chosen))
        row = {"set": folder} | score(movies, WEIGHTS, SURER)
        rows.append(row | {f"{key}, held out": value for key, value in held_out.items()})
    print(pd.DataFrame(rows).to_markdown(index=False, floatfmt=".3f"))


if __name__ == "__main__":
    main()
