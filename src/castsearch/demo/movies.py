"""Made-up movies: who appears when, how each frame is composed, and the annotation in the challenge's format.

The choices below are assumptions about ordinary film, fixed before any search was run on the result:

- A movie has scenes of 3 to 8 frames; a scene keeps its place and its light, the camera moves.
- A frame holds 1 to 4 people (40, 33, 17 and 10 % where enough people are left). Lone people are often shown close,
  groups from afar: a face is 8 to 26 % of the frame's height.
- Everybody keeps one outfit throughout a movie and wears another in the next. Every third person (30 %) has nearly the
  same colours as somebody else in the movie.
- Cast members appear unevenly often, as leads and minor parts do.
- A picture is out of focus (30 %), smeared by motion (12 %), half hidden by something in front (20 %) and always
  compressed (JPEG quality 45 to 95).
- A box is the silhouette's, a few per cent off; in every fourth the part outside the frame is boxed too, and every
  eighth holds head and shoulders alone.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from castsearch import files
from castsearch.demo import figures, heads, scenes
from castsearch.demo.people import PEOPLE, Person, points, portrait_photograph, skin_colour
from castsearch.errors import InputError

SPLITS = ("train", "val", "test")
_PERSONS_PER_FRAME = (0.40, 0.33, 0.17, 0.10)
# Height of a face in the frame's height, for shots that are close, medium and long.
_SHOTS = ((0.18, 0.255), (0.12, 0.18), (0.083, 0.125))
_SHOT_SHARES = ((0.35, 0.40, 0.25), (0.15, 0.50, 0.35), (0.0, 0.45, 0.55), (0.0, 0.30, 0.70))
_NECK = heads.EYES[1] + 1.34 * heads.UNIT  # base of the neck on a head's canvas
_FACE = 1.25 * heads.UNIT  # height of a face there, as a detector boxes it: from above the brows to the chin


@dataclass(frozen=True)
class Settings:
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
    others: int = 2
    faceless: float = 0.35
    frame: tuple[int, int] = (768, 432)
    portrait: int = 320


@dataclass(frozen=True)
class Appearance:
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
    frames: tuple[tuple[Appearance, ...], ...]


def movie_ids(split: str, count: int) -> list[str]:
    """Name the first `count` movies of a split, such as tt9100001; no two splits share a name."""
    return [f"tt9{SPLITS.index(split) + 1}{number:05d}" for number in range(1, count + 1)]


def _rng(settings: Settings, split: str, movie: str, *stream: int) -> np.random.Generator:
    return np.random.default_rng([settings.seed, SPLITS.index(split), int(movie[2:]), *stream])


def plan_movie(split: str, movie: str, settings: Settings) -> Plan:
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
        frames.append(tuple(Appearance(people[index], waiting[index].pop()) for index in present))
    return Plan(tuple(cast), tuple(others), tuple(frames))


def _turns(rng: np.random.Generator, count: int, faceless: float) -> list[bool]:
    """In which of `count` appearances a person is turned away; both kinds occur when there are two and both should."""
    away = int(faceless * count + rng.random())
    if count >= 2 and 0 < faceless < 1:
        away = min(max(away, 1), count - 1)
    return rng.permutation(np.arange(count) < away).tolist()


def write_movie(split: str, movie: str, settings: Settings, images_dir: str | Path) -> dict:
    """Write a movie's frames and portraits as JPEG files below `images_dir`/`movie`.

    Args:
        split: one of `SPLITS`.
        movie: one of `movie_ids(split, ...)`.
        settings: size and difficulty; the same settings give the same bytes.
        images_dir: the split's image folder.

    Returns:
        The movie's annotation {"cast": [...], "candidates": [...]} with labels, whatever the split.

    Raises:
        InputError: see `plan_movie`; or a photograph is not installed.
    """
    images_dir, plan = Path(images_dir), plan_movie(split, movie, settings)
    annotation = {"cast": [], "candidates": []}
    for number, person in enumerate(plan.cast):
        image = f"{movie}/cast/{person.id}.jpg"
        portrait = draw_portrait(_rng(settings, split, movie, 1, number), person, settings.portrait)
        _write_jpeg(images_dir / image, portrait, 92)
        annotation["cast"].append({"id": f"{movie}_{person.id}", "img": image, "label": person.id})
    labels = {person: person.id for person in plan.cast} | dict.fromkeys(plan.others, "others")
    for number, (appearances, picture, boxes, quality) in enumerate(_shoot(split, movie, settings, plan), start=1):
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
    photograph, outline = portrait_photograph(person), points(person.outline)
    low, high = outline.min(axis=0), outline.max(axis=0)
    crop = np.array([0.8, 1.0]) * max((high - low) / (0.8, 1)) * rng.uniform(1.12, 1.35)
    corner = (low + high - crop) / 2 + rng.normal(0, 0.02, 2) * crop
    zoom = height / crop[1]
    matrix = np.array([[zoom, 0, -zoom * corner[0]], [0, zoom, -zoom * corner[1]]])
    size = (round(0.8 * height), height)
    shrink = cv2.INTER_AREA if zoom < 1 else cv2.INTER_CUBIC
    portrait = cv2.warpAffine(photograph, matrix, size, flags=shrink, borderMode=cv2.BORDER_REFLECT_101)
    levels = np.linspace(0, 1, 256)[:, None, None] ** rng.uniform(0.85, 1.2)
    tone = 255 * levels * rng.uniform(0.9, 1.08) * (1 + rng.normal(0, 0.02, 3))
    return cv2.LUT(portrait, np.clip(tone, 0, 255).astype(np.uint8))


def _shoot(
    split: str, movie: str, settings: Settings, plan: Plan
) -> Iterator[tuple[tuple[Appearance, ...], np.ndarray, list[list[int]], int]]:
    """Compose a movie's frames in order: who is in it, picture, a box each, JPEG quality."""
    rng = _rng(settings, split, movie, 2)
    outfits: dict[Person, figures.Outfit] = {}
    for person in (*plan.cast, *plan.others):
        outfit = figures.draw_outfit(rng)
        if outfits and rng.random() < 0.3:
            outfit = figures.similar_outfit(rng, outfit, list(outfits.values())[rng.integers(len(outfits))])
        outfits[person] = outfit
    tiles = {person: figures.cloth(outfit) for person, outfit in outfits.items()}
    scene, frames_left = None, 0
    for number, appearances in enumerate(plan.frames):
        rng = _rng(settings, split, movie, 3, number)
        if scene is None or not frames_left:
            scene, frames_left = scenes.draw_scene(rng, settings.frame), int(rng.integers(3, 9))
        frames_left -= 1
        yield appearances, *_compose(rng, scene, appearances, outfits, tiles, settings.frame)


def _compose(
    rng: np.random.Generator,
    scene: scenes.Scene,
    appearances: tuple[Appearance, ...],
    outfits: dict[Person, figures.Outfit],
    tiles: dict[Person, np.ndarray],
    frame: tuple[int, int],
) -> tuple[np.ndarray, list[list[int]], int]:
    """Compose one frame."""
    width, height = frame
    left, top = (
        int(rng.integers(have - want + 1)) for have, want in zip(scene.background.shape[1::-1], frame, strict=True)
    )
    picture = scene.background[top : top + height, left : left + width].copy()
    persons = len(appearances)
    low, high = _SHOTS[rng.choice(3, p=_SHOT_SHARES[persons - 1])]
    faces = height * np.clip(rng.uniform(low, high) * rng.uniform(0.88, 1.12, persons), _SHOTS[-1][0], _SHOTS[0][1])
    slots = (rng.permutation(persons) + 0.5 + rng.normal(0, 0.16, persons)) / persons
    centres = width * np.clip(slots, 0.05, 0.95)
    eyes = height * (0.12 + 1.05 * (faces / height) + rng.uniform(-0.03, 0.05))
    boxes: list[list[int]] = [[] for _ in appearances]
    for index in np.argsort(faces):  # who is nearer stands in front
        appearance = appearances[index]
        outfit, tile = outfits[appearance.person], tiles[appearance.person]
        figure, corner, shoulders = _draw_figure(
            rng, appearance, outfit, tile, float(faces[index]), (float(centres[index]), float(eyes[index])), frame
        )
        boxes[index] = _box(rng, figure, corner, shoulders, frame)
        _light(rng, figure, scene.side_light)
        _blur(rng, figure, float(faces[index]))
        _paste(picture, figure, corner)
    if rng.random() < 0.2:
        _hide(rng, picture)
    picture = cv2.LUT(picture, scene.tone)
    grain = rng.integers(-4, 5, (height // 2, width // 2), dtype=np.int8)
    grain = cv2.resize(grain, frame, interpolation=cv2.INTER_NEAREST)[..., None].astype(np.int16)
    picture = np.clip(picture + grain, 0, 255).astype(np.uint8)
    return picture, boxes, int(rng.integers(45, 96))


def _draw_figure(
    rng: np.random.Generator,
    appearance: Appearance,
    outfit: figures.Outfit,
    tile: np.ndarray,
    face: float,
    eyes: tuple[float, float],
    frame: tuple[int, int],
) -> tuple[np.ndarray, tuple[int, int], float]:
    """Draw head and body on a canvas of their own.

    Args:
        rng: chooses pose and view.
        appearance: who, and which way round.
        outfit: the clothes.
        tile: their cloth.
        face: height of the face, pixels.
        eyes: where the eyes are in the frame, pixels.
        frame: width and height of the frame.

    Returns:
        The figure, float32 premultiplied RGBA; its corner in the frame, x and y; the y of its upper chest in the frame.
    """
    head = 1.68 * face
    neck = (eyes[0], eyes[1] + 1.34 / 1.25 * face)
    corner = (int(neck[0] - 2.6 * head), int(neck[1] - 2.0 * head))
    bottom = min(neck[1] + 7 * head, 1.12 * frame[1])
    canvas = figures.Canvas(
        (int(5.2 * head), int(bottom - corner[1])), (neck[0] - corner[0], neck[1] - corner[1]), head, rng.normal(0, 2.5)
    )
    skin = skin_colour(appearance.person)
    figures.draw_body(canvas, rng, outfit, tile, skin, from_behind=appearance.turned_away)
    _put_head(rng, canvas.pixels, appearance, face, (neck[0] - corner[0], neck[1] - corner[1]))
    return canvas.pixels, corner, neck[1] + 1.2 * head


def _put_head(
    rng: np.random.Generator, pixels: np.ndarray, appearance: Appearance, face: float, neck: tuple[float, float]
) -> None:
    """Lay the head on the neck: sized, tilted, often mirrored, seen a little from the side."""
    person = appearance.person
    image = heads.drawn_back(person) if appearance.turned_away else heads.photographed_head(person)
    axis = heads.EYES[0] if appearance.turned_away else heads.neck_position(person)
    scale = face / _FACE
    if scale < 0.6:  # bilinear sampling would skip pixels
        image, scale, axis, base = (
            cv2.resize(image, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA),
            2 * scale,
            axis / 2,
            _NECK / 2,
        )
    else:
        base = _NECK
    tilt = np.radians(rng.normal(0, 7))
    squeeze = rng.uniform(0.88, 1.04) * (-1 if rng.random() < 0.5 else 1)
    foreshortening = rng.normal(0, 0.0006) * _NECK / base
    to_axis = np.array([[1, 0, -axis], [0, 1, -base], [0, 0, 1]])
    view = np.array([[squeeze, 0, 0], [0, 1, 0], [foreshortening, 0, 1]])
    cosine, sine = scale * np.cos(tilt), scale * np.sin(tilt)
    place = np.array([[cosine, -sine, neck[0]], [sine, cosine, neck[1]], [0, 0, 1]])
    size = pixels.shape[1::-1]
    head = cv2.warpPerspective(image, place @ view @ to_axis, size, flags=cv2.INTER_LINEAR).astype(np.float32)
    pixels *= 1 - head[..., 3:] / 255
    pixels += head


def _light(rng: np.random.Generator, figure: np.ndarray, side_light: float) -> None:
    """Expose the figure a little differently each time, and light it from the scene's side."""
    across = np.linspace(-1, 1, figure.shape[1], dtype=np.float32)
    gain = rng.uniform(0.85, 1.12) * (1 + np.clip(2.5 * side_light * across, -0.45, 0.3))
    figure[..., :3] *= gain[None, :, None].astype(np.float32)
    np.minimum(figure[..., :3], figure[..., 3:], out=figure[..., :3])


def _blur(rng: np.random.Generator, figure: np.ndarray, face: float) -> None:
    """Put some figures out of focus and smear some along the way they move."""
    kind = rng.random()
    if kind < 0.3:
        cv2.GaussianBlur(figure, (0, 0), rng.uniform(0.006, 0.026) * face, dst=figure)
    elif kind < 0.42:
        length = max(3, int(rng.uniform(0.04, 0.12) * face))
        turn = cv2.getRotationMatrix2D((length // 2, length // 2), rng.uniform(-40, 40), 1)
        line = np.zeros((length, length), np.float32)
        line[length // 2] = 1
        kernel = cv2.warpAffine(line, turn, (length, length))
        cv2.filter2D(figure, -1, kernel / kernel.sum(), dst=figure)


def _paste(picture: np.ndarray, figure: np.ndarray, corner: tuple[int, int]) -> None:
    """Lay a figure onto the picture in place, as far as it lies inside."""
    low = np.maximum(corner, 0)
    high = np.minimum(np.add(corner, figure.shape[1::-1]), picture.shape[1::-1])
    inside = figure[low[1] - corner[1] : high[1] - corner[1], low[0] - corner[0] : high[0] - corner[0]]
    target = picture[low[1] : high[1], low[0] : high[0]]
    mixed = target * (1 - inside[..., 3:] / 255) + inside[..., :3]
    target[...] = np.clip(mixed, 0, 255)


def _hide(rng: np.random.Generator, picture: np.ndarray) -> None:
    """Put something out of focus in front: a table, a post, somebody's shoulder."""
    height, width = picture.shape[:2]
    mask = np.zeros((height, width), np.uint8)
    kind = rng.integers(3)
    if kind == 0:
        cv2.rectangle(mask, (0, int(rng.uniform(0.72, 0.9) * height)), (width, height), 255, -1)
    elif kind == 1:
        x = int(rng.uniform(0, 1) * width)
        cv2.rectangle(mask, (x, 0), (x + int(rng.uniform(0.03, 0.07) * width), height), 255, -1)
    else:
        centre = (
            int(rng.choice([0.0, 1.0]) * width + rng.normal(0, 0.05) * width),
            int(rng.uniform(0.9, 1.1) * height),
        )
        cv2.ellipse(mask, centre, (int(0.22 * width), int(rng.uniform(0.3, 0.6) * height)), 0, 0, 360, 255, -1)
    mask = cv2.GaussianBlur(mask, (0, 0), 0.01 * height)[..., None] / np.float32(255)
    picture[...] = picture * (1 - mask) + rng.uniform(15, 110, 3).astype(np.float32) * mask


def _box(
    rng: np.random.Generator, figure: np.ndarray, corner: tuple[int, int], shoulders: float, frame: tuple[int, int]
) -> list[int]:
    """Box a figure as an annotator would: x, y, width, height in the frame, whole pixels."""
    x, y, width, height = cv2.boundingRect((figure[..., 3] > 64).astype(np.uint8))
    low, high = np.array([x, y]) + corner, np.array([x + width, y + height]) + corner
    if rng.random() < 0.12:
        high[1] = min(high[1], int(shoulders))
    if rng.random() < 0.75:
        low, high = np.maximum(low, 0), np.minimum(high, frame)
    slack = 0.025 * (high - low)
    low = np.rint(low + rng.normal(0, 1, 2) * slack).astype(int)
    high = np.rint(high + rng.normal(0, 1, 2) * slack).astype(int)
    return [*low.tolist(), *(high - low).tolist()]
