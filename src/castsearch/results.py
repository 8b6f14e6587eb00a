"""The tables that a run ends in: scores of every variant of the search, per query, per movie and overall."""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa

from castsearch import evaluation, files
from castsearch.crops import cast_ids


def read_rankings(paths: Iterable[str | Path]) -> dict[str, dict[str, list[str]]]:
    """Read rankings of several movies: variant → cast id → candidate ids, best first."""
    rankings: dict[str, dict[str, list[str]]] = {}
    for path in paths:
        for batch in files.read_table(path).to_batches():
            ranked = batch["ranking"].flatten()
            ids = np.array(ranked.dictionary.to_pylist(), object)  # so that each id is one object, however often ranked
            ends = np.cumsum(batch["ranking"].value_lengths().to_numpy())
            orders = np.split(ids[ranked.indices.to_numpy()], ends[:-1])
            for variant, cast, order in zip(
                batch["variant"].to_pylist(), batch["cast"].to_pylist(), orders[: len(batch)], strict=True
            ):
                rankings.setdefault(variant, {})[cast] = order.tolist()
    return rankings


def cast_names(crops: Iterable[pa.Table]) -> dict[str, str | None]:
    """Name of every cast member of some crop tables, by cast id; None where there is none."""
    names = {}
    for table in crops:
        names |= zip(
            cast_ids(table), table["label"].to_pylist(), strict=False
        )  # candidates follow, whom nobody asked for
    return names


def score_variants(
    labels: Mapping[str, Sequence[str]], rankings: Mapping[str, Mapping[str, Sequence[str]]], variants: Sequence[str]
) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    """Score every variant on one split.

    Args:
        labels: cast id → ids of the candidates that show this person.
        rankings: variant → cast id → candidate ids, best first.
        variants: names, in the order of the tables' rows.

    Returns:
        Three tables with a `variant` column first: a row per query, per movie, and per variant.
    """
    queries, movies, ablation = [], [], []
    for variant in variants:
        scored = evaluation.score_queries(labels, rankings.get(variant, {}))
        queries.append(scored)
        movies.append(evaluation.summarize_movies(scored).reset_index())
        ablation.append(evaluation.summarize(scored).to_frame().T.astype({"queries": int}))
    return tuple(_stack(tables, variants) for tables in (queries, movies, ablation))


def _stack(tables: Sequence[pd.DataFrame], variants: Sequence[str]) -> pd.DataFrame:
    stacked = pd.concat(tables, keys=variants, names=["variant", None])
    return stacked.reset_index(level="variant").reset_index(drop=True)


def write_tsv(path: str | Path, table: pd.DataFrame) -> None:
    """Write a table with six decimals, which is what results are compared with."""
    files.write_text(path, table.to_csv(sep="\t", index=False, float_format="%.6f", lineterminator="\n"))


def to_markdown(table: pd.DataFrame) -> str:
    """Return a table as Markdown with four decimals, for reading."""
    return table.to_markdown(index=False, floatfmt=".4f") + "\n"
