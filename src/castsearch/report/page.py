"""The report of a run: one HTML page that holds its pictures, tables and figures, and needs nothing else."""

import base64
import io
import json
import math
from collections import ChainMap
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
import pyarrow as pa
import yaml
from jinja2 import Environment, PackageLoader, StrictUndefined
from PIL import Image

from castsearch import files
from castsearch.data.crops import Crops, read_crops
from castsearch.evaluation import tables
from castsearch.evaluation.metrics import average_precision
from castsearch.report import figures

_GALLERY = 24  # crops in the gallery of those found without a face


@dataclass(frozen=True)
class Movie:
    """What the report shows of one movie.

    Attributes:
        crops: Its people.
        faces: Path of its face table, which has a row for each of them.
        rankings: Candidate ids per cast id, best first, from the variant that the report shows.
        baseline: The same from the variant that it is compared with, the search by face alone.
        labels: Ids of the relevant candidates per cast id, of other movies too if that is handy; a cast member that is
            missing has no labels.
    """

    crops: Crops
    faces: Path
    rankings: Mapping[str, Sequence[str]]
    baseline: Mapping[str, Sequence[str]]
    labels: Mapping[str, Collection[str]]


@dataclass(frozen=True)
class Hit:
    """One candidate in the ranking of a cast member.

    Attributes:
        id: The candidate id.
        rank: From 1.
        rank_before: Its rank in the baseline; None where it is not listed.
        right: Whether it shows the cast member; None without labels.
        num_relevant: How many candidates show the cast member.
        faceless: Whether the detector found no face in it.
        image: The encoded crop, or null.
    """

    id: str
    rank: int
    rank_before: int | None
    right: bool | None
    num_relevant: int
    faceless: bool
    image: pa.BinaryScalar

    @property
    def beyond(self) -> bool:
        """Whether its rank is so low that all relevant candidates have room above it."""
        return self.right is not None and self.rank > self.num_relevant

    @property
    def found(self) -> bool:
        """Whether R-precision counts it: right, and among the first R, R being the number of relevant candidates."""
        return bool(self.right) and not self.beyond

    @property
    def found_before(self) -> bool:
        """The same for the baseline."""
        return bool(self.right) and self.rank_before is not None and self.rank_before <= self.num_relevant

    @property
    def climb(self) -> int:
        """By how many ranks it stands higher than in the baseline."""
        return 0 if self.rank_before is None else self.rank_before - self.rank


def render(
    movies: Sequence[Movie],
    ablation: pd.DataFrame,
    *,
    title: str,
    variant: str,
    baseline: str,
    skipped: Sequence[tuple[str, str]],
    training: Mapping[str, Path],
    config: Mapping,
    models: Sequence[Mapping[str, str]],
    versions: Mapping[str, str],
    top: int = 20,
) -> str:
    """Build the page. It depends on nothing but its arguments: the same run gives the same bytes.

    Args:
        movies: The movies, in the order of the page.
        ablation: A row per labelled split and variant: `split`, `title`, `description`, `mAP` and `CMC@k`. Without
            rows, as on a split without labels, the page has no scores.
        title: The page's heading.
        variant: Title of the variant whose rankings are shown.
        baseline: Title of the variant that it is compared with.
        skipped: Id and reason of every record that could not be used.
        training: Path of the training log per ReID network: tab-separated, a row per epoch; see
            `figures.training_curves` for its columns.
        config: The configuration of the run.
        models: For each model file its `model`, `file`, `sha256` and `licence`.
        versions: Version per program or package.
        top: How many crops of each ranking to show.

    Returns:
        The HTML text.
    """
    people = [_people(movie) for movie in movies]
    # A search of all movies of a split finds people of others; without one, an id may occur in several movies.
    others: dict[str, dict[str, _Person]] = {}
    for movie, own in zip(movies, people, strict=True):
        others.setdefault(movie.crops.split, {}).update(own)
    shown = [
        _show(movie, own, ChainMap(own, others[movie.crops.split]), top)
        for movie, own in zip(movies, people, strict=True)
    ]
    faceless = [
        (cast, hit) for movie in shown for cast in movie["cast"] for hit in cast["hits"] if hit.faceless and hit.right
    ]
    gained = [(cast, hit) for cast, hit in faceless if hit.found and not hit.found_before]
    splits = ablation.groupby("split", sort=False) if len(ablation) else ()
    environment = Environment(
        loader=PackageLoader("castsearch.report", ""),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {"score": _score, "thumbnail": _thumbnail}
    return environment.get_template("page.html.j2").render(
        title=title,
        variant=variant,
        baseline=baseline,
        scores={split: rows.set_index("title").to_dict("index") for split, rows in splits},
        cmc=tables.CMC,
        movies=shown,
        faceless=[hit for _, hit in faceless],
        gallery=sorted(gained, key=lambda pair: -pair[1].climb)[:_GALLERY],
        num_gained=len(gained),
        skipped=skipped,
        curves={
            network: [(words, _uri("svg+xml", svg.encode())) for words, svg in figures.training_curves(_history(log))]
            for network, log in training.items()
        },
        # Snakemake reads a JSON file into ordered dictionaries, which YAML has no plain form of.
        config=yaml.safe_dump(json.loads(json.dumps(config)), sort_keys=False, allow_unicode=True),
        models=models,
        versions=versions,
        top=top,
    )


def read_movies(
    crop_tables: Iterable[str | Path],
    face_tables: Iterable[str | Path],
    rankings: Mapping[str, Mapping[str, Mapping[str, Sequence[str]]]],
    labels: Mapping[str, Mapping[str, Collection[str]]],
    *,
    variant: str,
    baseline: str,
) -> list[Movie]:
    """Gather what the report shows of each movie, with the rankings and labels of its own split alone.

    Args:
        crop_tables: those of the movies.
        face_tables: those of the same movies, in the same order.
        rankings: split → variant → cast id → candidate ids, best first.
        labels: split → cast id → ids of the relevant candidates; a split that is missing has no labels.
        variant: key of the variant whose rankings are shown.
        baseline: key of the variant that it is compared with.

    """
    movies = []
    for crops, faces in zip(map(read_crops, crop_tables), map(Path, face_tables), strict=True):
        ranked = rankings.get(crops.split, {})
        shown, compared = ranked.get(variant, {}), ranked.get(baseline, {})
        movies.append(Movie(crops, faces, shown, compared, labels.get(crops.split, {})))
    return movies


def list_models(
    face_tables: Iterable[str | Path],
    licences: Mapping[str, str],
    networks: Mapping[str, str | Path],
    imported: Mapping[str, str],
) -> list[dict[str, str]]:
    """Describe the files of weights of a run, as `render` takes them.

    Args:
        face_tables: one of each face engine; its metadata name `engine` and `models`, each with `file` and `sha256`.
        licences: on what terms the models of each face engine may be used.
        networks: path of the trained weights per ReID network.
        imported: file that they were imported from, of those that this run did not train.
    """
    engines = [json.loads(files.read_table(path).schema.metadata[b"engine"]) for path in face_tables]
    faces = [
        {"model": engine["engine"], "licence": licences[engine["engine"]], **model}
        for engine in engines
        for model in engine["models"]
    ]
    return faces + [
        {
            "model": name,
            "file": Path(path).name,
            "sha256": files.file_digest(path),
            "licence": f"that of {imported[name]}" if name in imported else "trained by this run",
        }
        for name, path in networks.items()
    ]


@dataclass(frozen=True)
class _Person:
    """One row of a movie's tables."""

    image: pa.BinaryScalar
    is_cast: bool
    faceless: bool


def _people(movie: Movie) -> dict[str, _Person]:
    detected = files.read_table(movie.faces)["detected"].to_pylist()
    rows = enumerate(zip(movie.crops.ids, movie.crops.images, detected, strict=True))
    people = {}
    for row, (name, image, any_face) in rows:
        is_cast = row < len(movie.crops.cast)
        people[name] = _Person(image, is_cast, not is_cast and image.is_valid and not any_face)
    return people


def _show(movie: Movie, own: Mapping[str, _Person], people: Mapping[str, _Person], top: int) -> dict:
    """What the template needs of one movie; `people` has all whom its rankings may name."""
    cast = [name for name, person in own.items() if person.is_cast]
    labels = {name: movie.labels[name] for name in cast if name in movie.labels}
    of_movie = dict.fromkeys(labels, movie.crops.movie)
    return {
        "name": movie.crops.movie,
        "num_candidates": len(own) - len(cast),
        "num_faceless": sum(person.faceless for person in own.values()),
        "scores": tables.summarize(tables.score_queries(labels, movie.rankings, of_movie)),
        "scores_before": tables.summarize(tables.score_queries(labels, movie.baseline, of_movie)),
        "cast": [
            {
                "id": name,
                "image": own[name].image,
                "hits": _hits(movie, name, people, top),
                "labelled": name in labels,
                "num_relevant": len(set(labels.get(name, ()))),
                "AP": average_precision(labels.get(name, ()), movie.rankings.get(name, ())),
                "AP_before": average_precision(labels.get(name, ()), movie.baseline.get(name, ())),
            }
            for name in cast
        ],
    }


def _hits(movie: Movie, cast: str, people: Mapping[str, _Person], top: int) -> list[Hit]:
    """The first of one cast member's ranking, and whoever further down shows this person."""
    relevant = set(movie.labels.get(cast, ()))
    before = {name: rank for rank, name in enumerate(dict.fromkeys(movie.baseline.get(cast, ())), start=1)}
    return [
        Hit(
            id=name,
            rank=rank,
            rank_before=before.get(name),
            right=name in relevant if cast in movie.labels else None,
            num_relevant=len(relevant),
            faceless=people[name].faceless,
            image=people[name].image,
        )
        for rank, name in enumerate(dict.fromkeys(movie.rankings.get(cast, ())), start=1)
        if rank <= top or name in relevant
    ]


def _history(path: Path) -> pd.DataFrame:
    return pd.read_csv(path, sep="\t", comment="#")


def _score(value: float) -> str:
    return "–" if math.isnan(value) else f"{value:.3f}"


def _thumbnail(image: pa.BinaryScalar, width: int, height: int) -> dict | None:
    """A picture to be shown within `width` × `height` CSS pixels, never enlarged; None for a null image.

    Returns:
        `width` and `height` that it is shown at, and `uri`, with twice the pixels each way for dense screens.
    """
    if not image.is_valid:
        return None
    with Image.open(io.BytesIO(image.as_py())) as opened:
        scale = min(width / opened.width, height / opened.height, 1)
        shown = [max(1, round(side * scale)) for side in opened.size]
        opened.draft("RGB", (2 * shown[0], 2 * shown[1]))  # decodes a large JPEG at a fraction of its size
        picture = opened.convert("RGB")
    picture.thumbnail((2 * shown[0], 2 * shown[1]), Image.Resampling.LANCZOS)
    buffer = io.BytesIO()
    picture.save(buffer, "JPEG", quality=70, optimize=True)
    return {"width": shown[0], "height": shown[1], "uri": _uri("jpeg", buffer.getvalue())}


def _uri(kind: str, data: bytes) -> str:
    return f"data:image/{kind};base64,{base64.b64encode(data).decode()}"
