"""Score a submission file that was made elsewhere, for people to read."""

from pathlib import Path

from castsearch.data.challenge import check_labels, load_labels
from castsearch.data.submission import read_submission
from castsearch.evaluation.labels import across_movies, read_split
from castsearch.evaluation.metrics import hit_ranks
from castsearch.evaluation.tables import score_queries, summarize, summarize_movies


def score_submission(
    labels_path: str | Path, submission_path: str | Path, split: str | Path | None = None, across: bool = False
) -> str:
    """Score a submission file.

    Args:
        labels_path: JSON that maps each cast id to its relevant candidates.
        submission_path: a line per cast id, `castid cand1,cand2,...`.
        split: the split's annotation file, against which every id is checked. Without it the movie of a cast id is
            read from the id, see `movie_of`.
        across: whether the portraits were searched in all movies of the split; needs `split`.

    Returns:
        Text to print: the means, and a table of the movies.

    Raises:
        InputError: a file cannot be used; names file, record and reason.
    """
    labels = load_labels(labels_path)
    if split is None:
        movies = {cast: movie_of(cast) for cast in labels}
        submission = read_submission(submission_path, cast_ids=labels.keys())
    else:
        cast = read_split(Path(split))
        movies, candidates = cast.movies, cast.candidates
        labels, _ = check_labels(labels_path, labels, candidates, on_bad="stop")
        if across:
            labels = across_movies(labels, cast.names)
            candidates = dict.fromkeys(candidates, cast.everyone)
        submission = read_submission(submission_path, candidates=candidates, everyone=cast.everyone)
    ranks = {cast: hit_ranks(relevant, submission.get(cast, ())) for cast, relevant in labels.items()}
    queries = score_queries(labels, ranks, movies)
    overall = summarize(queries)
    answered = sum(cast in submission for cast in labels)
    lines = [f"queries  {overall['queries']:.0f} scored, {answered} of {len(labels)} answered"]
    lines += [f"{name:8} {value:.6f}" for name, value in overall.drop("queries").items()]
    table = summarize_movies(queries).reset_index().to_string(index=False, float_format="{:.4f}".format)
    return "\n".join([*lines, "", table])


def movie_of(cast_id: str) -> str:
    """Return the movie of one of the challenge's cast ids: what stands before its last underscore."""
    return cast_id.rpartition("_")[0]
