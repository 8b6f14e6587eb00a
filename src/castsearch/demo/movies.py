"""Made-up movies: who appears when, how each frame is composed, and the annotation in the challenge's format.

The choices are assumptions about ordinary film, made before any search was run on the result:

- A movie has scenes of 3 to 8 frames; a scene keeps its place and its light, the camera moves.
- A frame holds 1 to 4 people (40, 33, 17 and 10 % where enough people are left).
- Everybody keeps one outfit throughout a movie and wears another in the next. Three in ten have nearly the same colours
  as one other person in the movie.
- Cast members appear unevenly often, as leads and minor parts do; others somewhat more rarely.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from castsearch import files
from castsearch.demo import SPLITS, bodies, frames, scenes
from castsearch.demo.drawing import points
from castsearch.demo.people import PEOPLE, Person, read_picture
from castsearch.errors import InputError

_PERSONS_PER_FRAME = (0.40, 0.33, 0.17, 0.10)


@dataclass(frozen=True)
class MovieSettings:
    """How large the movies are and how hard.

    Attributes:
        seed: another seed gives other movies.
        candidates: boxed appearances in a movie.
        cast: people in a movie with a portrait to search by.
        others: people in a movie who are no cast members.
        faceless: share of the appearances that are turned away.
        frame: width and height of a frame, pixels.
        portrait: height of a portrait, pixels.
    """

    seed: int = 0
    candidates: int = 60
    cast: int = 4
    others: int = 3
    faceless: float = 0.33
    frame: tuple[int, int] = (768, 432)
    portrait: int = 320


@dataclass(frozen=True)
class FramePerson:
    """One person in one frame.

    Attributes:
        person: who it is.
        turned_away: seen from behind, without a face.
    """

    person: Person
    turned_away: bool


@dataclass(frozen=True)
class Plan:
    """Who plays in a movie, and who is in each frame."""

    cast: tuple[Person, ...]
    others: tuple[Person, ...]
    frames: tuple[tuple[FramePerson, ...], ...]


def _rng(settings: MovieSettings, split: str, movie: str, *stream: int) -> np.random.Generator:
    return np.random.default_rng([settings.seed, SPLITS.index(split), int(movie[2:]), *stream])


def plan_movie(split: str, movie: str, settings: MovieSettings) -> Plan:
    """Choose the people of a movie and where each appears.

    Raises:
        InputError: more people are asked for than there are photographs, or none at all.
    """
    wanted = settings.cast + settings.others
    if not 1 <= wanted <= len(PEOPLE):
        raise InputError(
            f"demo: {settings.cast} cast and {settings.others} others, but 1 to {len(PEOPLE)} people exist"
        )
    rng = _rng(settings, split, movie, 0)
    people = [PEOPLE[index] for index in rng.permutation(len(PEOPLE))[:wanted]]
    cast, others = people[: settings.cast], people[settings.cast :]
    # Two appearances each, as far as they go, so that a cast member can be seen once with and once without a face.
    sure = np.minimum(2, settings.candidates // wanted)
    weights = np.concatenate([rng.dirichlet(np.full(len(cast), 4.0)) * len(cast), np.full(len(others), 0.6)])
    counts = sure + rng.multinomial(settings.candidates - sure * wanted, weights / weights.sum())
    waiting = [_turns(rng, int(count), settings.faceless) for count in counts]
    frames = []
    while left := [index for index, turns in enumerate(waiting) if turns]:
        persons = min(len(left), 1 + rng.choice(4, p=_PERSONS_PER_FRAME))
        shares = np.array([len(waiting[index]) for index in left], dtype=float)
        present = rng.choice(left, persons, replace=False, p=shares / shares.sum())
        frames.append(tuple(FramePerson(people[index], waiting[index].pop()) for index in present))
    return Plan(tuple(cast), tuple(others), tuple(frames))


def _turns(rng: np.random.Generator, count: int, faceless: float) -> list[bool]:
    """In which of `count` appearances a person is turned away; both kinds occur when there are two and both should."""
    away = int(faceless * count + rng.random())
    if count >= 2 and 0 < faceless < 1:
        away = min(max(away, 1), count - 1)
    return rng.permutation(np.arange(count) < away).tolist()


def write_movie(split: str, movie: str, settings: MovieSettings, images_dir: str | Path) -> dict:
    """Write a movie's frames and portraits as JPEG files below `images_dir`/`movie`.

    Args:
        split: one of `SPLITS`.
        movie: one of `movie_ids(split, ...)`.
        settings: size and difficulty; the same settings give the same bytes, with the same versions of OpenCV and numpy
            on the same kind of processor.
        images_dir: the split's image folder.

    Returns:
        The movie's annotation {"cast": [...], "candidates": [...]} with labels, whatever the split.

    Raises:
        InputError: see `plan_movie`; or a photograph is not installed.
    """
    images_dir, plan = Path(images_dir), plan_movie(split, movie, settings)
    annotation: dict[str, list[dict]] = {"cast": [], "candidates": []}
    for number, person in enumerate(plan.cast):
        image = f"{movie}/cast/{person.id}.jpg"
        portrait = draw_portrait(_rng(settings, split, movie, 1, number), person, settings.portrait)
        _write_jpeg(images_dir / image, portrait, 92)
        annotation["cast"].append({"id": f"{movie}_{person.id}", "img": image, "label": person.id})
    labels = {person: person.id for person in plan.cast} | dict.fromkeys(plan.others, "others")
    shots = zip(plan.frames, _shoot(split, movie, settings, plan), strict=True)
    for number, (appearances, (picture, boxes, quality)) in enumerate(shots, start=1):
        image = f"{movie}/candidates/{number:04d}.jpg"
        _write_jpeg(images_dir / image, picture, quality)
        for appearance, box in zip(appearances, boxes, strict=True):
            name = f"{movie}_{len(annotation['candidates']):04d}"
            label = labels[appearance.person]
            annotation["candidates"].append({"id": name, "img": image, "bbox": box, "label": label})
    return annotation


def labels(annotation: dict) -> dict[str, list[str]]:
    """Map each cast id of a movie to the ids of the candidates who are that person."""
    return {
        member["id"]: [row["id"] for row in annotation["candidates"] if row["label"] == member["label"]]
        for member in annotation["cast"]
    }


def write_split(split: str, annotations: dict[str, dict], folder: str | Path) -> None:
    """Write `{split}.json`, without labels for the test split, and the answers to it, `{split}_label.json`.

    Args:
        split: one of `SPLITS`.
        annotations: movie id → what `write_movie` returned; the order is kept.
        folder: where both files go.
    """
    hidden = {"label"} if split == "test" else set()
    public = {
        movie: {
            part: [{key: value for key, value in row.items() if key not in hidden} for row in rows]
            for part, rows in annotation.items()
        }
        for movie, annotation in annotations.items()
    }
    answers = {cast: found for annotation in annotations.values() for cast, found in labels(annotation).items()}
    files.write_json(Path(folder) / f"{split}.json", public)
    files.write_json(Path(folder) / f"{split}_label.json", answers)


def _write_jpeg(path: Path, image: np.ndarray, quality: int) -> None:
    _, encoded = cv2.imencode(".jpg", cv2.cvtColor(image, cv2.COLOR_RGB2BGR), [cv2.IMWRITE_JPEG_QUALITY, quality])
    with files.replacing(path) as temporary:
        temporary.write_bytes(encoded.tobytes())


def draw_portrait(rng: np.random.Generator, person: Person, height: int) -> np.ndarray:
    """Crop the photograph around the head, a little differently framed and lit each time.

    Returns:
        uint8 (height, 0.8 · height, 3), RGB.
    """
    photograph, outline = read_picture(person.photograph), points(person.outline)
    limit = np.array(photograph.shape[1::-1])
    low, high = np.maximum(outline.min(axis=0), 0), np.minimum(outline.max(axis=0), limit)
    tall = min(max((high - low) / (0.8, 1)) * rng.uniform(1.12, 1.35), *(limit / (0.8, 1)))
    crop = np.array([0.8 * tall, tall]).astype(int)
    x, y = np.clip((low + high - crop) / 2 + rng.normal(0, 0.02, 2) * crop, 0, limit - crop).astype(int)
    kernel = cv2.INTER_AREA if height < tall else cv2.INTER_CUBIC
    portrait = photograph[y : y + crop[1], x : x + crop[0]]
    portrait = cv2.resize(portrait, (round(0.8 * height), height), interpolation=kernel)
    levels = np.linspace(0, 1, 256)[:, None, None] ** rng.uniform(0.85, 1.2)
    tone = 255 * levels * rng.uniform(0.9, 1.08) * (1 + rng.normal(0, 0.02, 3))
    return cv2.LUT(portrait, np.clip(tone, 0, 255).astype(np.uint8))


def _shoot(
    split: str, movie: str, settings: MovieSettings, plan: Plan
) -> Iterator[tuple[np.ndarray, list[list[int]], int]]:
    """Compose a movie's frames in order: picture, a box for each appearance, JPEG quality."""
    roles = bodies.dress(_rng(settings, split, movie, 2), (*plan.cast, *plan.others))
    scene, frames_left = None, 0
    for number, appearances in enumerate(plan.frames):
        rng = _rng(settings, split, movie, 3, number)
        if scene is None or frames_left == 0:
            scene, frames_left = scenes.draw_scene(rng, settings.frame), int(rng.integers(3, 9))
        frames_left -= 1
        present = [roles[appearance.person] for appearance in appearances]
        turned_away = [appearance.turned_away for appearance in appearances]
        yield *frames.compose(rng, scene, present, turned_away, settings.frame), int(rng.integers(45, 96))
