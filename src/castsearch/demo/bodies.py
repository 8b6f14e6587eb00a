"""Drawn bodies: an outfit that a person keeps throughout a movie, and a pose that changes with every appearance.

Lengths are in head heights, from the base of the neck, x to the right and y down, until they are drawn.
"""

from dataclasses import dataclass, replace
from functools import lru_cache

import cv2
import numpy as np

from castsearch.demo.drawing import ellipse, lay_over, mirrored, points, polygon_mask, smooth
from castsearch.demo.people import Colour, Person, skin_colour

CLOTH = (
    (200, 44, 46), (158, 28, 54), (226, 122, 44), (232, 190, 62), (70, 132, 72), (36, 84, 62), (122, 140, 70),
    (64, 148, 156), (92, 156, 214), (46, 88, 172), (30, 44, 88), (118, 78, 156), (214, 138, 160), (122, 82, 54),
    (196, 170, 132), (232, 228, 218), (150, 152, 156), (78, 82, 88), (34, 34, 38),
)  # fmt: skip
"""Colours of tops."""
BOTTOMS = ((52, 72, 112), (34, 40, 58), (40, 40, 42), (96, 98, 104), (140, 116, 84), (88, 66, 50), (192, 180, 156))
"""Colours of trousers and shoes."""
TOPS = ("t-shirt", "shirt", "sweater", "jacket", "coat")
PATTERNS = ("plain", "plain", "stripes", "pinstripes", "checks", "dots", "logo")

_TILE = 192  # pixels of a square of cloth
_TILE_HEAD = 64  # pixels of that square to one head height

_TORSO = points("0.2,-0.1 0.42,0.03 0.84,0.15 1.0,0.42 0.82,0.9 0.7,1.5 0.76,2.1 0.8,2.7")
_COAT = points("0.2,-0.1 0.42,0.03 0.84,0.15 1.0,0.42 0.82,0.9 0.72,1.5 0.78,2.3 0.98,3.9 0.94,4.05")
# Angles of upper arm and forearm from hanging straight down, degrees, outwards positive: hanging three times, hand on
# the hip, folded in front of the chest, hand at the chest, pointing aside, raised.
_ARMS = ((8, 2), (13, 4), (20, -4), (44, -42), (22, -98), (16, -135), (26, 62), (112, 160))


@dataclass(frozen=True)
class Outfit:
    """What a person wears in one movie, and the build it is worn on.

    Attributes:
        top: one of `TOPS`.
        pattern: one of `PATTERNS`.
        colour: main colour of the top.
        accent: second colour of the top: stripes, logo, the shirt below a jacket.
        bottom: colour of the trousers.
        shorts: whether the trousers end at the knee.
        shoes: colour of the shoes.
        width: breadth of the body, 1 is average.
        height: length of the legs, 1 is average.
    """

    top: str
    pattern: str
    colour: Colour
    accent: Colour
    bottom: Colour
    shorts: bool
    shoes: Colour
    width: float
    height: float


def _draw_outfit(rng: np.random.Generator) -> Outfit:
    main, accent = rng.choice(len(CLOTH), 2, replace=False)
    return Outfit(
        top=str(rng.choice(TOPS)),
        pattern=str(rng.choice(PATTERNS)),
        colour=CLOTH[main],
        accent=CLOTH[accent],
        bottom=BOTTOMS[rng.integers(len(BOTTOMS))],
        shorts=bool(rng.random() < 0.2),
        shoes=BOTTOMS[rng.integers(len(BOTTOMS))],
        width=float(rng.uniform(0.88, 1.08)),
        height=float(rng.uniform(0.92, 1.05)),
    )


def _similar(rng: np.random.Generator, outfit: Outfit, other: Outfit) -> Outfit:
    """Give `outfit` the colours of `other`, a little off, as when two people both wear a blue top."""
    near = np.clip(np.array(other.colour) + rng.integers(-18, 19, 3), 0, 255).tolist()
    return replace(outfit, colour=tuple(near), bottom=other.bottom)


def cloth(outfit: Outfit) -> np.ndarray:
    """A square of the top's cloth that continues across its edges.

    Returns:
        uint8 (192, 192, 3), RGB; 64 pixels are one head height.
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
    return np.clip(tile * _light_on_cloth()[..., None], 0, 255).astype(np.uint8)


@lru_cache
def _light_on_cloth() -> np.ndarray:
    """How bright threads and folds are, around 1: (192, 192). It is shared between callers: do not write to it."""
    weave = np.random.default_rng(0).standard_normal((_TILE, _TILE)).astype(np.float32)
    folds = cv2.GaussianBlur(np.tile(weave, (3, 3)), (0, 0), 9, sigmaY=24)[_TILE : 2 * _TILE, _TILE : 2 * _TILE]
    return 1 + 0.025 * weave + 0.1 * folds / folds.std()


@dataclass(frozen=True, eq=False)
class Role:
    """A person in one movie.

    Attributes:
        person: who it is.
        outfit: what the person wears throughout the movie.
        cloth: the top's cloth, as `cloth(outfit)` makes it.
        skin: colour of neck, hands and bare limbs.
    """

    person: Person
    outfit: Outfit
    cloth: np.ndarray
    skin: Colour


def dress(rng: np.random.Generator, people: tuple[Person, ...]) -> dict[Person, Role]:
    """Dress everybody for a movie; three in ten get nearly the colours of one other person in it."""
    roles: dict[Person, Role] = {}
    unmatched: list[Outfit] = []
    for person in people:
        outfit = _draw_outfit(rng)
        if unmatched and rng.random() < 0.3:
            outfit = _similar(rng, outfit, unmatched.pop(rng.integers(len(unmatched))))
        else:
            unmatched.append(outfit)
        roles[person] = Role(person, outfit, cloth(outfit), skin_colour(person))
    return roles


@dataclass(frozen=True)
class Canvas:
    """Where a body is painted, part by part.

    Attributes:
        pixels: the layer that receives it.
        neck: base of the neck, pixels.
        head: a head height, pixels.
        lean: how far the body leans over, degrees.
    """

    pixels: np.ndarray
    neck: tuple[float, float]
    head: float
    lean: float

    def paint(self, polygon: np.ndarray, cloth: np.ndarray | Colour, *, turn: float = 0, relief: float = 0.3) -> None:
        """Fill a polygon with a colour or with cloth, darker towards its edges as if it were round.

        Args:
            polygon: (n, 2), head heights from the base of the neck.
            cloth: one colour, or a square of cloth.
            turn: how far the cloth is turned, degrees.
            relief: darkening at the edge, 0 to 1.
        """
        cosine, sine = np.cos(np.radians(self.lean)), np.sin(np.radians(self.lean))
        polygon = polygon @ np.array([[cosine, sine], [-sine, cosine]]) * self.head + self.neck
        limit = self.pixels.shape[1::-1]
        low = np.clip(np.floor(polygon.min(axis=0)).astype(int) - 1, 0, limit)
        size = tuple((np.clip(np.ceil(polygon.max(axis=0)).astype(int) + 2, 0, limit) - low).tolist())
        if min(size) <= 0:
            return
        mask = polygon_mask(polygon - low, size)
        depth = cv2.distanceTransform((mask > 127).astype(np.uint8), cv2.DIST_L2, 3)
        light = (1 - relief * cv2.exp(depth * (-1 / (0.13 * self.head)))) * (mask * np.float32(1 / 255))
        if isinstance(cloth, tuple):
            shaded = [cv2.convertScaleAbs(light, alpha=value) for value in cloth]
        else:
            zoom = cv2.getRotationMatrix2D((0, 0), -turn, _TILE_HEAD / self.head)
            zoom[:, 2] = zoom[:, :2] @ (low - self.neck)
            flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
            colour = cv2.warpAffine(cloth, zoom, size, flags=flags, borderMode=cv2.BORDER_WRAP)
            shaded = [cv2.multiply(colour, cv2.merge([light] * 3), dtype=cv2.CV_8U)]
        lay_over(self.pixels, cv2.merge([*shaded, mask]), tuple(low.tolist()))


def _limb(start: np.ndarray, end: np.ndarray, radii: tuple[float, float]) -> np.ndarray:
    """Outline of a tapered, round-ended limb."""
    both = np.concatenate(
        [ellipse(end[0], end[1], (radius, radius), 16) for end, radius in zip((start, end), radii, strict=True)]
    )
    return cv2.convexHull(both.astype(np.float32))[:, 0].astype(np.float64)


def _reach(start: np.ndarray, angle: float, length: float) -> np.ndarray:
    """The end of a limb that leaves `start` at `angle` degrees from straight down."""
    return start + length * np.array([np.sin(np.radians(angle)), np.cos(np.radians(angle))])


def draw_body(canvas: Canvas, rng: np.random.Generator, role: Role, *, from_behind: bool) -> None:
    """Draw a standing body below the head in a random pose.

    Args:
        canvas: what to draw on.
        rng: chooses the pose.
        role: whose body, in which clothes.
        from_behind: leave out what only the front shows.
    """
    across = np.array([role.outfit.width * rng.uniform(0.84, 1.0), 1.0])  # a body turned aside is narrower
    _draw_legs(canvas, rng, role, across)
    arms = [_draw_pose(rng, side, across) for side in (-1, 1)]
    hidden = [from_behind and pose.folded for pose in arms]
    for pose in (pose for pose, behind in zip(arms, hidden, strict=True) if behind):
        _draw_arm(canvas, role, pose)
    torso = _COAT if role.outfit.top == "coat" else _TORSO
    canvas.paint(smooth(mirrored(torso) * across), role.cloth)
    _draw_neck(canvas, role, from_behind=from_behind)
    if not from_behind:
        _draw_front(canvas, role.outfit, across)
    for pose in (pose for pose, behind in zip(arms, hidden, strict=True) if not behind):
        _draw_arm(canvas, role, pose)


def _draw_legs(canvas: Canvas, rng: np.random.Generator, role: Role, across: np.ndarray) -> None:
    outfit, stride = role.outfit, rng.uniform(0, 14)
    for side in (-1, 1):
        hip = np.array([side * 0.38, 2.6]) * across
        knee = _reach(hip, side * (2 + stride), 1.8 * outfit.height)
        ankle = _reach(knee, side * (1 - 0.4 * stride), 1.75 * outfit.height)
        heel, toe = ankle + np.array([0, 0.16]), ankle + np.array([0.16 * side, 0.2])
        canvas.paint(_limb(heel, toe, (0.17, 0.15)), outfit.shoes)
        if outfit.shorts:
            canvas.paint(_limb(knee, ankle, (0.2, 0.14)), role.skin)
        else:
            canvas.paint(_limb(knee, ankle, (0.27, 0.19)), outfit.bottom)
        canvas.paint(_limb(hip, knee, (0.42, 0.28)), outfit.bottom)


@dataclass(frozen=True)
class _Pose:
    """Joints of one arm, head heights from the base of the neck, and the direction of its two parts in degrees."""

    shoulder: np.ndarray
    elbow: np.ndarray
    wrist: np.ndarray
    upper: float
    fore: float
    folded: bool


def _draw_pose(rng: np.random.Generator, side: int, across: np.ndarray) -> _Pose:
    upper_usual, fore_usual = _ARMS[rng.integers(len(_ARMS))]
    folded = fore_usual < -90
    upper, fore = side * (upper_usual + rng.normal(0, 5)), side * (fore_usual + rng.normal(0, 7))
    shoulder = np.array([side * 0.78, 0.42]) * across
    elbow = _reach(shoulder, upper, 1.3)
    return _Pose(shoulder, elbow, _reach(elbow, fore, 1.12), upper, fore, folded)


def _draw_arm(canvas: Canvas, role: Role, pose: _Pose) -> None:
    shoulder, elbow, wrist = pose.shoulder, pose.elbow, pose.wrist
    canvas.paint(_limb(wrist, wrist + 0.18 * (wrist - elbow), (0.14, 0.16)), role.skin)
    if role.outfit.top == "t-shirt":
        canvas.paint(_limb(elbow, wrist, (0.18, 0.12)), role.skin)
        canvas.paint(_limb(shoulder, elbow, (0.22, 0.18)), role.skin)
        sleeve = _limb(shoulder, shoulder + 0.5 * (elbow - shoulder), (0.29, 0.26))
    else:
        canvas.paint(_limb(elbow, wrist, (0.23, 0.17)), role.cloth, turn=-pose.fore)
        sleeve = _limb(shoulder, elbow, (0.29, 0.23))
    canvas.paint(sleeve, role.cloth, turn=-pose.upper, relief=0.2)


def _draw_neck(canvas: Canvas, role: Role, *, from_behind: bool) -> None:
    neck = smooth(mirrored(points("0.1,-0.4 0.24,-0.3 0.25,-0.1 0.42,0.1")))
    canvas.paint(neck, _scaled(role.skin, 0.82), relief=0.2)
    drop = 0.12 if from_behind else {"t-shirt": 0.26, "sweater": 0.18}.get(role.outfit.top, 0.34)
    canvas.paint(smooth(mirrored(np.array([(0.4, 0), (0.34, 0.45 * drop), (0.14, drop)]))), role.skin, relief=0.15)


def _draw_front(canvas: Canvas, outfit: Outfit, across: np.ndarray) -> None:
    darker, lighter = _scaled(outfit.colour, 0.72), _scaled(outfit.colour, 1.25)
    if outfit.top in ("jacket", "coat"):
        canvas.paint(mirrored(points("0.3,0 0.34,0.3 0.05,1.7")) * across, outfit.accent, relief=0.1)
        for side in (-1, 1):
            lapel = points("0.3,-0.05 0.5,0.1 0.52,0.5 0.4,0.62 0.04,1.75 0.02,1.5 0.3,0.4") * (side, 1)
            canvas.paint(lapel * across, darker, relief=0.1)
    if outfit.top == "shirt":
        canvas.paint(mirrored(points("0.035,0.3 0.035,2.6")) * across, darker, relief=0)
        for y in np.arange(0.6, 2.6, 0.42):
            canvas.paint(ellipse(0, y, (0.045, 0.045)), lighter, relief=0)
        for side in (-1, 1):
            canvas.paint(points("0.36,-0.12 0.44,0.06 0.22,0.42 0.02,0.3 0.24,0.12") * (side, 1), lighter, relief=0.15)
    if outfit.pattern == "logo" and outfit.top in ("t-shirt", "sweater"):
        canvas.paint(ellipse(0, 1, (0.36, 0.36)) * across, outfit.accent, relief=0)
        star = ellipse(0, 0, (0.27, 0.27), 10) * np.where(np.arange(10) % 2, 0.42, 1)[:, None] + np.array([0, 1])
        canvas.paint(star * across, outfit.colour, relief=0)


def _scaled(colour: Colour, factor: float) -> Colour:
    red, green, blue = (min(int(factor * value), 255) for value in colour)
    return red, green, blue
