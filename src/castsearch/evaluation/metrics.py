"""Scores of the cast search: AP per query, mAP and CMC, per movie and overall.

A query is a cast member; its answer is a ranking of the movie's candidates. Run as a program, this module scores a
submission file: `python -m castsearch.evaluation LABELS SUBMISSION [--split SPLIT]`.
"""

import argparse
import math
import sys
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from castsearch.data.challenge import check_labels, is_cast_label, load_annotations, load_labels, people
from castsearch.data.submission import read_submission
from castsearch.errors import InputError

CMC_RANKS = (1, 5, 10)


@dataclass(frozen=True)
class Cast:
    """The cast of one split, by cast id, and whom it is searched among.

    Attributes:
        movies: the movie.
        names: the person's name, which is the same in all movies; None where there is none.
        candidates: the ids of the movie's candidates.
        everyone: the ids of all movies' candidates, those of movies without a cast among them.
    """

    movies: dict[str, str]
    names: dict[str, str | None]
    candidates: dict[str, set[str]]
    everyone: set[str]


def average_precision(relevant: Iterable[str], ranking: Iterable[str]) -> float:
    """Average precision of one ranking, as the WIDER person search challenge computes it.

    The mean, over the relevant candidates, of the precision at each one's rank; one that is not listed counts 0. Ranks
    run over distinct candidates: only the first mention of a candidate counts.

    Returns:
        A number in [0, 1], or NaN without any relevant candidate: the value is then undefined (0/0).
    """
    relevant = set(relevant)
    if not relevant:
        return math.nan
    hits, total = 0, 0.0
    for rank, candidate in enumerate(dict.fromkeys(ranking), start=1):
        if candidate in relevant:
            hits += 1
            total += hits / rank
    return total / len(relevant)


def first_hit(relevant: Iterable[str], ranking: Iterable[str]) -> int | None:
    """Rank, from 1 and over distinct candidates, of the first relevant candidate; None when none is listed."""
    relevant = set(relevant)
    ranks = (rank for rank, candidate in enumerate(dict.fromkeys(ranking), start=1) if candidate in relevant)
    return next(ranks, None)


def movie_of(cast_id: str) -> str:
    """The movie of one of the challenge's cast ids: what stands before its last underscore."""
    return cast_id.rpartition("_")[0]


def score_queries(
    labels: Mapping[str, Collection[str]],
    submission: Mapping[str, Sequence[str]],
    movies: Mapping[str, str] | None = None,
) -> pd.DataFrame:
    """Score every labelled query.

    Args:
        labels: Relevant candidate ids per cast id.
        submission: Ranked candidate ids per cast id. A query that is missing here scores 0.
        movies: The movie of each cast id; None reads it from the id, see `movie_of`.

    Returns:
        A row per query in the order of the labels: `movie`, `cast`, `relevant` (how many), `AP` (NaN where nothing is
        relevant), `first_hit` (nullable integer, see `first_hit`) and, for k in `CMC_RANKS`, `CMC@k`: 1.0 where the
        first hit is among the first k, else 0.0.
    """
    rows = [
        (
            movie_of(cast) if movies is None else movies[cast],
            cast,
            len(set(relevant)),
            average_precision(relevant, submission.get(cast, ())),
            first_hit(relevant, submission.get(cast, ())),
        )
        for cast, relevant in labels.items()
    ]
    queries = pd.DataFrame(rows, columns=["movie", "cast", "relevant", "AP", "first_hit"])
    queries = queries.astype({"relevant": int, "AP": float, "first_hit": "Int64"})
    for k in CMC_RANKS:
        queries[f"CMC@{k}"] = (queries["first_hit"] <= k).fillna(False).astype(float)
    return queries


def summarize(queries: pd.DataFrame) -> pd.Series:
    """Means over all queries: `queries` (how many), `mAP` and `CMC@k`.

    A query without any relevant candidate has no average precision. It is left out, as is usual in retrieval; the
    challenge has no such query. Without any query to score the means are NaN.
    """
    scored = queries[queries["relevant"] > 0]
    means = scored[["AP", *(f"CMC@{k}" for k in CMC_RANKS)]].mean()
    return pd.concat([pd.Series({"queries": len(scored)}), means.rename({"AP": "mAP"})]).rename(None)


def summarize_movies(queries: pd.DataFrame) -> pd.DataFrame:
    """`summarize` for each movie: one row per movie, indexed by `movie` in order of first appearance."""
    summaries = {movie: summarize(rows) for movie, rows in queries.groupby("movie", sort=False)}
    columns = ["queries", "mAP", *(f"CMC@{k}" for k in CMC_RANKS)]
    table = pd.DataFrame.from_dict(summaries, orient="index", columns=columns).rename_axis("movie")
    return table.astype({"queries": int})


def mean_average_precision(labels: Mapping[str, Collection[str]], submission: Mapping[str, Sequence[str]]) -> float:
    """Mean of the average precision over the labelled queries, the challenge's score; see `summarize`."""
    return float(summarize(score_queries(labels, submission))["mAP"])


def across_movies(labels: Mapping[str, Sequence[str]], names: Mapping[str, str | None]) -> dict[str, list[str]]:
    """Labels for a search of all movies: whoever shows the person, in whichever movie.

    Args:
        labels: cast id → ids of the movie's candidates that show this person.
        names: cast id → the person's name, which is the same in all movies; None, or nobody's, if unknown.

    Returns:
        cast id → ids of all movies' candidates that show this person.
    """
    persons = {cast: name if name and is_cast_label(name) else cast for cast, name in names.items()}
    appearances: dict[str, list[str]] = {}
    for cast, relevant in labels.items():
        appearances.setdefault(persons.get(cast, cast), []).extend(relevant)
    return {cast: appearances[persons.get(cast, cast)] for cast in labels}


def gather_cast(movies: Iterable[tuple[str, Mapping[str, str | None], Collection[str]]]) -> Cast:
    """Gather the cast of a split.

    Args:
        movies: of each movie its id, the name of the person by cast id, and the ids of the candidates.
    """
    cast = Cast({}, {}, {}, set())
    for movie, names, candidates in movies:
        of_movie = set(candidates)
        cast.movies.update(dict.fromkeys(names, movie))
        cast.names.update(names)
        cast.candidates.update(dict.fromkeys(names, of_movie))
        cast.everyone.update(candidates)
    return cast


def _read_split(split: Path) -> Iterator[tuple[str, dict[str, str | None], list[str]]]:
    """The movies of `{split}.json`, for `gather_cast`."""
    for movie, entry in load_annotations(split).items():
        persons, _ = people(entry, f"{split}: movie {movie}")
        names = {person.id: person.label for person in persons if person.role == "cast"}
        yield movie, names, [person.id for person in persons if person.role == "candidate"]


def _score_file(labels_path: Path, submission_path: Path, split: Path | None, across: bool) -> str:
    """Score a submission file; the answer is text to print."""
    labels = load_labels(labels_path)
    if split is None:
        movies = None
        submission = read_submission(submission_path, cast_ids=labels.keys())
    else:
        cast = gather_cast(_read_split(split))
        movies, candidates = cast.movies, cast.candidates
        check_labels(labels_path, labels, candidates, on_bad="stop")
        if across:
            labels = across_movies(labels, cast.names)
            candidates = dict.fromkeys(candidates, cast.everyone)
        submission = read_submission(submission_path, candidates=candidates, everyone=cast.everyone)
    queries = score_queries(labels, submission, movies)
    overall = summarize(queries)
    answered = sum(cast in submission for cast in labels)
    lines = [f"queries  {overall['queries']:.0f} scored, {answered} of {len(labels)} answered"]
    lines += [f"{name:8} {value:.6f}" for name, value in overall.drop("queries").items()]
    table = summarize_movies(queries).reset_index().to_string(index=False, float_format="{:.4f}".format)
    return "\n".join([*lines, "", table])


def main(arguments: Sequence[str] | None = None) -> int:
    """Score a submission file made elsewhere; returns the exit status."""
    parser = argparse.ArgumentParser(
        prog="python -m castsearch.evaluation",
        description="Score a submission file: mAP and CMC, overall and per movie.",
    )
    parser.add_argument("labels", type=Path, help="JSON: cast id -> list of the relevant candidate ids")
    parser.add_argument("submission", type=Path, help="one line per cast id: 'castid cand1,cand2,...'")
    parser.add_argument("--split", type=Path, help="the split's annotation file, to check every id against")
    parser.add_argument("--across", action="store_true", help="the portraits were searched in all movies of --split")
    options = parser.parse_args(arguments)
    if options.across and not options.split:
        parser.error("--across needs --split")
    try:
        print(_score_file(options.labels, options.submission, options.split, options.across))
    except InputError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    return 0
