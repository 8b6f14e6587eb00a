"""The tables that a run ends in: scores of every variant of the search, per query, per movie and overall."""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow.compute as pc
from tabulate import tabulate

from castsearch import files
from castsearch.data.challenge import check_labels, load_labels
from castsearch.data.crops import candidate_ids, cast_ids, problems
from castsearch.errors import InputError
from castsearch.evaluation import metrics
from castsearch.evaluation.metrics import Cast


def by_split(paths: Iterable[str | Path]) -> dict[str, list[Path]]:
    """Sort files of movies, `…/{split}/{movie}.arrow`, by their split."""
    splits: dict[str, list[Path]] = {}
    for path in map(Path, paths):
        splits.setdefault(path.parent.name, []).append(path)
    return splits


def read_rankings(paths: Iterable[str | Path], variant: str) -> dict[str, list[str]]:
    """Read one variant's rankings of several movies of one split: cast id → candidate ids, best first.

    Raises:
        InputError: a file has rankings, but none by this variant; or a cast id has two, of which only one could be
            scored or handed in.
    """
    rankings: dict[str, list[str]] = {}
    for path in paths:
        table = files.read_table(path)
        if len(table) and not pc.any(pc.equal(table["variant"], variant)).as_py():
            raise InputError(f"{path}: has no ranking by {variant}; delete it to have it made again")
        # Batch by batch: only what is asked for leaves the disk, where a variant across movies has 50 MB.
        for batch in table.to_batches():
            own = batch.filter(pc.equal(batch["variant"], variant))
            if len(own) == 0:
                continue
            ranked = own["ranking"].flatten()
            ids = np.array(ranked.dictionary.to_pylist(), object)  # so that each id is one object, however often ranked
            ends = np.cumsum(own["ranking"].value_lengths().to_numpy())
            orders = np.split(ids[ranked.indices.to_numpy()], ends[:-1])
            for cast, order in zip(own["cast"].to_pylist(), orders, strict=True):
                if cast in rankings:
                    raise InputError(f"{path}: cast {cast}: has a second ranking by {variant}")
                rankings[cast] = order.tolist()
    return rankings


def read_cast(crop_tables: Iterable[str | Path]) -> Cast:
    """Read the cast of one split from the crop tables of its movies; a movie's id is the file's stem."""
    return metrics.gather_cast(map(_read_movie, map(Path, crop_tables)))


def _read_movie(crop_table: Path) -> tuple[str, dict[str, str | None], list[str]]:
    table = files.read_table(crop_table)
    cast = cast_ids(table)  # the first rows
    names = dict(zip(cast, table["label"].to_pylist()[: len(cast)], strict=True))
    return crop_table.stem, names, candidate_ids(table)


def read_problems(crop_tables: Iterable[str | Path]) -> list[tuple[str, str]]:
    """Return id and reason of every record that could not be used, table by table."""
    return [problem for path in crop_tables for problem in problems(files.read_table(path))]


def read_labels(
    path: str | Path, cast: Cast, on_bad: str, across: bool
) -> tuple[dict[str, list[str]], list[tuple[str, str]]]:
    """Read a label file for a search of one split.

    Args:
        path: the file.
        cast: the split's cast.
        on_bad: whether an id that the split does not have is to "stop", or to be left out: "skip".
        across: whether all movies of the split are searched together; see `evaluation.across_movies`.

    Returns:
        The ids of the relevant candidates per cast id, and id and reason of each thing left out.

    Raises:
        InputError: see `dataset.load_labels` and `dataset.check_labels`.
    """
    labels, left_out = check_labels(path, load_labels(path), cast.candidates, on_bad)
    return metrics.across_movies(labels, cast.names) if across else labels, left_out


def score_rankings(
    labels: Mapping[str, Sequence[str]], rankings: Mapping[str, Sequence[str]], movies: Mapping[str, str]
) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    """Score one variant on one split.

    Args:
        labels: cast id → ids of the candidates that show this person.
        rankings: cast id → candidate ids, best first.
        movies: cast id → movie.

    Returns:
        Three tables: a row per query, per movie, and one of all.
    """
    queries = metrics.score_queries(labels, rankings, movies)
    overall = metrics.summarize(queries).to_frame().T.astype({"queries": int})
    return queries, metrics.summarize_movies(queries).reset_index(), overall


def evaluate(
    labels: Mapping[str, str | Path],
    crop_tables: Iterable[str | Path],
    rankings: Iterable[str | Path],
    variants: Sequence[str],
    *,
    on_bad: str,
    across: bool,
) -> tuple[tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame], list[str]]:
    """Score every variant on every labelled split, each by its own cast alone: splits may share cast ids.

    One variant's rankings are held at a time.

    Args:
        labels: label file per split.
        crop_tables: those of all movies of the splits, `…/{split}/{movie}.arrow`.
        rankings: those of all groups of movies, `…/{split}/{group}.arrow`.
        variants: names, in the order of the tables' rows.
        on_bad: "stop" or "skip"; see `read_labels`.
        across: whether all movies of a split are searched together.

    Returns:
        The tables of `score_rankings` with the columns `split` and `variant` first, and lines that say what was scored
        and what skipped.

    Raises:
        InputError: a label file cannot be used, a variant has no rankings, or a cast id is ranked twice.
    """
    crop_tables, rankings = by_split(crop_tables), by_split(rankings)
    scored, lines = [], []
    for split, label_file in labels.items():
        cast = read_cast(crop_tables.get(split, ()))
        relevant, left_out = read_labels(label_file, cast, on_bad, across)
        skipped = [*read_problems(crop_tables.get(split, ())), *left_out]
        lines.append(f"{split}: {len(relevant)} of {len(cast.movies)} cast members have labels")
        lines += [f"skipped {name}: {reason}" for name, reason in skipped]
        paths = rankings.get(split, ())
        tables = [score_rankings(relevant, read_rankings(paths, variant), cast.movies) for variant in variants]
        scored.append(tuple(_stack(rows, "variant", variants) for rows in zip(*tables, strict=True)))
    return tuple(_stack(tables, "split", list(labels)) for tables in zip(*scored, strict=True)), lines


def _stack(tables: Sequence[pd.DataFrame], name: str, values: Sequence[str]) -> pd.DataFrame:
    """The tables one below the other, with the value that belongs to each in a first column."""
    stacked = pd.concat(tables, keys=values, names=[name, None])
    return stacked.reset_index(level=name).reset_index(drop=True)


def write_tsv(path: str | Path, table: pd.DataFrame, made_with: Mapping[str, str] | None = None) -> None:
    """Write a table with six decimals, which is what results are compared with.

    Args:
        path: the file.
        table: the table.
        made_with: what it was made with; a line above the header for each, after "# ".
    """
    lines = "".join(f"# {key}: {value}\n" for key, value in (made_with or {}).items())
    rows = table.to_csv(sep="\t", index=False, float_format="%.6f", lineterminator="\n")
    files.write_text(path, lines + rows)


def read_ablation(path: str | Path | None, descriptions: Mapping[str, str]) -> pd.DataFrame:
    """Read the table of `evaluate` with a row per split and variant; None, where no split has labels, has no rows.

    Args:
        path: the table, or None.
        descriptions: what each variant uses, in words; it becomes the column `description`.
    """
    if path is None:
        return pd.DataFrame(columns=["split", "variant", "description"])
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
