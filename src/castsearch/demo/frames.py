"""Compose one frame: people at a place, under its light, as a camera records them, with a box around each.

The choices are assumptions about ordinary film, made before any search was run on the result:

- Lone people are often shown close, groups from afar; a face is 8 to 26 % of the frame's height.
- A figure is out of focus in 30 % of the cases and smeared by motion in 12 %; in 20 % of the frames something stands in
  front. JPEG quality is 45 to 95.
- A box is the silhouette's, a few per cent off. Every fourth also covers what lies outside the frame, and every eighth
  holds head and shoulders alone.
"""

import cv2
import numpy as np

from castsearch.demo import bodies, head_layers
from castsearch.demo.drawing import flat_layer, lay_over
from castsearch.demo.scenes import Scene

# Height of a face in the frame's height for close, medium and long shots, and how often 1, 2, 3, 4 people get each.
_SHOTS = ((0.18, 0.255), (0.12, 0.18), (0.083, 0.125))
_SHOT_SHARES = ((0.35, 0.40, 0.25), (0.15, 0.50, 0.35), (0.0, 0.45, 0.55), (0.0, 0.30, 0.70))
# A face is measured as detectors box it, from above the brows to the chin: 1.25 times the distance from eyes to chin.
_FACE = 1.25 * head_layers.UNIT
_NECK = 1.29 * head_layers.UNIT  # below the eyes, on a head's canvas
_HEAD = 1.68  # in face heights


def compose(
    rng: np.random.Generator, scene: Scene, roles: list[bodies.Role], turned_away: list[bool], size: tuple[int, int]
) -> tuple[np.ndarray, list[list[int]]]:
    """Compose a frame.

    Args:
        rng: makes every choice.
        scene: place and light.
        roles: who is in the frame, 1 to 4 people.
        turned_away: for each, whether seen from behind, without a face.
        size: width and height of the frame, pixels.

    Returns:
        uint8 (height, width, 3), RGB, and for each person a box: x, y, width, height in pixels, not clipped.
    """
    width, height = size
    x, y = (int(rng.integers(have - want + 1)) for have, want in zip(scene.background.shape[1::-1], size, strict=True))
    picture = scene.background[y : y + height, x : x + width].copy()
    count = len(roles)
    shot = _SHOTS[rng.choice(3, p=_SHOT_SHARES[count - 1])]
    faces = height * np.clip(rng.uniform(*shot) * rng.uniform(0.88, 1.12, count), _SHOTS[-1][0], _SHOTS[0][1])
    places = (rng.permutation(count) + 0.5 + rng.normal(0, 0.16, count)) / count
    eyes_x = width * np.clip(places, 0.05, 0.95)
    eyes_y = height * (0.12 + rng.uniform(-0.03, 0.05)) + 1.05 * faces
    boxes: list[list[int]] = [[] for _ in roles]
    for index in np.argsort(faces):  # who is nearer stands in front
        face, eyes = float(faces[index]), (float(eyes_x[index]), float(eyes_y[index]))
        figure, corner = draw_figure(rng, roles[index], face, eyes, size, turned_away=turned_away[index])
        shoulders = eyes[1] + (_NECK / _FACE + 1.2 * _HEAD) * face
        boxes[index] = _box(rng, figure, corner, shoulders, size)
        lay_over(picture, _blurred(rng, light(rng, figure, scene.side_light), face), corner)
    if rng.random() < 0.2:
        lay_over(picture, _obstacle(rng, size))
    picture = cv2.LUT(picture, scene.tone)
    grain = cv2.resize(rng.integers(0, 9, (height // 2, width // 2), dtype=np.uint8), size)
    return cv2.addWeighted(picture, 1, cv2.merge([grain] * 3), 1, -4), boxes


def draw_figure(
    rng: np.random.Generator,
    role: bodies.Role,
    face: float,
    eyes: tuple[float, float],
    size: tuple[int, int],
    *,
    turned_away: bool,
) -> tuple[np.ndarray, tuple[int, int]]:
    """Draw head and body as far as they are near the frame.

    Args:
        rng: makes every choice.
        role: who it is, and in what clothes.
        face: height of the face, pixels.
        eyes: the middle between the eyes in the frame, pixels.
        size: width and height of the frame, pixels.
        turned_away: seen from behind, without a face.

    Returns:
        The layer, cut to what is drawn, and where its corner is in the frame.
    """
    head = _HEAD * face
    neck = np.array([eyes[0], eyes[1] + _NECK / _FACE * face])
    low = np.maximum(neck - np.array([2.8, 2]) * head, np.multiply(size, -0.1)).astype(int)
    high = np.minimum(neck + np.array([2.8, 7]) * head, np.multiply(size, 1.1)).astype(int)
    pixels = np.zeros((*(high - low)[::-1], 4), np.uint8)
    canvas = bodies.Canvas(pixels, tuple((neck - low).tolist()), head, float(rng.normal(0, 2.5)))
    bodies.draw_body(canvas, rng, role, from_behind=turned_away)
    if turned_away:
        _put_head(rng, canvas, head_layers.drawn_back(role.person), head_layers.EYES[0])
    else:
        _put_head(rng, canvas, head_layers.photographed_head(role.person), head_layers.neck_position(role.person))
    x, y, width, height = cv2.boundingRect(pixels[..., 3])
    return pixels[y : y + height, x : x + width], (int(low[0]) + x, int(low[1]) + y)


def _put_head(rng: np.random.Generator, canvas: bodies.Canvas, head: np.ndarray, axis: float) -> None:
    """Lay a head on the neck: sized, tilted, mirrored every other time, seen a little from the side.

    Args:
        rng: chooses the view.
        canvas: the body.
        head: a layer from `head_layers`.
        axis: x of the neck in it.
    """
    tilt, zoom = np.radians(rng.normal(0, 7)), canvas.head / _HEAD / _FACE
    breadth = rng.uniform(0.88, 1.04) * (-1 if rng.random() < 0.5 else 1)
    foreshortening = rng.normal(0, 0.0006)
    to_base = np.array([[1, 0, -axis], [0, 1, -(head_layers.EYES[1] + _NECK)], [0, 0, 1]])
    view = np.array([[breadth, 0, 0], [0, 1, 0], [foreshortening, 0, 1]])
    cosine, sine = zoom * np.cos(tilt), zoom * np.sin(tilt)
    place = np.array([[cosine, -sine, canvas.neck[0]], [sine, cosine, canvas.neck[1]], [0, 0, 1]])
    matrix = place @ view @ to_base
    corners = np.array([[(0, 0), (head_layers.SIZE[0], 0), head_layers.SIZE, (0, head_layers.SIZE[1])]], np.float64)
    landed = cv2.perspectiveTransform(corners, matrix)[0]
    low = np.maximum(np.floor(landed.min(axis=0)), 0).astype(int)
    size = np.minimum(np.ceil(landed.max(axis=0)), canvas.pixels.shape[1::-1]).astype(int) - low
    matrix = np.array([[1, 0, -low[0]], [0, 1, -low[1]], [0, 0, 1]]) @ matrix
    if zoom < 0.6:  # bilinear sampling would skip pixels
        head = cv2.resize(head, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA)
        matrix = matrix @ np.diag([2.0, 2.0, 1.0])
    lay_over(canvas.pixels, cv2.warpPerspective(head, matrix, tuple(size.tolist())), tuple(low.tolist()))


def light(rng: np.random.Generator, figure: np.ndarray, side_light: float) -> np.ndarray:
    """Expose the figure a little differently each time, and light it from the scene's side."""
    across = np.linspace(-1, 1, figure.shape[1], dtype=np.float32)
    light = rng.uniform(0.85, 1.12) * (1 + np.clip(side_light * across, -0.4, 0.25))
    light = np.broadcast_to(light.astype(np.float32), figure.shape[:2])
    return cv2.multiply(figure, cv2.merge([light, light, light, np.ones_like(light)]), dtype=cv2.CV_8U)


def _blurred(rng: np.random.Generator, figure: np.ndarray, face: float) -> np.ndarray:
    """Put some bodies out of focus and smear some along the way they move."""
    kind = rng.random()
    if kind < 0.3:
        return cv2.GaussianBlur(figure, (0, 0), rng.uniform(0.006, 0.026) * face)
    if kind < 0.42:
        length = max(3, int(rng.uniform(0.04, 0.12) * face))
        turn = cv2.getRotationMatrix2D((length // 2, length // 2), rng.uniform(-40, 40), 1)
        line = np.zeros((length, length), np.float32)
        line[length // 2] = 1
        kernel = cv2.warpAffine(line, turn, (length, length))
        return cv2.filter2D(figure, -1, kernel / kernel.sum())
    return figure


def _obstacle(rng: np.random.Generator, size: tuple[int, int]) -> np.ndarray:
    """Something out of focus in front of the people: a table, a post, somebody's shoulder."""
    width, height = size
    mask = np.zeros((height, width), np.uint8)
    kind = rng.choice(["table", "post", "shoulder"])
    if kind == "table":
        cv2.rectangle(mask, (0, int(rng.uniform(0.72, 0.9) * height)), (width, height), 255, -1)
    elif kind == "post":
        x = int(rng.uniform(0, 1) * width)
        cv2.rectangle(mask, (x, 0), (x + int(rng.uniform(0.03, 0.07) * width), height), 255, -1)
    else:
        centre = (int((rng.integers(2) + rng.normal(0, 0.05)) * width), int(rng.uniform(0.9, 1.1) * height))
        cv2.ellipse(mask, centre, (int(0.22 * width), int(rng.uniform(0.3, 0.6) * height)), 0, 0, 360, 255, -1)
    return flat_layer(rng.uniform(20, 90) + rng.uniform(-15, 15, 3), cv2.GaussianBlur(mask, (0, 0), 0.01 * height))


def _box(
    rng: np.random.Generator, figure: np.ndarray, corner: tuple[int, int], shoulders: float, size: tuple[int, int]
) -> list[int]:
    """Box a figure as an annotator would."""
    low, high = np.array(corner), np.add(corner, figure.shape[1::-1])
    if rng.random() < 0.12:
        high[1] = min(high[1], int(shoulders))
    if rng.random() < 0.75:
        low, high = np.maximum(low, 0), np.minimum(high, size)
    slack = 0.025 * (high - low)
    low = np.rint(low + slack * rng.normal(0, 1, 2)).astype(int)
    high = np.rint(high + slack * rng.normal(0, 1, 2)).astype(int)
    return [*low.tolist(), *(high - low).tolist()]
