"""The report of a run: an index, and a page for each movie. Each holds its own pictures and needs no network."""

import base64
import io
import json
import math
from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from itertools import zip_longest
from pathlib import Path
from typing import NamedTuple, TypeVar

import pandas as pd
import yaml
from jinja2 import Environment, PackageLoader, StrictUndefined
from PIL import Image
from tqdm import tqdm

from castsearch import files
from castsearch.evaluation.tables import CMC
from castsearch.report.film_reading import FilmReading
from castsearch.report.movie_results import MovieResults
from castsearch.report.stored_image import Encoded
from castsearch.report.timeline import Span, Timeline
from castsearch.report.training_figures import training_curves

_GALLERY = 24  # crops in the gallery of those found without a face
_HOVERED = 700_000  # bytes of pictures that appearances of a movie have, so that its page can be sent by mail
_GROUPED = 500_000  # and of those of unknown people
_SHOTS = 1_500_000  # and of those of shots
_LINKED = 50  # movies that the index names for one person

_Key = TypeVar("_Key", bound=Hashable)


class Thumbnail(NamedTuple):
    """A small picture: the size that it is shown at, in CSS pixels, and all of it as a URI."""

    width: int
    height: int
    uri: str


@dataclass(frozen=True)
class Run:
    """What the report says of a run, apart from its movies.

    Attributes:
        title: the heading.
        variant: title of the variant whose rankings are shown.
        baseline: title of the variant that it is compared with, the search by face alone.
        ablation: a row per labelled split and variant: `split`, `title`, `description`, `mAP` and `CMC@k`. Without
            rows, as on a split without labels, the pages have no scores.
        skipped: id and reason of every record that could not be used.
        histories: path of the training history per ReID network, see `training_curves`.
        config: the configuration.
        models: for each model file its `model`, `file`, `sha256` and `licence`.
        versions: version per program or package.
        top: how many crops of each ranking are shown.
        pictures: whether people are shown at all.
        doubts: movie and reason why its features may be wrong.
        corrections: movie, box, person and answer of each correction that the run was given.
    """

    title: str
    variant: str
    baseline: str
    ablation: pd.DataFrame
    skipped: Sequence[tuple[str, str]]
    histories: Mapping[str, str | Path]
    config: Mapping[str, object]
    models: Sequence[Mapping[str, str]]
    versions: Mapping[str, str]
    top: int
    pictures: bool = True
    doubts: Sequence[tuple[str, str]] = ()
    corrections: Sequence[Sequence[str]] = ()


def write_pages(
    run: Run,
    movies: Iterable[MovieResults],
    index: str | Path,
    folder: str | Path,
    *,
    timelines: Iterable[Timeline] = (),
    films: Iterable[FilmReading] = (),
) -> list[MovieResults]:
    """Write the page of each movie as `{folder}/{split}/{movie}.html`, one after the other, and then the index.

    The same run gives the same bytes.

    Args:
        run: the run.
        movies: its movies, in the order of the index.
        index: the file that receives the index.
        folder: the folder of the movies' pages, which the index links to; it lies beside the index.
        timelines: who appears when in each of the movies; none where nobody is named.
        films: how each of the movies was read; none where they are no films.

    Returns:
        What the index says of the movies, see `MovieResults.in_short`.
    """
    index, folder = Path(index), Path(folder)
    listed: list[MovieResults] = []
    on_screen: dict[tuple[str, str], Timeline] = {}
    together = tqdm(zip_longest(movies, timelines, films), "pages", unit="movie", mininterval=2)
    for movie, timeline, film in together:
        page = render_movie(run, movie, f"../../{index.name}", timeline, film)
        files.write_text(folder / movie.split / f"{movie.name}.html", page)
        listed.append(movie.in_short())
        if timeline is not None:
            on_screen[movie.split, movie.name] = timeline.in_short()
    files.write_text(index, render_index(run, listed, folder.name, on_screen))
    return listed


def render_index(
    run: Run,
    movies: Sequence[MovieResults],
    folder: str,
    timelines: Mapping[tuple[str, str], Timeline] | None = None,
) -> str:
    """Render the page that compares the variants, lists the movies, and says how all was made.

    Args:
        run: the run.
        movies: its movies.
        folder: where the movies' pages are, as a link that starts at the index.
        timelines: who appears when, by split and movie; None where nobody is named.
    """
    faceless = [
        (query, hit) for movie in movies for query in movie.queries for hit in query.hits if hit.faceless and hit.right
    ]
    gained = [(query, hit) for query, hit in faceless if hit.found and not hit.found_before]
    return _render(
        "index",
        run,
        movies=movies,
        folder=folder,
        timelines=timelines or {},
        returning=_returning(movies, timelines or {}),
        most=_LINKED,
        faceless=[hit for _, hit in faceless],
        gallery=sorted(gained, key=lambda pair: -pair[1].climb)[:_GALLERY],
        num_gained=len(gained),
        portraits=[(movie, query) for movie in movies for query in movie.queries if query.warning],
        curves={
            network: [(words, _uri("svg+xml", svg.encode())) for words, svg in training_curves(_read_history(path))]
            for network, path in run.histories.items()
        },
        # Snakemake reads a JSON file into ordered dictionaries, which YAML has no plain form of.
        config=yaml.safe_dump(json.loads(json.dumps(run.config)), sort_keys=False, allow_unicode=True),
    )


def _returning(
    movies: Sequence[MovieResults], timelines: Mapping[tuple[str, str], Timeline]
) -> list[tuple[str, list[tuple[MovieResults, str]]]]:
    """Who is named in several movies, those in most first, with these movies and the time on screen in words."""
    found: dict[str, list[tuple[MovieResults, str]]] = {}
    for movie in movies:
        if timeline := timelines.get((movie.split, movie.name)):
            for lane in timeline.known:
                found.setdefault(lane.person, []).append((movie, timeline.lasting(lane)))
    several = [(person, own) for person, own in found.items() if len(own) > 1]
    return sorted(several, key=lambda each: (-len(each[1]), each[0]))


def render_movie(
    run: Run, movie: MovieResults, index: str, timeline: Timeline | None = None, film: FilmReading | None = None
) -> str:
    """Render the page of one movie: who appears when, each portrait, and the first crops of its ranking.

    Args:
        run: the run.
        movie: the movie.
        index: the link to the index.
        timeline: who appears when; None where nobody is named.
        film: how it was read; None where it is no film.
    """
    hovered, faces = _timeline_pictures(timeline) if timeline and run.pictures else ({}, {})
    stills = (
        _within(_SHOTS, ((shot.number, shot.image) for shot in film.shots), 96, 72) if film and run.pictures else {}
    )
    return _render(
        "movie",
        run,
        movie=movie,
        index=index,
        timeline=timeline,
        hovered=hovered,
        faces=faces,
        film=film,
        stills=stills,
        corrections=[list(row) for row in run.corrections if row[0] == movie.name],
    )


def _timeline_pictures(timeline: Timeline) -> tuple[dict[str, str], dict[str, Thumbnail]]:
    """The pictures of a timeline within what a page may weigh.

    Returns:
        By box what is shown when somebody points at it, the longest appearances first, since those are looked at; and
        by box the thumbnails of unknown people, the best of each first.
    """
    spans = [span for lane in timeline.lanes for span in lane.spans if span.picture is not None]
    spans.sort(key=lambda span: -span.width)
    hovered = _within(_HOVERED, _pictured([*timeline.review, *spans]), 60, 90)
    best = [lane.best for lane in timeline.groups]
    faces = [own[place] for place in range(max(map(len, best), default=0)) for own in best if place < len(own)]
    shown = {box: thumbnail.uri for box, thumbnail in hovered.items()}
    return shown, _within(_GROUPED, _pictured(faces), 90, 110)


def _within(
    budget: int, images: Iterable[tuple[_Key, Encoded | None]], width: int, height: int
) -> dict[_Key, Thumbnail]:
    """Thumbnails of images by their keys, as long as they are no more than some bytes."""
    found: dict[_Key, Thumbnail] = {}
    for key, image in images:
        thumbnail = None if key in found else _thumbnail(image, width, height, density=1)
        if thumbnail is None:
            continue
        budget -= len(thumbnail.uri)
        if budget < 0:
            break
        found[key] = thumbnail
    return found


def _pictured(spans: Iterable[Span]) -> Iterator[tuple[str, Encoded | None]]:
    """The boxes that stand for spans, and their images."""
    return ((span.box, span.picture.image) for span in spans if span.picture is not None)


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("castsearch.report", ""),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {"score": _score, "thumbnail": _thumbnail}
    return environment


def _render(page: str, run: Run, **values: object) -> str:
    by_split = run.ablation.groupby("split", sort=False) if len(run.ablation) else ()
    scores = {split: rows.set_index("title").to_dict("index") for split, rows in by_split}
    template = _environment().get_template(f"pages.{page}.html.j2")
    return template.render(run=run, scores=scores, cmc=CMC, compared=run.variant != run.baseline, **values)


def _read_history(path: str | Path) -> pd.DataFrame:
    return pd.read_csv(path, sep="\t", comment="#")


def _score(value: float) -> str:
    return "–" if math.isnan(value) else f"{value:.3f}"


@lru_cache(1000)  # a page shows many a picture more than once
def _thumbnail(image: Encoded | None, width: int, height: int, density: int = 2) -> Thumbnail | None:
    """A picture to be shown within `width` × `height` CSS pixels, never enlarged; None where there is none.

    It has `density` times the pixels each way: dense screens show two.
    """
    if image is None:
        return None
    with Image.open(io.BytesIO(image.read())) as opened:
        scale = min(width / opened.width, height / opened.height, 1)
        shown = [max(1, round(side * scale)) for side in opened.size]
        pixels = (density * shown[0], density * shown[1])
        opened.draft("RGB", pixels)  # decodes a large JPEG at a fraction of its size
        picture = opened.convert("RGB")
    picture.thumbnail(pixels, Image.Resampling.LANCZOS)
    buffer = io.BytesIO()
    picture.save(buffer, "WEBP", quality=70, method=2)  # twice as fast as the default, for a twentieth more bytes
    return Thumbnail(shown[0], shown[1], _uri("webp", buffer.getvalue()))


def _uri(kind: str, data: bytes) -> str:
    return f"data:image/{kind};base64,{base64.b64encode(data).decode()}"
