"""Drawn bodies: an outfit that a person keeps throughout a movie, and a pose that changes with every appearance.

Lengths are in head heights, from the base of the neck, x to the right and y down, until they are drawn.
"""

from dataclasses import dataclass, replace

import cv2
import numpy as np

from castsearch.demo.heads import mirrored, polygon_mask, smooth
from castsearch.demo.people import Colour, points

CLOTH = (
    (200, 44, 46), (158, 28, 54), (226, 122, 44), (232, 190, 62), (70, 132, 72), (36, 84, 62), (122, 140, 70),
    (64, 148, 156), (92, 156, 214), (46, 88, 172), (30, 44, 88), (118, 78, 156), (214, 138, 160), (122, 82, 54),
    (196, 170, 132), (232, 228, 218), (150, 152, 156), (78, 82, 88), (34, 34, 38),
)  # fmt: skip
"""Colours of tops."""
BOTTOMS = ((52, 72, 112), (34, 40, 58), (40, 40, 42), (96, 98, 104), (140, 116, 84), (88, 66, 50), (192, 180, 156))
"""Colours of trousers and skirts."""
TOPS = ("t-shirt", "shirt", "sweater", "jacket", "dress")
PATTERNS = ("plain", "plain", "stripes", "pinstripes", "checks", "dots", "logo")

_TILE = 192  # pixels of a square of cloth
_TILE_HEAD = 64  # pixels of that square to one head height

_TORSO = points("0.2,-0.1 0.42,0.03 0.84,0.15 1.0,0.42 0.82,0.9 0.7,1.5 0.76,2.1 0.8,2.7")
_SKIRT = points("0.68,1.5 0.8,2.3 1.15,4.0 1.1,4.15")
# Angles of upper arm and forearm from hanging straight down, degrees, outwards positive: hanging three times, hand on the
# hip, folded in front of the chest, hand at the chest, pointing aside, raised.
_ARMS = ((8, 2), (13, 4), (20, -4), (44, -42), (22, -98), (16, -135), (26, 62), (112, 160))


@dataclass(frozen=True)
class Outfit:
    """What a person wears in one movie, and the build it is worn on.

    Attributes:
        top: one of `TOPS`; a dress takes the place of trousers.
        pattern: one of `PATTERNS`.
        colour: main colour of the top.
        accent: second colour of the top: stripes, logo, the shirt below a jacket.
        bottom: colour of trousers or skirt.
        skirt: a skirt in place of trousers.
        shoes: colour of the shoes.
        width: breadth of the body, 1 is average.
        height: length of the legs, 1 is average.
    """

    top: str
    pattern: str
    colour: Colour
    accent: Colour
    bottom: Colour
    skirt: bool
    shoes: Colour
    width: float
    height: float


def draw_outfit(rng: np.random.Generator) -> Outfit:
    """Pick an outfit at random."""
    main, accent = rng.choice(len(CLOTH), 2, replace=False)
    return Outfit(
        top=str(rng.choice(TOPS)),
        pattern=str(rng.choice(PATTERNS)),
        colour=CLOTH[main],
        accent=CLOTH[accent],
        bottom=BOTTOMS[rng.integers(len(BOTTOMS))],
        skirt=bool(rng.random() < 0.2),
        shoes=BOTTOMS[rng.integers(len(BOTTOMS))],
        width=float(rng.uniform(0.88, 1.08)),
        height=float(rng.uniform(0.92, 1.05)),
    )


def similar_outfit(rng: np.random.Generator, outfit: Outfit, other: Outfit) -> Outfit:
    """Give `outfit` the colours of `other`, a little off, as when two people both wear a blue top."""
    near = np.clip(np.array(other.colour) + rng.integers(-18, 19, 3), 0, 255).tolist()
    return replace(outfit, colour=tuple(near), bottom=other.bottom)


def cloth(outfit: Outfit) -> np.ndarray:
    """A square of the top's cloth that continues across its edges.

    Returns:
        float32 (192, 192, 3), RGB 0 to 255; 64 pixels are one head height.
    """
    y, x = np.mgrid[:_TILE, :_TILE]
    main, accent = (np.array(colour, np.float32) for colour in (outfit.colour, outfit.accent))
    weight = {
        "stripes": (y % 24 < 9).astype(np.float32),
        "pinstripes": (x % 16 < 3) * 0.8,
        "checks": 0.5 * (x % 32 < 16) + 0.5 * (y % 32 < 16),
        "dots": ((x % 24 - 12) ** 2 + (y % 24 - 12) ** 2 < 26).astype(np.float32),
    }.get(outfit.pattern, np.zeros((_TILE, _TILE)))
    tile = main + (accent - main) * weight[..., None]
    weave = np.random.default_rng(0).standard_normal((_TILE, _TILE)).astype(np.float32)
    folds = cv2.GaussianBlur(np.tile(weave, (3, 3)), (0, 0), 9, sigmaY=24)[_TILE : 2 * _TILE, _TILE : 2 * _TILE]
    return (tile * (1 + 0.025 * weave + 0.1 * folds / folds.std())[..., None]).astype(np.float32)


class Canvas:
    """A premultiplied RGBA picture on which parts of a body are painted in place.

    Attributes:
        pixels: float32 (height, width, 4), 0 to 255.
    """

    def __init__(self, size: tuple[int, int], origin: tuple[float, float], head: float, lean: float):
        """Lay out a canvas.

        Args:
            size: width and height, pixels.
            origin: base of the neck, pixels.
            head: a head height, pixels.
            lean: how far the body leans over, degrees.
        """
        self.pixels = np.zeros((size[1], size[0], 4), np.float32)
        self._head = head
        cosine, sine = np.cos(np.radians(lean)), np.sin(np.radians(lean))
        self._rotation = np.array([[cosine, -sine], [sine, cosine]])
        self._origin = np.array(origin)

    def paint(self, polygon: np.ndarray, cloth: np.ndarray | Colour, *, turn: float = 0, relief: float = 0.3) -> None:
        """Fill a polygon with a colour or with cloth, darker towards its edges as if it were round.

        Args:
            polygon: (n, 2), head heights from the base of the neck.
            cloth: one colour, or a square of cloth.
            turn: how far the cloth is turned, degrees.
            relief: darkening at the edge, 0 to 1.
        """
        polygon = polygon @ self._rotation.T * self._head + self._origin
        height, width = self.pixels.shape[:2]
        low = np.clip(np.floor(polygon.min(axis=0)).astype(int) - 1, 0, (width, height))
        high = np.clip(np.ceil(polygon.max(axis=0)).astype(int) + 2, 0, (width, height))
        size = high - low
        if size.min() <= 0:
            return
        mask = polygon_mask(polygon - low, (int(size[0]), int(size[1])))
        # Padding by one outside row and column keeps a part that the canvas cuts from darkening along the cut.
        inside = np.pad((mask > 0.5).astype(np.uint8), 1, mode="edge")
        depth = cv2.distanceTransform(inside, cv2.DIST_L2, 3)[1:-1, 1:-1]
        shade = 1 - relief * np.exp(-depth / (0.13 * self._head))
        if isinstance(cloth, tuple):
            colour = np.broadcast_to(np.array(cloth, np.float32), (*mask.shape, 3))
        else:
            zoom = cv2.getRotationMatrix2D((0, 0), -turn, _TILE_HEAD / self._head)
            zoom[:, 2] = zoom[:, :2] @ (low - self._origin)
            flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
            colour = cv2.warpAffine(cloth, zoom, tuple(int(v) for v in size), flags=flags, borderMode=cv2.BORDER_WRAP)
        patch = self.pixels[low[1] : high[1], low[0] : high[0]]
        mask = mask[..., None]
        patch *= 1 - mask
        patch[..., :3] += colour * shade[..., None] * mask
        patch[..., 3:] += 255 * mask


def _limb(start: np.ndarray, end: np.ndarray, radii: tuple[float, float]) -> np.ndarray:
    """Outline of a tapered, round-ended limb."""
    angles = np.linspace(0, 2 * np.pi, 16, endpoint=False)
    circle = np.stack([np.cos(angles), np.sin(angles)], axis=1)
    both = np.concatenate([start + radii[0] * circle, end + radii[1] * circle])
    return cv2.convexHull(both.astype(np.float32))[:, 0].astype(np.float64)


def _reach(start: np.ndarray, angle: float, length: float) -> np.ndarray:
    """The end of a limb that leaves `start` at `angle` degrees from straight down."""
    return start + length * np.array([np.sin(np.radians(angle)), np.cos(np.radians(angle))])


def draw_body(
    canvas: Canvas, rng: np.random.Generator, outfit: Outfit, tile: np.ndarray, skin: Colour, *, from_behind: bool
) -> None:
    """Draw a standing body below the neck in a random pose.

    Args:
        canvas: what to draw on.
        rng: chooses the pose.
        outfit: the clothes.
        tile: `cloth(outfit)`.
        skin: colour of neck, hands and bare limbs.
        from_behind: leave out what only the front shows.
    """
    across = np.array([outfit.width * rng.uniform(0.84, 1.0), 1.0])  # a body turned aside is narrower
    _draw_legs(canvas, rng, outfit, skin, across)
    if outfit.top == "dress":
        canvas.paint(smooth(mirrored(_SKIRT) * across), tile)
    elif outfit.skirt:
        canvas.paint(smooth(mirrored(_SKIRT * (1, 0.86) + (0, 0.6)) * across), outfit.bottom)
    arms = [(side, *_ARMS[rng.integers(len(_ARMS))]) for side in (-1, 1)]
    behind = [from_behind and fore < -90 for _, _, fore in arms]
    for arm, hidden in zip(arms, behind, strict=True):
        if hidden:
            _draw_arm(canvas, rng, outfit, tile, skin, across, arm)
    canvas.paint(smooth(mirrored(_TORSO) * across), tile)
    _draw_neck(canvas, outfit, skin, from_behind=from_behind)
    if not from_behind:
        _draw_front(canvas, outfit, across)
    for arm, hidden in zip(arms, behind, strict=True):
        if not hidden:
            _draw_arm(canvas, rng, outfit, tile, skin, across, arm)


def _draw_legs(canvas: Canvas, rng: np.random.Generator, outfit: Outfit, skin: Colour, across: np.ndarray) -> None:
    stride = rng.uniform(0, 14)
    bare = outfit.skirt or outfit.top == "dress"
    for side in (-1, 1):
        hip = np.array([side * 0.38, 2.6]) * across
        knee = _reach(hip, side * 2 + stride * side, 1.8 * outfit.height)
        ankle = _reach(knee, side * 1 - 0.4 * stride * side, 1.75 * outfit.height)
        toe = ankle + (side * 0.16, 0.2)
        canvas.paint(_limb(ankle + (0, 0.16), toe, (0.17, 0.15)), outfit.shoes)
        slim = 0.75 if bare else 1
        colour = skin if bare else outfit.bottom
        canvas.paint(_limb(knee, ankle, (0.27 * slim, 0.19 * slim)), colour)
        canvas.paint(_limb(hip, knee, (0.42 * slim, 0.28 * slim)), colour)


def _draw_arm(
    canvas: Canvas,
    rng: np.random.Generator,
    outfit: Outfit,
    tile: np.ndarray,
    skin: Colour,
    across: np.ndarray,
    arm: tuple[int, float, float],
) -> None:
    side, upper, fore = arm
    upper, fore = side * (upper + rng.normal(0, 5)), side * (fore + rng.normal(0, 7))
    shoulder = np.array([side * 0.78, 0.42]) * across
    elbow = _reach(shoulder, upper, 1.3)
    wrist = _reach(elbow, fore, 1.12)
    hand = wrist + 0.18 * (wrist - elbow)
    canvas.paint(_limb(wrist, hand, (0.14, 0.16)), skin)
    if outfit.top in ("t-shirt", "dress"):
        canvas.paint(_limb(elbow, wrist, (0.18, 0.12)), skin)
        canvas.paint(_limb(shoulder, elbow, (0.22, 0.18)), skin)
        canvas.paint(_limb(shoulder, shoulder + 0.5 * (elbow - shoulder), (0.29, 0.26)), tile, turn=-upper)
    else:
        canvas.paint(_limb(elbow, wrist, (0.23, 0.17)), tile, turn=fore - upper)
        canvas.paint(_limb(shoulder, elbow, (0.29, 0.23)), tile, turn=-upper)


def _draw_neck(canvas: Canvas, outfit: Outfit, skin: Colour, *, from_behind: bool) -> None:
    shadowed = tuple(int(0.82 * value) for value in skin)
    canvas.paint(mirrored(points("0.27,-0.3 0.29,-0.1 0.4,0.08")), shadowed, relief=0.2)
    drop = 0.12 if from_behind else {"t-shirt": 0.26, "dress": 0.42, "sweater": 0.18}.get(outfit.top, 0.34)
    neckline = mirrored(np.array([(0.4, 0.0), (0.34, 0.45 * drop), (0.14, drop)]))
    canvas.paint(smooth(neckline), skin, relief=0.15)


def _draw_front(canvas: Canvas, outfit: Outfit, across: np.ndarray) -> None:
    darker = tuple(int(0.72 * value) for value in outfit.colour)
    lighter = tuple(int(value + 0.25 * (255 - value)) for value in outfit.colour)
    if outfit.top == "jacket":
        canvas.paint(mirrored(points("0.3,0.02 0.34,0.3 0.05,1.7")) * across, outfit.accent, relief=0.1)
        canvas.paint(smooth(mirrored(np.array([(0.3, 0.0), (0.1, 0.34)])), 1), outfit.accent, relief=0)
        for side in (-1, 1):
            lapel = points("0.3,-0.05 0.5,0.1 0.52,0.5 0.4,0.62 0.04,1.75 0.02,1.5 0.3,0.4") * (side, 1) * across
            canvas.paint(lapel, darker, relief=0.1)
    if outfit.top == "shirt":
        canvas.paint(mirrored(points("0.035,0.3 0.035,2.6")) * across, darker, relief=0)
        for y in np.arange(0.6, 2.6, 0.42):
            canvas.paint(_limb(np.array([0, y]), np.array([0, y + 0.01]), (0.045, 0.045)), lighter, relief=0)
        for side in (-1, 1):
            canvas.paint(points("0.36,-0.12 0.44,0.06 0.22,0.42 0.02,0.3 0.24,0.12") * (side, 1), lighter, relief=0.15)
    if outfit.pattern == "logo" and outfit.top in ("t-shirt", "sweater"):
        angles = np.linspace(0, 2 * np.pi, 20, endpoint=False)
        ring = np.stack([np.cos(angles), np.sin(angles)], axis=1)
        canvas.paint((0.36 * ring + (0, 1.0)) * across, outfit.accent, relief=0)
        star = ring[::2] * np.where(np.arange(10) % 2, 0.11, 0.27)[:, None]
        canvas.paint((star + (0, 1.0)) * across, outfit.colour, relief=0)
