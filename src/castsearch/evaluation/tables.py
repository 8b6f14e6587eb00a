"""Stage evaluate: the scores of every variant of the search, per query, per movie and overall, as tables."""

import logging
from collections.abc import Collection, Iterable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import pandas as pd
from tabulate import tabulate

from castsearch.data.crops import read_splits
from castsearch.data.rankings import by_split, read_ranks
from castsearch.evaluation.labels import cast_of, read_labels
from castsearch.evaluation.metrics import average_precision_at, matched_within

logger = logging.getLogger(__name__)

CMC_RANKS = (1, 5, 10)
CMC = tuple(f"CMC@{k}" for k in CMC_RANKS)


class Scores(NamedTuple):
    """Tables of scores, each with the columns `split`, `variant` (its key, which joins tables) and `title` first.

    Attributes:
        queries: a row per query, see `score_queries`.
        movies: a row per movie, see `summarize_movies`.
        ablation: a row per split and variant: how many `queries`, `mAP` and `CMC@k`.
    """

    queries: pd.DataFrame
    movies: pd.DataFrame
    ablation: pd.DataFrame


def score_queries(
    labels: Mapping[str, Collection[str]], ranks: Mapping[str, Sequence[int]], movies: Mapping[str, str]
) -> pd.DataFrame:
    """Score every labelled query.

    Args:
        labels: relevant candidate ids per cast id.
        ranks: the ranks of those that are ranked, per cast id; see `metrics.hit_ranks`. A query that is missing here
            scores 0.
        movies: the movie of each cast id.

    Returns:
        A row per query in the order of the labels: `movie`, `cast`, `relevant` (how many), `AP` (NaN where nothing is
        relevant), `first_hit` (a nullable integer) and, for k in `CMC_RANKS`, `CMC@k`.
    """
    rows = []
    for cast, relevant in labels.items():
        hits, num_relevant = ranks.get(cast, ()), len(set(relevant))
        first = hits[0] if hits else None
        matched = [matched_within(first, k) for k in CMC_RANKS]
        rows.append((movies[cast], cast, num_relevant, average_precision_at(hits, num_relevant), first, *matched))
    queries = pd.DataFrame(rows, columns=["movie", "cast", "relevant", "AP", "first_hit", *CMC])
    return queries.astype({"relevant": int, "AP": float, "first_hit": "Int64", **dict.fromkeys(CMC, float)})


def summarize(queries: pd.DataFrame) -> pd.Series:
    """Return the means over all queries: `queries` (how many), `mAP` and `CMC@k`.

    A query without any relevant candidate is left out; see `metrics.mean_average_precision`. Without any query to
    score the means are NaN.
    """
    scored = queries[queries["relevant"] > 0]
    means = scored[["AP", *CMC]].mean()
    return pd.concat([pd.Series({"queries": len(scored)}), means.rename({"AP": "mAP"})]).rename(None)


def summarize_movies(queries: pd.DataFrame) -> pd.DataFrame:
    """Apply `summarize` to each movie: one row per movie, indexed by `movie` in order of first appearance."""
    summaries = {movie: summarize(rows) for movie, rows in queries.groupby("movie", sort=False)}
    table = pd.DataFrame.from_dict(summaries, orient="index", columns=["queries", "mAP", *CMC])
    return table.rename_axis("movie").astype({"queries": int})


def score_ranks(
    labels: Mapping[str, Sequence[str]], ranks: Mapping[str, Sequence[int]], movies: Mapping[str, str]
) -> Scores:
    """Score one variant on one split; the arguments are those of `score_queries`.

    Returns:
        The tables without the columns `split` and `variant`.
    """
    queries = score_queries(labels, ranks, movies)
    overall = summarize(queries).to_frame().T.astype({"queries": int})
    return Scores(queries, summarize_movies(queries).reset_index(), overall)


def score_variants(
    labels: Mapping[str, str | Path],
    crop_tables: Iterable[str | Path],
    rankings: Iterable[str | Path],
    variants: Mapping[str, str],
    *,
    on_bad: str,
    across: bool,
) -> Scores:
    """Score every variant on every labelled split, each by its own cast alone: splits may share cast ids.

    No ranking is held in memory. What was left out of the labels and the crops is logged.

    Args:
        labels: label file per split.
        crop_tables: those of all movies of the splits.
        rankings: those of all groups of movies.
        variants: title of each variant by its key, in the order of the tables' rows.
        on_bad: "stop" or "skip"; see `labels.read_labels`.
        across: whether all movies of a split are searched together.

    Raises:
        InputError: a label file cannot be used, a variant has no rankings, or a cast id is ranked twice.
    """
    movies, rankings = read_splits(crop_tables), by_split(rankings)
    scored = []
    for split, label_file in labels.items():
        crops = movies.get(split, [])
        cast = cast_of(crops)
        relevant, left_out = read_labels(label_file, cast, on_bad, across)
        logger.info("%s: %d of %d cast members have labels", split, len(relevant), len(cast.movies))
        for name, reason in (*(problem for each in crops for problem in each.problems), *left_out):
            logger.info("skipped %s: %s", name, reason)
        paths = rankings.get(split, ())
        tables = []
        for variant in variants:
            ranks = read_ranks(paths, variant, relevant)
            hits = {query: list(own.values()) for query, own in ranks.items()}
            tables.append(score_ranks(relevant, hits, cast.movies))
        scored.append(
            [_titled(_stack(rows, "variant", list(variants)), variants) for rows in zip(*tables, strict=True)]
        )
    return Scores(*(_stack(tables, "split", list(labels)) for tables in zip(*scored, strict=True)))


def _stack(tables: Sequence[pd.DataFrame], name: str, values: Sequence[str]) -> pd.DataFrame:
    """Put the tables one below the other, with the value that belongs to each in a first column."""
    stacked = pd.concat(tables, keys=values, names=[name, None])
    return stacked.reset_index(level=name).reset_index(drop=True)


def _titled(table: pd.DataFrame, titles: Mapping[str, str]) -> pd.DataFrame:
    """Put the title of each variant behind its key."""
    table.insert(table.columns.get_loc("variant") + 1, "title", table["variant"].map(titles))
    return table


def for_people(table: pd.DataFrame) -> pd.DataFrame:
    """Return a table of `Scores` as it is shown: a variant by its title alone."""
    return table.drop(columns="variant").rename(columns={"title": "variant"})


def read_ablation(path: str | Path | None, descriptions: Mapping[str, str]) -> pd.DataFrame:
    """Read the table `Scores.ablation` that `tsv.write_tsv` wrote.

    Args:
        path: the table; None, where no split has labels, gives a table without rows.
        descriptions: what each variant uses, in words, by its key; it becomes the column `description`.
    """
    if path is None:
        return pd.DataFrame(columns=["split", "variant", "title", "description"])
    table = pd.read_csv(path, sep="\t", comment="#", dtype={"split": str}, keep_default_na=False, na_values=[""])
    return table.assign(description=table["variant"].map(descriptions))


def to_markdown(table: pd.DataFrame, made_with: Mapping[str, str]) -> str:
    """Return a table as Markdown with four decimals, for reading, and what it was made with below."""
    lines = "".join(f"- {key}: {value}\n" for key, value in made_with.items())
    return f"{table.to_markdown(index=False, floatfmt='.4f')}\n\n{lines}"


def to_latex(table: pd.DataFrame, made_with: Mapping[str, str]) -> str:
    """Return a table in LaTeX with four decimals, for the package booktabs, below comments on what it was made with."""
    lines = "".join(f"% {key}: {value}\n" for key, value in made_with.items())
    return lines + tabulate(table, headers="keys", showindex=False, tablefmt="latex_booktabs", floatfmt=".4f") + "\n"
