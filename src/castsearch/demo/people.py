"""The ten people whose photographs come with installed packages, and where each head is in its photograph.

The photographs stay in the packages that brought them: nothing is copied into this project. Coordinates are pixels of
the photograph, x to the right and y down; outlines hold the head with its hair and, where it is bare, the neck.
"""

import importlib.util
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import cv2
import numpy as np

from castsearch.errors import InputError

Colour = tuple[int, int, int]
"""Red, green, blue, 0 to 255."""


@dataclass(frozen=True)
class Photograph:
    """A picture file inside an installed package.

    Attributes:
        module: import name of the package; it is looked up, never imported.
        file: path below the package's folder.
        distribution: the name to install it by.
    """

    module: str
    file: str
    distribution: str


@dataclass(frozen=True)
class Person:
    """One real person: a photograph and the geometry of the head in it.

    Attributes:
        id: the person's id in cast lists and labels, in the style of the challenge.
        name: who it is, as far as the package says so.
        photograph: where the picture is.
        eyes: centres of the eye on the left and on the right of the picture.
        chin: lowest point of the chin.
        neck: centre of the neck, below the chin.
        outline: polygon around the head, as the `points` of an SVG polygon.
        hair: colour of the hair.
        haircut: which back of the head is drawn: a key of `head_layers.HAIRCUTS`.
        hairline: polygon of hair drawn where the picture's edge cuts the head; empty when it does not.
    """

    id: str
    name: str
    photograph: Photograph
    eyes: tuple[tuple[int, int], tuple[int, int]]
    chin: tuple[int, int]
    neck: tuple[int, int]
    outline: str
    hair: Colour
    haircut: str
    hairline: str = ""


_GROUP = Photograph("insightface", "data/images/t1.jpg", "insightface")

PEOPLE = (
    Person(
        id="nm9000001",
        name="Eileen Collins",
        photograph=Photograph("skimage", "data/astronaut.png", "scikit-image"),
        eyes=((203, 102), (246, 104)),
        chin=(222, 178),
        neck=(226, 180),
        outline="192,32 203,21 219,18 231,15 245,17 259,22 274,29 288,40 297,56 301,80 297,101 290,118 281,128 "
        "275,134 267,136 264,147 258,158 255,170 252,183 238,188 216,185 197,183 189,179 186,170 186,152 "
        "181,132 175,126 172,119 162,111 155,95 154,69 157,59 168,47 180,40 190,36",
        hair=(140, 112, 66),
        haircut="full",
    ),
    Person(
        id="nm9000002",
        name="Grace Hopper",
        photograph=Photograph("matplotlib", "mpl-data/sample_data/grace_hopper.jpg", "matplotlib"),
        eyes=((224, 192), (305, 189)),
        chin=(269, 333),
        neck=(265, 350),
        outline="175,82 186,60 203,49 219,44 231,32 260,24 288,32 305,44 326,51 343,65 354,88 366,89 369,109 "
        "371,142 366,171 372,185 373,204 369,238 360,254 357,280 344,301 331,298 328,326 308,362 300,372 "
        "222,372 212,342 205,304 199,292 184,285 166,271 163,247 159,223 155,200 159,185 165,176 153,164 "
        "151,142 154,114 159,96 175,86",
        hair=(168, 158, 142),
        haircut="cap",
    ),
    Person(
        id="nm9000003",
        name="Luis Pedro Coelho",
        photograph=Photograph("mahotas", "demos/data/luispedro.jpg", "mahotas"),
        eyes=((68, 173), (143, 161)),
        chin=(100, 326),
        neck=(150, 345),
        outline="36,141 39,113 42,90 48,76 61,55 78,39 104,27 132,23 160,27 188,36 207,43 231,58 253,78 268,101 "
        "275,123 277,156 275,184 270,207 264,231 254,245 244,264 239,283 229,295 225,313 219,339 207,372 "
        "103,372 92,349 83,325 73,306 61,283 52,254 45,221 42,188 38,170",
        hair=(48, 38, 30),
        haircut="short",
    ),
    Person(
        id="nm9000004",
        name="Tom Hanks",
        photograph=Photograph("insightface", "data/images/Tom_Hanks_54745.png", "insightface"),
        eyes=((36, 52), (72, 50)),
        chin=(52, 113),
        neck=(50, 113),
        outline="7,0 7,49 9,63 11,77 17,91 27,104 34,112 66,112 70,104 73,97 78,84 81,73 81,60 81,49 83,41 83,25 "
        "81,11 78,0",
        hair=(44, 36, 32),
        haircut="short",
        hairline="6,48 3,20 8,-6 22,-22 44,-29 66,-24 79,-9 86,10 85,26 81,15 76,6 "
        "67,7 57,3 44,4 32,9 22,7 15,19 11,34",
    ),
    Person(
        id="nm9000005",
        name="group photograph, first from the left",
        photograph=_GROUP,
        eyes=((88, 330), (129, 310)),
        chin=(140, 397),
        neck=(118, 420),
        outline="68,238 59,245 42,260 30,283 24,304 22,327 23,350 26,379 25,412 31,438 46,467 65,467 88,450 96,434 "
        "124,426 129,421 150,409 169,401 179,396 188,387 188,363 183,330 175,308 162,286 145,264 126,245 "
        "108,236 80,234",
        hair=(172, 104, 50),
        haircut="long",
    ),
    Person(
        id="nm9000006",
        name="group photograph, second from the left",
        photograph=_GROUP,
        eyes=((292, 212), (320, 194)),
        chin=(337, 267),
        neck=(362, 278),
        outline="266,155 267,143 275,128 283,119 300,108 322,103 346,104 364,109 378,117 389,128 394,140 393,161 "
        "395,179 403,200 406,218 405,230 403,248 395,272 372,287 342,287 326,275 328,266 318,257 307,245 "
        "301,233 293,221 283,212 279,200 273,185 270,167",
        hair=(24, 24, 28),
        haircut="up",
    ),
    Person(
        id="nm9000007",
        name="group photograph, third from the left",
        photograph=_GROUP,
        eyes=((492, 320), (540, 334)),
        chin=(503, 416),
        neck=(512, 422),
        outline="469,288 467,268 470,260 473,240 482,230 495,224 514,219 534,222 556,223 576,229 588,237 599,250 "
        "606,267 605,294 599,312 591,327 590,332 585,346 577,354 569,359 558,376 546,390 538,400 528,413 "
        "519,426 510,430 501,423 493,415 487,407 481,395 475,376 469,362 466,343 465,327 468,314",
        hair=(32, 27, 23),
        haircut="short",
    ),
    Person(
        id="nm9000008",
        name="group photograph, fourth from the left",
        photograph=_GROUP,
        eyes=((762, 399), (800, 404)),
        chin=(786, 479),
        neck=(816, 474),
        outline="749,368 749,348 752,335 749,327 752,316 763,313 773,305 782,295 804,292 823,293 838,300 851,310 "
        "866,324 874,337 873,351 870,366 869,380 871,390 869,407 859,420 851,423 847,435 845,448 841,460 "
        "840,472 834,489 816,490 799,481 785,479 774,476 768,469 763,457 758,444 753,430 749,416 748,401 "
        "749,385",
        hair=(34, 29, 24),
        haircut="short",
    ),
    Person(
        id="nm9000009",
        name="group photograph, fifth from the left",
        photograph=_GROUP,
        eyes=((917, 118), (950, 115)),
        chin=(957, 205),
        neck=(1022, 205),
        outline="884,50 897,45 914,33 924,23 945,11 972,3 995,3 1016,8 1032,21 1045,37 1053,61 1055,88 1058,115 "
        "1057,128 1050,135 1057,148 1060,169 1057,199 1049,230 1029,232 1009,232 992,216 986,203 975,203 "
        "965,206 953,201 947,195 948,186 939,182 937,176 931,165 932,155 924,153 921,145 923,135 921,118 "
        "910,111 911,98 907,81 907,69 893,61",
        hair=(26, 26, 26),
        haircut="short",
    ),
    Person(
        id="nm9000010",
        name="group photograph, sixth from the left",
        photograph=_GROUP,
        eyes=((1149, 328), (1192, 325)),
        chin=(1177, 401),
        neck=(1178, 415),
        outline="1140,264 1150,255 1159,241 1171,234 1183,233 1198,240 1213,247 1228,253 1239,264 1249,281 "
        "1255,302 1260,320 1264,344 1266,371 1264,398 1260,422 1249,431 1222,431 1210,422 1198,430 "
        "1168,430 1150,419 1144,425 1139,433 1135,429 1130,422 1125,413 1127,395 1126,365 1125,335 "
        "1127,311 1130,290 1134,275",
        hair=(206, 150, 82),
        haircut="bob",
    ),
)


@lru_cache
def read_picture(source: Photograph) -> np.ndarray:
    """Read a picture from the package that brings it.

    Returns:
        uint8 (height, width, 3), RGB. It is shared between callers: do not write to it.

    Raises:
        InputError: the package is not installed, or its file is missing or unreadable.
    """
    package = importlib.util.find_spec(source.module)
    folder = Path(package.submodule_search_locations[0]) if package and package.submodule_search_locations else None
    image = cv2.imread(str(folder / source.file), cv2.IMREAD_COLOR) if folder else None
    if image is None:
        raise InputError(f"{source.module}/{source.file}: cannot be read; is {source.distribution} installed?")
    image = cv2.cvtColor(image, cv2.COLOR_BGR2RGB)
    image.setflags(write=False)
    return image


@lru_cache
def coloured_photograph(person: Person) -> np.ndarray:
    """The photograph that shows the person, in colour.

    A grey photograph is tinted from dark brown to the colour of lit skin, so that its head can stand on a clothed body.

    Returns:
        uint8 (height, width, 3), RGB. It is shared between callers: do not write to it.
    """
    image = read_picture(person.photograph)
    if (image == image[..., :1]).all():
        tones = np.arange(256)[:, None] / 255
        tints = (255 * tones ** np.array([0.7, 1.0, 1.25]) * np.array([1.0, 0.88, 0.76])).astype(np.uint8)
        image = cv2.LUT(image, tints[:, None])
        image.setflags(write=False)
    return image


@lru_cache
def skin_colour(person: Person) -> Colour:
    """The colour of the lit side of the face between the eyes and the chin, for the drawn neck, arms and legs."""
    image = coloured_photograph(person)
    centre = 0.6 * np.mean(person.eyes, axis=0) + 0.4 * np.array(person.chin)
    reach = 0.3 * np.hypot(*(np.array(person.chin) - np.mean(person.eyes, axis=0)))
    mask = np.zeros(image.shape[:2], np.uint8)
    cv2.circle(mask, tuple(int(value) for value in centre), int(reach), 255, -1)
    red, green, blue = np.percentile(image[mask > 0], 65, axis=0).astype(int).tolist()
    return red, green, blue
