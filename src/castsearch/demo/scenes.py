"""Places and light: what the frames of one scene have in common."""

from collections.abc import Callable
from dataclasses import dataclass

import cv2
import numpy as np

from castsearch.demo.people import Photograph, read_picture

MARGIN = 1.3
"""How much larger a scene's background is than a frame, so that the camera can move over it."""


@dataclass(frozen=True)
class Scene:
    """A place under one light.

    Attributes:
        background: uint8 (height, width, 3), RGB, `MARGIN` times the frame.
        tone: uint8 (256, 1, 3), the look-up table that gives frames exposure, contrast and colour cast.
        side_light: how much brighter people are on their right side than on their left, −1 to 1.
    """

    background: np.ndarray
    tone: np.ndarray
    side_light: float


def draw_scene(rng: np.random.Generator, frame: tuple[int, int]) -> Scene:
    """Draw a place at random and light it.

    Args:
        rng: makes every choice.
        frame: width and height of a frame, pixels.
    """
    size = (int(MARGIN * frame[0]), int(MARGIN * frame[1]))
    place = _PLACES[rng.integers(len(_PLACES))]
    background = np.clip(place(rng, size), 0, 255).astype(np.uint8)
    background = cv2.GaussianBlur(background, (0, 0), rng.uniform(0.6, 4.0) * frame[1] / 432)
    gamma, gain = rng.uniform(0.8, 1.35), rng.uniform(0.75, 1.12)
    cast = 1 + rng.normal(0, 0.035, 3)
    levels = np.linspace(0, 1, 256)[:, None, None]
    tone = np.clip(255 * gain * cast * levels**gamma, 0, 255).astype(np.uint8)
    return Scene(background, tone, float(rng.uniform(-0.5, 0.5)))


def _colour(rng: np.random.Generator, low: float, high: float, saturation: float = 0.5) -> np.ndarray:
    """A random colour between two brightnesses."""
    hue = np.array([[[rng.integers(180), 255 * saturation * rng.random(), rng.uniform(low, high)]]]).astype(np.uint8)
    return cv2.cvtColor(hue, cv2.COLOR_HSV2RGB)[0, 0].astype(np.float32)


def _gradient(size: tuple[int, int], top: np.ndarray, bottom: np.ndarray) -> np.ndarray:
    weight = np.linspace(0, 1, size[1], dtype=np.float32)[:, None, None]
    return np.broadcast_to(top + (bottom - top) * weight, (size[1], size[0], 3)).copy()


def _clouds(rng: np.random.Generator, size: tuple[int, int], cells: int) -> np.ndarray:
    """Smooth noise, float32 (height, width, 1), about −1 to 1."""
    coarse = rng.uniform(-1, 1, (cells, int(cells * 1.8))).astype(np.float32)
    return cv2.resize(coarse, size, interpolation=cv2.INTER_CUBIC)[..., None]


def _texture(name: str, size: tuple[int, int]) -> np.ndarray:
    """A grey texture that scikit-image brings, fitted to `size`: float32 (height, width, 1) around 1."""
    image = read_picture(Photograph("skimage", f"data/{name}.png", "scikit-image"))[..., :1]
    image = np.concatenate([image, image[:, ::-1]], axis=1)  # mirrored, so that no seam shows
    rows = min(image.shape[1] * size[1] // size[0], image.shape[0])
    return cv2.resize(image[:rows], size)[..., None] / np.float32(image.mean())


def _box(image: np.ndarray, low: tuple[float, float], high: tuple[float, float], colour: np.ndarray) -> None:
    """Fill a rectangle given in shares of the picture's size."""
    scale = np.array(image.shape[1::-1])
    top_left, bottom_right = (np.array([low, high]) * scale).astype(np.int32).tolist()
    cv2.rectangle(image, top_left, bottom_right, colour.tolist(), -1)


def _room(rng: np.random.Generator, size: tuple[int, int]) -> np.ndarray:
    wall = _colour(rng, 110, 225, 0.45)
    image = _gradient(size, wall * 1.06, wall * 0.85)
    floor = rng.uniform(0.74, 0.9)
    _box(image, (0, floor), (1, 1), _colour(rng, 60, 150, 0.6))
    _box(image, (0, floor - 0.02), (1, floor), wall * 0.7)
    x = rng.uniform(0.02, 0.15)
    while x < 0.95:
        kind, width = rng.choice(["window", "picture", "door", "shelf", "lamp", "wall"]), rng.uniform(0.1, 0.22)
        if kind == "window":
            _box(image, (x, 0.1), (x + width, 0.55), wall * 0.6)
            glass = _colour(rng, 190, 250, 0.25)
            for column in (0, 1):
                left = x + 0.008 + column * width / 2
                _box(image, (left, 0.12), (left + width / 2 - 0.012, 0.53), glass)
        elif kind == "picture":
            _box(image, (x, 0.16), (x + 0.7 * width, 0.42), _colour(rng, 40, 120, 0.7))
            _box(image, (x + 0.01, 0.18), (x + 0.7 * width - 0.01, 0.4), _colour(rng, 90, 230, 0.8))
        elif kind == "door":
            _box(image, (x, 0.14), (x + 0.8 * width, floor), _colour(rng, 70, 190, 0.6))
            _box(image, (x + 0.03, 0.2), (x + 0.8 * width - 0.03, 0.45), wall * 0.55)
        elif kind == "shelf":
            _box(image, (x, 0.1), (x + width, floor), _colour(rng, 50, 110, 0.7))
            for row in np.arange(0.14, floor - 0.1, 0.15):
                book = x + 0.01
                while book < x + width - 0.02:
                    step = rng.uniform(0.008, 0.02)
                    _box(
                        image, (book, row + rng.uniform(0, 0.04)), (book + step, row + 0.12), _colour(rng, 50, 220, 0.9)
                    )
                    book += step + 0.003
        elif kind == "lamp":
            y_axis, x_axis = np.mgrid[: size[1], : size[0]].astype(np.float32)
            distance = ((x_axis / size[0] - x) ** 2 * 3 + (y_axis / size[1] - 0.2) ** 2) / 0.05
            image += 70 * np.exp(-distance)[..., None] * np.array([1, 0.9, 0.65], np.float32)
        x += width + rng.uniform(0.02, 0.15)
    return image * (1 + 0.06 * _clouds(rng, size, 5))


def _field(rng: np.random.Generator, size: tuple[int, int]) -> np.ndarray:
    sky = _colour(rng, 190, 250, 0.5)
    image = _gradient(size, sky, np.minimum(sky * 1.2, 250)) * (1 + 0.07 * _clouds(rng, size, 6))
    horizon = int(size[1] * rng.uniform(0.4, 0.7))
    columns = np.arange(size[0])
    for depth in range(3):
        waves = np.interp(columns, np.linspace(0, size[0], 9), rng.uniform(-1, 1, 9))
        ridge = horizon + (0.06 * depth - 0.08 + 0.05 * waves) * size[1]
        hill = np.array([80, 120, 70], np.float32) * rng.uniform(0.6, 1.1) * (0.6 + 0.15 * depth)
        image[np.arange(size[1])[:, None] > ridge] = hill + 20
    grass = _texture("grass", (size[0], size[1] - horizon))
    image[horizon:] = grass * np.array([96, 126, 66], np.float32) * rng.uniform(0.7, 1.2)
    return image


def _street(rng: np.random.Generator, size: tuple[int, int]) -> np.ndarray:
    sky = _colour(rng, 150, 240, 0.3)
    image = _gradient(size, sky, sky * 0.9)
    x = -0.05
    while x < 1:
        width, top, front = rng.uniform(0.12, 0.28), rng.uniform(0.0, 0.3), _colour(rng, 80, 200, 0.4)
        _box(image, (x, top), (x + width, 0.85), front)
        pane = front * rng.choice([0.55, 1.25])
        for row in np.arange(top + 0.05, 0.75, 0.13):
            for column in np.arange(x + 0.02, x + width - 0.03, 0.05):
                _box(image, (column, row), (column + 0.028, row + 0.07), pane)
        x += width
    _box(image, (0, 0.85), (1, 1), _colour(rng, 80, 130, 0.1))
    return image * (1 + 0.05 * _clouds(rng, size, 5))


def _night(rng: np.random.Generator, size: tuple[int, int]) -> np.ndarray:
    image = _gradient(size, _colour(rng, 20, 60, 0.8), _colour(rng, 40, 90, 0.8))
    for _ in range(int(rng.integers(15, 40))):
        centre = (int(rng.uniform(0, size[0])), int(rng.uniform(0, 0.8) * size[1]))
        radius = int(rng.uniform(0.01, 0.05) * size[0])
        light = image.copy()
        cv2.circle(light, centre, radius, _colour(rng, 150, 255, 0.9).tolist(), -1, cv2.LINE_AA)
        image = cv2.addWeighted(light, 0.6, image, 0.4, 0)
    return image


def _masonry(rng: np.random.Generator, size: tuple[int, int]) -> np.ndarray:
    texture = _texture(str(rng.choice(["brick", "gravel"])), size)
    contrast = rng.uniform(0.4, 0.9)
    return _colour(rng, 90, 200, 0.4) * (1 - contrast + contrast * texture) * (1 + 0.2 * _clouds(rng, size, 3))


def _studio(rng: np.random.Generator, size: tuple[int, int]) -> np.ndarray:
    near, far = _colour(rng, 60, 230, 0.7), _colour(rng, 60, 230, 0.7)
    return near + (far - near) * (0.5 + 0.5 * _clouds(rng, size, 4))


_PLACES: tuple[Callable[[np.random.Generator, tuple[int, int]], np.ndarray], ...] = (
    _room, _room, _field, _street, _night, _masonry, _studio,
)  # fmt: skip
