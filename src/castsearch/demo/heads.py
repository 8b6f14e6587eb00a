"""Heads ready to be placed: the photographed face, and the same head drawn from behind.

Both lie on one canvas, upright and at one scale, so that whoever places a head need not know which it is.
"""

from functools import lru_cache

import cv2
import numpy as np

from castsearch.demo.people import Person, points, portrait_photograph, skin_colour

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


def smooth(polygon: np.ndarray, rounds: int = 2) -> np.ndarray:
    """Round off a closed polygon by Chaikin's corner cutting.

    Args:
        polygon: (n, 2).
        rounds: how often each corner is cut.

    Returns:
        (n · 2**rounds, 2).
    """
    for _ in range(rounds):
        following = np.roll(polygon, -1, axis=0)
        polygon = np.stack([0.75 * polygon + 0.25 * following, 0.25 * polygon + 0.75 * following], axis=1).reshape(
            -1, 2
        )
    return polygon


def mirrored(half: np.ndarray) -> np.ndarray:
    """Close the right half of an outline, x measured from its axis, with its mirror image."""
    return np.concatenate([half, (half * (-1, 1))[::-1]])


def polygon_mask(polygon: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """Fill a polygon with soft edges.

    Args:
        polygon: (n, 2) float pixels.
        size: width and height of the result.

    Returns:
        float32 (height, width), 0 to 1.
    """
    mask = np.zeros(size[::-1], np.uint8)
    cv2.fillPoly(mask, [np.round(polygon * 16).astype(np.int32)], 255, cv2.LINE_AA, shift=4)
    return mask.astype(np.float32) / 255


def _over(canvas: np.ndarray, colour: np.ndarray, mask: np.ndarray) -> None:
    """Lay `colour` (3 channels) with opacity `mask` onto the premultiplied RGBA canvas."""
    layer = np.dstack([np.broadcast_to(colour, (*mask.shape, 3)), np.full(mask.shape, 255)]).astype(np.float32)
    canvas += (layer - canvas) * mask[..., None]


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
    strands /= strands.std()
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
        uint8 (370, 300, 4), RGBA with colours already multiplied by opacity. Shared between callers: read only.
    """
    matrix = _to_canvas(person)
    outline = smooth(points(person.outline), 1) @ matrix[:, :2].T + matrix[:, 2]
    mask = cv2.GaussianBlur(polygon_mask(outline, SIZE), (0, 0), 1.6)
    mask = np.clip(1.7 * mask - 0.7, 0, 1)  # the soft edge lies inside the outline, away from the old background
    if person.haircut not in ("long", "bob"):  # bare neck melts into the drawn one
        rows = np.arange(SIZE[1], dtype=np.float32)[:, None]
        mask *= np.clip((EYES[1] + 1.4 * UNIT - rows) / (0.3 * UNIT), 0, 1)
    picture = cv2.warpAffine(
        portrait_photograph(person), matrix, SIZE, flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE
    )
    canvas = np.zeros((*SIZE[::-1], 4), np.float32)
    _over(canvas, picture, mask)
    if person.hairline:
        hairline = smooth(points(person.hairline)) @ matrix[:, :2].T + matrix[:, 2]
        _over(canvas, _hair(person), cv2.GaussianBlur(polygon_mask(hairline, SIZE), (0, 0), 2))
    return _frozen(canvas)


@lru_cache
def drawn_back(person: Person) -> np.ndarray:
    """Draw the head from behind: neck, ears and hair, no face.

    Returns:
        uint8 (370, 300, 4), RGBA with colours already multiplied by opacity. Shared between callers: read only.
    """
    axis = np.array([EYES[0], 0])
    canvas = np.zeros((*SIZE[::-1], 4), np.float32)
    skin = np.array(skin_colour(person), np.float32)
    x = np.linspace(-1, 1, SIZE[0], dtype=np.float32)
    shaded = skin * (1 - 1.2 * x**2)[None, :, None] * np.ones((SIZE[1], 1, 1), np.float32)
    skull = mirrored(points("0,50 40,58 64,90 68,150 60,190 44,216 39,250 42,300 0,304"))
    _over(canvas, shaded * 0.9, polygon_mask(smooth(skull) + axis, SIZE))
    for side in (-1, 1):
        ear = np.array([(side * (68 + dx), y) for dx, y in ((-2, 148), (9, 146), (12, 160), (6, 184), (-2, 190))])
        _over(canvas, skin * 0.85, polygon_mask(smooth(ear) + axis, SIZE))
    hair = _hair(person)
    cut = mirrored(points(HAIRCUTS[person.haircut]))
    _over(canvas, hair, cv2.GaussianBlur(polygon_mask(smooth(cut) + axis, SIZE), (0, 0), 1.4))
    if person.haircut == "up":
        bun = np.array([(22 * np.cos(a), 64 + 24 * np.sin(a)) for a in np.linspace(0, 2 * np.pi, 12, endpoint=False)])
        _over(canvas, hair * 0.6, polygon_mask(1.1 * bun + axis - (0, 6), SIZE))
        _over(canvas, np.roll(hair, 30, axis=1) * 1.2, cv2.GaussianBlur(polygon_mask(bun + axis, SIZE), (0, 0), 1.5))
    if person.haircut == "cap":
        crown = mirrored(points("0,64 40,66 80,86 92,110 70,126 0,132"))
        band = mirrored(points("0,112 50,110 84,104 86,140 50,152 0,156"))
        _over(canvas, np.full(3, 232.0) * (1 - 0.3 * x**2)[None, :, None], polygon_mask(smooth(crown) + axis, SIZE))
        _over(canvas, np.full(3, 26.0), polygon_mask(smooth(band) + axis, SIZE))
    return _frozen(canvas)


def _frozen(canvas: np.ndarray) -> np.ndarray:
    image = np.clip(np.rint(canvas), 0, 255).astype(np.uint8)
    image.setflags(write=False)
    return image
