"""What answers of somebody who knows are worth to the boxes that nobody looked at.

    python bench/corrections.py                  simulated movies, some minutes
    python bench/corrections.py DATA [DATA ...]  labelled pictures, too; see bench/groups.py
    python bench/corrections.py --figure FILE    with a figure, such as docs/corrections.svg

Half of a movie's boxes, by chance, may be looked at. Prints F1 of names and mean average precision over the other half,
by how many answers were given and how the boxes were chosen: as the search proposes, by least confidence, by chance, or
from the top of each ranking.
"""

import argparse
from pathlib import Path

import groups
import names
import numpy as np
import pandas as pd
import search
import simulation
from matplotlib.figure import Figure
from tqdm import tqdm

from castsearch import files
from castsearch.plotting import DASHES, SERIES, look, to_svg
from castsearch.search.groups import EVEN_BODY_IN_GROUPS, EVEN_FACE_IN_GROUPS
from castsearch.search.links import link
from castsearch.search.review import propose
from castsearch.search.similarity import face_similarity
from castsearch.search.strangers import certain_strangers

WORLDS = ("as assumed", "poor faces", "portraits unlike the part")
ANSWERS = (0, 5, 10, 20, 40)


def choices(drawn: simulation.SimulatedMovie, allowed: np.ndarray) -> dict[str, np.ndarray]:
    """The boxes that may be looked at, in the order of each way to choose."""
    num_cast = len(drawn.face) - len(drawn.identity)
    found = names.find(drawn)
    sure = names.name(drawn, found).sure
    _, frames = np.unique(drawn.frames, return_inverse=True)
    similarity = face_similarity(drawn.face, num_cast)
    certain = certain_strangers(similarity, frames, drawn.has_face)
    graph = link(
        certain,
        drawn.face[num_cast:],
        drawn.body,
        frames=frames,
        has_face=drawn.has_face,
        even_face=EVEN_FACE_IN_GROUPS,
        even_body=EVEN_BODY_IN_GROUPS,
    )
    rows = np.flatnonzero(allowed)
    ranked = found.order.T.ravel()  # the first of each ranking, then the second of each
    _, first = np.unique(ranked, return_index=True)
    top = ranked[np.sort(first)]
    doubt = np.argsort(np.abs(sure[rows] - 0.5), kind="stable")
    return {
        "proposed": rows[propose(graph[rows][:, rows], sure[rows], max(ANSWERS))],
        "least confident": rows[doubt],
        "by chance": np.random.default_rng(0).permutation(rows),
        "top of the rankings": top[allowed[top]],
    }


def facts(drawn: simulation.SimulatedMovie, rows: np.ndarray) -> np.ndarray | None:
    """What is certain once these boxes were looked at, as `facts.gather_facts` has it."""
    if not len(rows):
        return None
    num_cast = len(drawn.face) - len(drawn.identity)
    frames = np.asarray(drawn.frames)
    certain = np.zeros((num_cast + 1, len(frames)), np.int8)
    person = drawn.identity[rows]
    person = np.where((person >= 0) & (person < num_cast), person, num_cast)
    for row, own in zip(rows, person, strict=True):
        if own < num_cast:
            certain[own, frames == frames[row]] = -1
    certain[:, rows] = -1
    certain[person, rows] = 1
    return certain


def measure(drawn: simulation.SimulatedMovie) -> pd.DataFrame:
    """A row for each way to choose and number of answers."""
    num_cast = len(drawn.face) - len(drawn.identity)
    allowed = np.random.default_rng(1).random(len(drawn.identity)) < 0.5
    rows = []
    for way, chosen in choices(drawn, allowed).items():
        for count in ANSWERS:
            found = names.find(drawn, facts(drawn, chosen[:count]))
            named = names.name(drawn, found)
            person = np.where(named.sure >= names.LEAST, named.person, -1)
            score = names.rates(person[~allowed], drawn.identity[~allowed], num_cast)["F1"]
            precision = names.mean_precision(found.order, drawn.identity, ~allowed)
            rows.append({"chosen": way, "answers": count, "F1": score, "mAP": precision})
    return pd.DataFrame(rows)


def draw_figure(scores: pd.DataFrame) -> str:
    """F1 by number of answers: a panel a set, a line for each way to choose."""
    sets, ways = list(dict.fromkeys(scores["set"])), list(dict.fromkeys(scores["chosen"]))
    with look():
        figure = Figure(figsize=(10, 3 * -(-len(sets) // 3)), layout="constrained")
        panels = figure.subplots(-(-len(sets) // 3), 3, squeeze=False).ravel()
        for axes, name in zip(panels, sets, strict=False):
            for number, way in enumerate(ways):
                own = scores[(scores["set"] == name) & (scores["chosen"] == way)]
                axes.plot(own["answers"], own["F1"], color=SERIES[number], linestyle=DASHES[number], label=way)
            axes.set(title=name, xlabel="answers", ylabel="F1")
        for axes in panels[len(sets) :]:
            axes.set_axis_off()
        panels[0].legend()
        return to_svg(figure, "F1 of names of the boxes that nobody looked at, by number of answers")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path, nargs="*", help="folders of labelled pictures")
    parser.add_argument("--movies", type=int, default=4, help="how many are simulated in each world")
    parser.add_argument("--figure", type=Path, help="the SVG file that is written")
    arguments = parser.parse_args()
    sets = {world: search.draw(1, search.SCENARIOS[world], simulation.SIZES[: arguments.movies]) for world in WORLDS}
    for folder in arguments.data:
        sets[folder.name] = list(groups.of_pictures(folder).values())
    tables = [measure(drawn).assign(set=name) for name, movies in sets.items() for drawn in tqdm(movies, desc=name)]
    scores = pd.concat(tables).groupby(["set", "chosen", "answers"], sort=False).mean().reset_index()
    for value in ("F1", "mAP"):
        print(f"\n{value}\n")
        table = scores.pivot_table(value, ["set", "chosen"], "answers", sort=False)
        print(table.reset_index().to_markdown(index=False, floatfmt=".3f"))
    if arguments.figure:
        files.write_text(arguments.figure, draw_figure(scores))
