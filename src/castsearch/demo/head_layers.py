"""Heads ready to be placed: the photographed face, and the same head drawn from behind.

Both lie on one canvas, upright and at one scale, so that the code that places a head need not know which it is.
"""

from functools import lru_cache

import cv2
import numpy as np

from castsearch.demo.drawing import ellipse, lay_over, layer, mirrored, points, polygon_mask, smooth
from castsearch.demo.people import Person, coloured_photograph, skin_colour

SIZE = (300, 370)
"""Width and height of the canvas, pixels."""
EYES = (150.0, 165.0)
"""Where the middle between the eyes lies on the canvas."""
UNIT = 84.0
"""Distance from the eyes to the chin on the canvas, pixels."""

# Right half of each haircut seen from behind, from the crown down; mirrored to give the whole outline.
HAIRCUTS = {
    "short": "0,46 34,50 60,74 71,108 72,150 64,176 56,196 46,216 26,226 0,229",
    "full": "0,36 44,42 76,72 88,112 87,158 74,196 54,214 28,222 0,224",
    "up": "0,44 36,50 60,76 70,110 70,150 60,182 42,206 20,220 0,224",
    "bob": "0,42 38,47 66,76 78,116 84,170 90,230 90,272 60,284 30,281 0,284",
    "long": "0,42 38,47 66,76 78,116 84,170 90,236 92,300 74,334 40,344 0,347",
    "cap": "0,120 40,120 68,130 70,156 64,190 52,214 28,226 0,228",
}


def _to_canvas(person: Person) -> np.ndarray:
    """Similarity transform (2, 3) from the photograph to the canvas: the eyes level, eyes to chin `UNIT` long."""
    left, right = np.array(person.eyes, dtype=float)
    middle = (left + right) / 2
    scale = UNIT / np.hypot(*(np.array(person.chin) - middle))
    roll = np.degrees(np.arctan2(*(right - left)[::-1]))
    matrix = cv2.getRotationMatrix2D(middle, roll, scale)
    matrix[:, 2] += EYES - middle
    return matrix


def neck_position(person: Person) -> float:
    """Where the neck's axis is on the canvas, x in pixels: beside the chin when the face is turned."""
    x, _ = _to_canvas(person) @ (*person.neck, 1)
    return float(x)


def _hair(person: Person) -> np.ndarray:
    """Strands of hair in the person's colour: noise drawn out along lines that part at the crown."""
    rng = np.random.default_rng(int(person.id[2:]))
    width, height = SIZE
    strands = cv2.GaussianBlur(rng.standard_normal((height, 4 * width)).astype(np.float32), (0, 0), 0.9, sigmaY=40)
    strands = strands / strands.std()
    y, x = np.mgrid[:height, :width].astype(np.float32)
    spread = np.sqrt(np.clip((y - 34) / 150, 0.02, 1))
    bend = cv2.remap(strands, 2 * width + (x - EYES[0]) / spread * 1.6, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_WRAP)
    roundness = 1.12 - 0.45 * ((x - EYES[0]) / 95) ** 2 - 0.25 * ((y - 110) / 150) ** 2
    sheen = 0.22 * np.exp(-(((y - 88) / 22) ** 2))
    light = np.clip(roundness + sheen + 0.13 * bend, 0.25, 1.6)
    return np.clip(np.array(person.hair, np.float32) * light[..., None] + 4 * bend[..., None], 0, 255)


@lru_cache
def photographed_head(person: Person) -> np.ndarray:
    """Cut the head out of its photograph.

    Returns:
        A layer of `SIZE`. It is shared between callers: do not write to it.
    """
    matrix = _to_canvas(person)
    mask = cv2.GaussianBlur(polygon_mask(_moved(smooth(points(person.outline), 1), matrix), SIZE), (0, 0), 1.6)
    opacity = np.clip(1.7 * mask.astype(np.float32) - 178, 0, 255)  # softened inwards, away from the old background
    if person.haircut not in ("long", "bob"):  # bare neck melts into the drawn one
        rows = np.arange(SIZE[1], dtype=np.float32)[:, None]
        opacity *= np.clip((EYES[1] + 1.4 * UNIT - rows) / (0.3 * UNIT), 0, 1)
    picture = cv2.warpAffine(
        coloured_photograph(person), matrix, SIZE, flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE
    )
    head = layer(picture, opacity)
    if person.hairline:
        mask = polygon_mask(_moved(smooth(points(person.hairline)), matrix), SIZE)
        lay_over(head, layer(_hair(person), cv2.GaussianBlur(mask, (0, 0), 2)))
    head.setflags(write=False)
    return head


def _moved(polygon: np.ndarray, matrix: np.ndarray) -> np.ndarray:
    return polygon @ matrix[:, :2].T + matrix[:, 2]


@lru_cache
def drawn_back(person: Person) -> np.ndarray:
    """Draw the head from behind: neck, ears and hair, no face.

    Returns:
        A layer of `SIZE`. It is shared between callers: do not write to it.
    """
    head = np.zeros((*SIZE[::-1], 4), np.uint8)
    skin = np.array(skin_colour(person), np.float32)
    round_light = 1 - 0.3 * np.linspace(-2, 2, SIZE[0], dtype=np.float32)[None, :, None] ** 2

    def fill(polygon: np.ndarray, colour: np.ndarray, softness: float = 0) -> None:
        mask = polygon_mask(smooth(polygon) + np.array([EYES[0], 0]), SIZE)
        lay_over(head, layer(colour, cv2.GaussianBlur(mask, (0, 0), softness) if softness else mask))

    fill(mirrored(points("0,66 40,70 62,92 68,150 60,190 44,216 38,244 40,290 0,300")), 0.88 * skin * round_light)
    for side in (-1, 1):
        fill(points("66,148 77,146 80,160 74,184 66,190") * (side, 1), 0.85 * skin)
    hair = _hair(person)
    fill(mirrored(points(HAIRCUTS[person.haircut])), hair, 1.4)
    if person.haircut == "up":
        fill(ellipse(0, 58, (25, 27)), 0.6 * hair)
        fill(ellipse(0, 60, (23, 24)), 1.2 * np.roll(hair, 30, axis=1), 1.5)
    if person.haircut == "cap":
        fill(mirrored(points("0,58 44,60 82,80 96,106 74,128 0,132")), 228 * round_light)
        fill(mirrored(points("0,110 50,108 84,104 86,140 50,152 0,156")), 40 * round_light)
    head.setflags(write=False)
    return head
