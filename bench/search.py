"""Compare the ways to search on simulated movies of the challenge's validation sizes.

    python bench/search.py                      two seeds, some minutes
    python bench/search.py --seeds 20 --docs    rewrite the tables of docs/search-methods.md

A seed draws 19 movies with 147 portraits and 15,124 candidates; its score is the mean average precision over all
portraits. Means over seeds come with 95 % confidence intervals (Student's t); differences are paired by seed.
"""

import argparse
from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import chain
from pathlib import Path

import numpy as np
import pandas as pd
import simulation
from scipy import stats
from tqdm import tqdm

from castsearch import files
from castsearch.evaluation import metrics
from castsearch.search import propagation
from castsearch.search.fuse_stage import rank_gallery
from castsearch.search.gallery import FaceFeatures, Gallery
from castsearch.search.rerank import RERANKINGS
from castsearch.search.rerank_stage import rerank_gallery
from castsearch.search.similarity import body_similarity
from castsearch.search.variant import Variant, reranked_similarities
from castsearch.workflow import variants

DOCS = Path(__file__).parents[1] / "docs"
BODY = "body"
FACE = "face"
CASCADE = "cascade face*+body*[body]"
ASSUMED = simulation.Assumptions()
PUBLISHED = "propagation as published"
LONE = "a lone portrait in three quarters of the boxes"
SMALL = "few boxes, mostly of the cast"
EPISODE = "as in television episodes: 8 % others, 1.4 people in a frame"
SCENARIOS = {
    "as assumed": ASSUMED,
    "half of the faces unseen": replace(ASSUMED, faceless=0.5),
    "poor faces": replace(ASSUMED, face_noise=5, blur=2.5),
    "portraits unlike the part": replace(ASSUMED, part=1.3),
    "another's face in 15 % of the boxes with company": replace(ASSUMED, wrong_face=0.15),
    "half of the costumes are uniforms": replace(ASSUMED, uniform=0.5),
    "poor bodies": replace(ASSUMED, body_noise=2),
    "scenes outshine costumes": replace(ASSUMED, scene=2),
    "bodies that tell as much in close-ups": replace(ASSUMED, close_ups=0),
    LONE: replace(ASSUMED, cast=0.99, company=0.3),
    SMALL: replace(ASSUMED, cast=0.8),
    EPISODE: replace(ASSUMED, cast=0.92, company=0.38),
}
SIZES = {
    LONE: [(1, n) for _, n in simulation.SIZES],
    SMALL: [(num_cast, n) for num_cast in range(2, 9) for n in (30, 60, 120)],
}
COMPARED = [
    {"method": "cascade", "networks": []},
    {"networks": []},
    {"method": "cascade"},
    {"method": "cascade", "face_rerank": True, "body_rerank": True},
    {"method": "propagation", "face_rerank": True},
    {},
    {"method": "online"},
]


def searches(
    entries: Sequence[Mapping] = (),
    *,
    engine: str = FACE,
    networks: Sequence[str] = (BODY,),
    thresholds: Sequence[float] | None = (0.5, 0.4, 0.3, 0.25),
) -> list[Variant]:
    """The searches that a run compares, with the reference's settings of re-ranking.

    Args:
        entries: as under `variants` in the configuration; none for the default comparison.
        engine: the face engine.
        networks: the ReID networks.
        thresholds: the cascade's; None for the engine's own.
    """
    reranking = {"k1": 20, "k2": 6, "lambda_value": 0.3}
    return variants.compared(
        {
            "faces": {"engine": engine},
            "reid": {"networks": [{"name": name} for name in networks]},
            "rerank": {"method": "k_reciprocal", "k_reciprocal": {"face": reranking, "body": reranking}},
            "search": {"method": "diffusion", "scope": "movie"},
            "fusion": {
                "thresholds": thresholds,
                "reranked_threshold": 0.5,
                "face_rerank": False,
                "body_rerank": False,
            },
            "variants": entries,
        }
    )


def searchable(drawn: simulation.SimulatedMovie) -> tuple[Gallery, dict[str, list[str]]]:
    """A simulated movie as the search takes it, and its labels."""
    num_cast = len(drawn.face) - len(drawn.identity)
    cast = [f"cast{number}" for number in range(num_cast)]
    candidates = [f"{number:05d}" for number in range(len(drawn.identity))]
    labels = {name: [candidates[row] for row in np.flatnonzero(drawn.identity == i)] for i, name in enumerate(cast)}
    faces = FaceFeatures(
        drawn.face,
        detected=drawn.has_face,
        selected=drawn.has_face,
        quality=drawn.has_face,
        frontal=drawn.has_face.astype(np.float32),
        searched=np.ones(num_cast, bool),
    )
    gallery = Gallery(
        split="simulation",
        cast=cast,
        candidates=candidates,
        skipped_cast=[],
        skipped_candidates=[],
        frames=drawn.frames,
        faces={FACE: faces},
        bodies={BODY: drawn.body},
        person=np.arange(num_cast),
        cast_movies=np.zeros(num_cast, int),
    )
    return gallery, labels


def precisions(drawn: simulation.SimulatedMovie, compared: Sequence[Variant]) -> pd.DataFrame:
    """Average precision of every variant (column, by title) for every portrait (row) of a movie."""
    gallery, labels = searchable(drawn)
    reranked = dict(rerank_gallery(gallery, reranked_similarities(compared)))
    scores: dict[str, list[float]] = {variant.key: [] for variant in compared}
    for row in chain.from_iterable(table.to_pylist() for table in rank_gallery(gallery, reranked, compared)):
        scores[row["variant"]].append(metrics.average_precision(labels[row["cast"]], row["ranking"]))
    return pd.DataFrame(scores).rename(columns={variant.key: variant.title for variant in compared})


def draw(seed: int, assumptions: simulation.Assumptions, sizes: Sequence[tuple[int, int]]) -> list:
    """The movies of one seed."""
    return [simulation.movie(*size, 1000 * seed + number, assumptions) for number, size in enumerate(sizes)]


def score(seeds: int, compared: Sequence[Variant], assumptions: simulation.Assumptions, name: str = "") -> pd.DataFrame:
    """Mean average precision of every variant (column) for every seed (row)."""
    rows = []
    for seed in tqdm(range(seeds), desc=name, mininterval=2):
        movies = draw(seed, assumptions, SIZES.get(name, simulation.SIZES))
        rows.append(pd.concat([precisions(movie, compared) for movie in movies]).mean())
    return pd.DataFrame(rows)


def published(seeds: int) -> list[float]:
    """Mean average precision per seed of the propagation as the challenge's third place of 2019 set it.

    Faces re-ranked with k1 55, k2 8 and lambda 0.2, among candidates too; two steps of consensus at temperature 0.03.
    """
    means = []
    for seed in tqdm(range(seeds), desc=PUBLISHED, mininterval=2):
        scores = []
        for drawn in draw(seed, ASSUMED, simulation.SIZES):
            movie, labels = searchable(drawn)
            num_cast = len(movie.cast)
            face = RERANKINGS["k_reciprocal"](drawn.face, slice(None), slice(None), k1=55, k2=8, lambda_value=0.2)
            face = (face + face.T) / 2
            affinity = propagation.link_movie(
                face[:num_cast, num_cast:],
                face[num_cast:, num_cast:],
                body_similarity(drawn.body),
                frames=drawn.frames,
                has_face=drawn.has_face,
            )
            consensus = propagation.competitive_consensus(affinity, num_cast, steps=2, temperature=0.03)
            for cast, order in zip(movie.cast, np.argsort(-consensus, axis=1, kind="stable"), strict=True):
                scores.append(metrics.average_precision(labels[cast], [movie.candidates[row] for row in order]))
        means.append(float(np.mean(scores)))
    return means


def interval(values: pd.Series) -> float:
    """Half the width of the mean's 95 % confidence interval."""
    return float(stats.t.ppf(0.975, len(values) - 1) * stats.sem(values)) if len(values) > 1 else float("nan")


def compare(scores: pd.DataFrame) -> pd.DataFrame:
    """A row per variant: its mean, and its mean difference to the cascade with all re-ranking."""
    difference = scores.sub(scores[CASCADE], axis=0)
    return pd.DataFrame(
        {
            "search": [f"`{name}`" for name in scores],
            "mAP": [f"{scores[name].mean():.3f} ± {interval(scores[name]):.3f}" for name in scores],
            f"minus `{CASCADE}`": [
                f"{difference[name].mean():+.3f} ± {interval(difference[name]):.3f}" for name in scores
            ],
        }
    )


def scenarios(seeds: int, worlds: Mapping[str, simulation.Assumptions]) -> pd.DataFrame:
    """A row per scenario, a column per variant: means over seeds."""
    rows = []
    for name, assumptions in worlds.items():
        means = score(seeds, searches(COMPARED), assumptions, name).mean()
        rows.append({"scenario": name} | {f"`{variant}`": f"{value:.3f}" for variant, value in means.items()})
    return pd.DataFrame(rows)


def tuned_cascade(seeds: int) -> pd.DataFrame:
    """The cascade with other thresholds: what it could have, had they been tuned to these faces."""
    rows = []
    for first in (0.25, 0.3, 0.35, 0.4, 0.5, 0.6):
        thresholds = [first, *(value for value in (0.4, 0.3, 0.25) if value <= first)]
        plain = {"method": "cascade", "thresholds": thresholds, "name": "cascade face+body[body]"}
        reranked = plain | {"face_rerank": True, "body_rerank": True, "name": CASCADE}
        cascades = [variant for variant in searches([plain, reranked]) if variant.method == "cascade"]
        means = score(seeds, cascades, ASSUMED, f"thresholds from {first}").mean()
        listed = ", ".join(f"{value:g}" for value in thresholds)
        rows.append({"thresholds": listed} | {f"`{variant}`": f"{value:.3f}" for variant, value in means.items()})
    return pd.DataFrame(rows)


def write_docs(tables: Mapping[str, pd.DataFrame]) -> None:
    """Put each table between its marks in the document."""
    path = DOCS / "search-methods.md"
    text = path.read_text()
    for name, table in tables.items():
        before, mark, rest = text.partition(f"<!-- {name} -->")
        after = rest.partition("<!-- end -->")[2]
        text = f"{before}{mark}\n\n{table.to_markdown(index=False)}\n\n<!-- end -->{after}"
    files.write_text(path, text)


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description="Compare the ways to search on simulated movies.")
    parser.add_argument("--seeds", type=int, default=2, help="how often 19 movies are drawn")
    parser.add_argument("--docs", action="store_true", help="rewrite the tables of docs/search-methods.md")
    options = parser.parse_args()
    scores = score(options.seeds, searches(), ASSUMED, "methods")
    tables = {"methods": compare(scores.assign(**{PUBLISHED: published(options.seeds)}))}
    print(tables["methods"].to_markdown(index=False))
    if options.docs:
        few = max(2, options.seeds // 5)
        tables |= {"scenarios": scenarios(few, SCENARIOS), "thresholds": tuned_cascade(few)}
        for table in ("scenarios", "thresholds"):
            print("\n" + tables[table].to_markdown(index=False))
        write_docs(tables)


if __name__ == "__main__":
    main()
