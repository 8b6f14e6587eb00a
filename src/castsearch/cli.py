"""The command line `castsearch`: what people do without the workflow.

Each command imports what it needs when it runs, so that scoring a file does not wait for torch.
"""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from castsearch.errors import InputError


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command.

    Args:
        arguments: the words after `castsearch`; None takes those of the process.

    Returns:
        The exit status: 1 where the user's input cannot be used, which one line on standard error explains.
    """
    parser = _parser()
    options = parser.parse_args(arguments)
    if options.command is _evaluate and options.across and not options.split:
        parser.error("evaluate: --across needs --split")
    try:
        print(options.command(options))
    except (InputError, OSError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    return 0


def _parser() -> argparse.ArgumentParser:
    does = "What is done beside the workflow. The search itself is run by snakemake; see README.md."
    parser = argparse.ArgumentParser(prog="castsearch", description=does)
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    evaluate = commands.add_parser("evaluate", help="score a submission file: mAP and CMC, overall and per movie")
    evaluate.add_argument("labels", type=Path, help="JSON: cast id -> list of the relevant candidate ids")
    evaluate.add_argument("submission", type=Path, help="one line per cast id: 'castid cand1,cand2,...'")
    evaluate.add_argument("--split", type=Path, help="the split's annotation file, to check every id against")
    evaluate.add_argument("--across", action="store_true", help="the portraits were searched in all movies of --split")
    evaluate.set_defaults(command=_evaluate)

    weights = commands.add_parser("weights", help="check a file of ReID weights, and convert it to safetensors")
    weights.add_argument("file", type=Path, help="a published checkpoint (.pth), or a weights.safetensors of a run")
    weights.add_argument("--kind", help="triplet or mgn; a published checkpoint does not say it")
    weights.add_argument("--backbone", help="such as resnet50; a published checkpoint does not say it")
    weights.add_argument("--output", type=Path, help="write the weights here as safetensors")
    weights.set_defaults(command=_weights)

    corrections = commands.add_parser("corrections", help="print what was changed in CVAT, as a file of corrections")
    corrections.add_argument("file", type=Path, help="annotations.xml, exported as CVAT for video 1.1")
    corrections.add_argument("film", help="the film's name in the configuration")
    corrections.add_argument("video", type=Path, help="the film's video file")
    corrections.add_argument("--results", type=Path, default=Path("results"), help="of the run (default: results)")
    corrections.set_defaults(command=_corrections)

    deletion = commands.add_parser("delete-person", help="delete all that a run has made of movies with this person")
    deletion.add_argument("person", help="the name in the tables, or the id of a portrait")
    deletion.add_argument("--results", type=Path, default=Path("results"), help="of the run (default: results)")
    deletion.set_defaults(command=_delete_person)

    movies = commands.add_parser("delete-movie", help="delete all that a run has made of movies or films alone")
    movies.add_argument("movies", nargs="+", metavar="movie", help="the name in the tables")
    movies.add_argument("--results", type=Path, default=Path("results"), help="of the run (default: results)")
    movies.set_defaults(command=_delete_movies)

    demo = commands.add_parser("demo", help="write the embedded demo as files in the challenge's format")
    demo.add_argument("folder", type=Path, help="receives {split}.json, {split}_label.json and {split}/")
    demo.add_argument("--seed", type=int, default=0, help="another number gives another data set (default: 0)")
    for split, number in {"train": 10, "val": 3, "test": 1}.items():
        demo.add_argument(f"--{split}", type=int, default=number, help=f"movies of this split (default: {number})")
    demo.set_defaults(command=_demo)
    return parser


def _evaluate(options: argparse.Namespace) -> str:
    from castsearch.evaluation.submission_scores import score_submission  # noqa: PLC0415

    return score_submission(options.labels, options.submission, options.split, options.across)


def _weights(options: argparse.Namespace) -> str:
    from castsearch.reid.networks import load_weights, save_weights  # noqa: PLC0415

    network = load_weights(options.file, options.kind, options.backbone)
    if options.output:
        save_weights(network, options.output)
    parameters = sum(parameter.numel() for parameter in network.parameters())
    return f"{options.file}: {network.kind} on {network.backbone_name}, {parameters:,} parameters"


def _corrections(options: argparse.Namespace) -> str:
    from castsearch.export import cvat  # noqa: PLC0415
    from castsearch.export.film_timeline import load_timeline  # noqa: PLC0415
    from castsearch.timeline.appearances import read_appearances  # noqa: PLC0415

    appearances = options.results / f"appearances/films/{options.film}.tsv"
    tracks = options.results / f"tracks/{options.film}.arrow"
    for path in (appearances, tracks):
        if not path.is_file():
            raise InputError(f"{path}: there is no such file; run the workflow on the film first")
    # Found boxes alone tell tracks apart: of who was followed, parts of a run with other `film.minutes` may lie there.
    timeline = load_timeline(options.film, options.video, read_appearances(appearances), tracks, followed=[])
    return cvat.corrections(options.file, timeline)


def _delete_person(options: argparse.Namespace) -> str:
    from castsearch.workflow.deletion import delete_person  # noqa: PLC0415

    deleted = delete_person(options.results, options.person)
    return (
        f"deleted {len(deleted)} files and folders in {options.results}. Now take {options.person} out of the "
        "configuration, the corrections and the folders of portraits, and run again. A network in "
        f"{options.results}/reid that was trained with pictures of {options.person} stays: delete it to train it anew."
    )


def _delete_movies(options: argparse.Namespace) -> str:
    from castsearch.workflow.deletion import delete_movies  # noqa: PLC0415

    deleted = delete_movies(options.results, options.movies)
    return (
        f"deleted {len(deleted)} files and folders in {options.results}. The next run, from a configuration without "
        "these movies, makes the tables and the report without them."
    )


def _demo(options: argparse.Namespace) -> str:
    from castsearch.demo.dataset import write_dataset  # noqa: PLC0415
    from castsearch.demo.movies import MovieSettings  # noqa: PLC0415

    movies = {"train": options.train, "val": options.val, "test": options.test}
    write_dataset(options.folder, movies, MovieSettings(seed=options.seed))
    return f"{options.folder}: {sum(movies.values())} movies"


if __name__ == "__main__":
    sys.exit(main())
