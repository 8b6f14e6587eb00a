"""A made-up film with portraits and truth: `python -m castsearch.demo.film FOLDER`.

Shots follow each other by cuts and dissolves. The camera stands or pans. People walk, cross each other, turn away,
leave the frame, and come back in other clothes in the second half. Two of them are strangers to the cast.

The folder is one that `castsearch.data.films` reads: `film.mp4`, a portrait for each of the cast, and `truth.json`:

    {"changes": [[start, end], …],
     "frames": [{"time": …, "shot": …, "boxes": [{"person": …, "box": [x, y, width, height]}, …]}, …]}

A change is the time of the first frame of a new shot, twice, or the time of a dissolve. Boxes are silhouettes as far as
they are inside the frame; somebody of whom less than a fifth can be seen has none. Times are in seconds.
"""

import argparse
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np
from tqdm import tqdm

from castsearch import files
from castsearch.demo import bodies, frames, scenes
from castsearch.demo.drawing import lay_over
from castsearch.demo.movies import draw_portrait
from castsearch.demo.people import PEOPLE

RATE = 25
SIZE = 768, 432
_DISSOLVE = 20  # frames
_LEAST_VISIBLE = 0.2
_STEP = 0.9  # face heights that somebody walks while they bob once
_CAST, _STRANGERS = 3, 2


@dataclass(frozen=True)
class Walk:
    """What somebody does in a shot.

    Attributes:
        who: number of the person; the cast come first.
        start: where they are at the beginning of the shot, in widths of the frame,
        end: and at its end.
        face: height of the face in heights of the frame.
        away: between which shares of the shot they are turned away; None for never.
    """

    who: int
    start: float
    end: float
    face: float
    away: tuple[float, float] | None = None


@dataclass(frozen=True)
class Take:
    """A shot of the script.

    Attributes:
        seconds: how long it is, with the dissolve at its beginning.
        act: in another act, people wear other clothes.
        walks: who is seen.
        pan: how far the camera turns, from −1 to 1.
        dissolve: whether it comes slowly out of the one before.
    """

    seconds: float
    act: int
    walks: tuple[Walk, ...]
    pan: float = 0
    dissolve: bool = False


SCRIPT = (
    Take(5, 1, (Walk(0, 0.1, 0.9, 0.13), Walk(1, 0.9, 0.15, 0.12))),
    Take(3, 1, (Walk(0, 0.45, 0.5, 0.24, (0.5, 1.0)),)),
    Take(3, 1, (Walk(1, 0.55, 0.5, 0.25),)),
    Take(5, 1, (Walk(2, 0.2, 0.6, 0.12), Walk(3, 0.45, 0.9, 0.11)), pan=0.6, dissolve=True),
    Take(4, 1, (Walk(0, 0.5, 1.3, 0.17), Walk(2, 0.25, 0.3, 0.16))),
    Take(4, 1, (Walk(3, 0.1, 0.8, 0.13), Walk(4, 0.85, 0.2, 0.125))),
    Take(
        5, 2, (Walk(0, 0.2, 0.45, 0.12, (0.0, 1.0)), Walk(1, 0.5, 0.6, 0.12), Walk(2, 0.85, 0.75, 0.11)), dissolve=True
    ),
    Take(3, 2, (Walk(2, 0.5, 0.55, 0.24),), pan=-0.3),
    Take(4, 2, (Walk(1, 0.3, 0.35, 0.18, (0.3, 0.7)), Walk(4, 0.7, 0.65, 0.17))),
    Take(4, 2, (Walk(0, -0.2, 0.4, 0.15), Walk(1, 0.9, 0.7, 0.15, (0.6, 1.0))), pan=0.4),
)


def write_film(folder: str | Path, seed: int = 0, script: Sequence[Take] = SCRIPT) -> None:
    """Write the film, its portraits and its truth into a folder.

    Args:
        folder: where they go; it is made if it is not there.
        seed: another seed gives other people, places and clothes.
        script: the shots.

    Raises:
        InputError: a photograph is not installed.
    """
    folder = Path(folder)
    rng = np.random.default_rng([seed, 0])
    people = tuple(PEOPLE[index] for index in rng.permutation(len(PEOPLE))[: _CAST + _STRANGERS])
    for person in people[:_CAST]:
        _, encoded = cv2.imencode(".jpg", cv2.cvtColor(draw_portrait(rng, person, 320), cv2.COLOR_RGB2BGR))
        with files.replacing(folder / f"{person.id}.jpg") as temporary:
            temporary.write_bytes(encoded.tobytes())
    truth: dict[str, list] = {"changes": [], "frames": []}
    with files.replacing(folder / "film.mp4") as temporary, av.open(str(temporary), "w", format="mp4") as container:
        stream = container.add_stream("libx264", rate=RATE, options={"crf": "20", "threads": "1"})
        stream.width, stream.height = SIZE
        stream.pix_fmt = "yuv420p"
        stream.codec_context.time_base = Fraction(1, RATE)
        total = sum(_length(take) for take in script) - _DISSOLVE * sum(take.dissolve for take in script)
        for number, picture in enumerate(
            tqdm(_pictures(script, people, seed, truth), "film", total, unit="frame", mininterval=2)
        ):
            frame = av.VideoFrame.from_ndarray(picture)
            frame.pts, frame.time_base = number, Fraction(1, RATE)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    files.write_json(folder / "truth.json", truth)


def _length(take: Take) -> int:
    return round(take.seconds * RATE)


def _pictures(script: Sequence[Take], people: tuple, seed: int, truth: dict[str, list]) -> Iterator[np.ndarray]:
    """Yield the frames, and write into `truth` what is in each."""
    waiting: list[tuple[np.ndarray, list]] = []  # the end of the shot before, of which a dissolve is made
    for number, take in enumerate(script, start=1):
        shown = _shoot(number, take, people, seed)
        following = script[number].dissolve if number < len(script) else False
        if take.dissolve:
            since = len(truth["frames"])
            truth["changes"].append([since / RATE, (since + _DISSOLVE) / RATE])
            for place, (old, old_boxes) in enumerate(waiting):
                new, boxes = next(shown)
                weight = (place + 1) / (_DISSOLVE + 1)
                first = place < _DISSOLVE / 2
                _note(truth, number - 1 if first else number, old_boxes if first else boxes)
                yield cv2.addWeighted(old, 1 - weight, new, weight, 0)
        elif number > 1:
            truth["changes"].append([len(truth["frames"]) / RATE] * 2)
        rest = list(shown)
        cut = len(rest) - (_DISSOLVE if following else 0)
        waiting = rest[cut:]
        for picture, boxes in rest[:cut]:
            _note(truth, number, boxes)
            yield picture


def _note(truth: dict[str, list], shot: int, boxes: list) -> None:
    truth["frames"].append({"time": len(truth["frames"]) / RATE, "shot": shot, "boxes": boxes})


def _shoot(number: int, take: Take, people: tuple, seed: int) -> Iterator[tuple[np.ndarray, list]]:
    """Yield picture and boxes of each frame of a shot."""
    rng = np.random.default_rng([seed, 1, number])
    roles = bodies.dress(np.random.default_rng([seed, 2, take.act]), people)
    scene = scenes.draw_scene(rng, SIZE)
    width, height = SIZE
    figures = []
    for walk in sorted(take.walks, key=lambda walk: walk.face):  # who is nearer stands in front
        face = walk.face * height
        eyes = width / 2, 0.12 * height + 1.05 * face
        pose = int(rng.integers(2**31))
        sides = [
            frames.draw_figure(
                np.random.default_rng(pose), roles[people[walk.who]], face, eyes, SIZE, turned_away=turned_away
            )
            for turned_away in (False, True)
        ]
        lit = [(frames.light(np.random.default_rng(pose), side, scene.side_light), corner) for side, corner in sides]
        figures.append((walk, lit))
    room = np.subtract(scene.background.shape[1::-1], SIZE)
    length = _length(take)
    for step in range(length):
        done = step / (length - 1)
        left = round(room[0] * (0.5 + take.pan * (done - 0.5)))
        picture = scene.background[room[1] // 2 :, left:][:height, :width].copy()
        pan = round(-room[0] * take.pan * (done - 0.5))
        visible = []
        for walk, sides in figures:
            turned_away = walk.away is not None and walk.away[0] <= done < walk.away[1]
            figure, corner = sides[turned_away]
            moved = (walk.start + (walk.end - walk.start) * done - 0.5) * width
            bob = 0.03 * walk.face * height * np.sin(2 * np.pi * moved / (_STEP * walk.face * height))
            corner = round(corner[0] + moved + pan), round(corner[1] + bob)
            lay_over(picture, figure, corner)
            visible.append((people[walk.who].id, figure, corner))
        picture = cv2.LUT(picture, scene.tone)
        grain = cv2.resize(rng.integers(0, 7, (height // 2, width // 2), dtype=np.uint8), SIZE)
        yield cv2.addWeighted(picture, 1, cv2.merge([grain] * 3), 1, -3), _boxes(visible)


def _boxes(figures: Sequence[tuple[str, np.ndarray, tuple[int, int]]]) -> list[dict]:
    """The boxes of those who can be seen; later figures hide earlier ones."""
    hidden = np.zeros(SIZE[::-1], bool)
    boxes = []
    for person, figure, corner in reversed(figures):
        low, high = np.maximum(corner, 0), np.minimum(np.add(corner, figure.shape[1::-1]), SIZE)
        if (high <= low).any():
            continue
        opaque = figure[..., 3] > 127
        inside = opaque[low[1] - corner[1] : high[1] - corner[1], low[0] - corner[0] : high[0] - corner[0]]
        region = hidden[low[1] : high[1], low[0] : high[0]]
        if (inside & ~region).sum() >= _LEAST_VISIBLE * opaque.sum():
            x, y, w, h = cv2.boundingRect(inside.astype(np.uint8))
            boxes.append({"person": person, "box": [int(low[0]) + x, int(low[1]) + y, w, h]})
        region |= inside
    return boxes[::-1]


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Write a made-up film with portraits and truth.")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    write_film(arguments.folder, arguments.seed)
