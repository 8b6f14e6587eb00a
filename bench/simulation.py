"""Movies as features: what detectors and networks would say of a movie's people, drawn from stated assumptions.

For comparing ways to search at the challenge's sizes, where no data are at hand. `docs/search-methods.md` discusses
the assumptions:

* Sizes and casts: those of the challenge's movies. Half of the boxes show cast members, more or less from movie to
  movie; a few of the cast have most of them. The rest are extras with a few boxes each.
* A scene has a handful of people and a light of its own, which tints all bodies in it. A frame has one to four people.
* A face feature is a person's own direction, turned by the looks of the part in this movie (the portrait lacks them),
  and drowned in noise as its quality falls. Poor faces resemble each other, and so does what stands in for a face where
  none is visible, which tells nothing of the person. Now and then the face in a box is that of another in the frame.
  The length of a face feature tells of its quality, roughly.
* A body feature is a costume, of which a person has a few that change between scenes, some of the person, the scene's
  tint, the view (front, side or back) and noise. Some costumes are uniforms that several people wear. In close-ups
  there is little of a body, so that they are all alike.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from castsearch.search.neighbors import l2_normalize

SIZES = (
    # Cast and candidates of the 19 movies of the challenge's validation split.
    (9, 804), (9, 466), (6, 1080), (9, 966), (8, 967), (8, 885), (9, 818), (8, 342), (7, 923), (8, 758), (4, 396),
    (9, 716), (7, 1345), (7, 682), (7, 1061), (8, 709), (6, 309), (9, 1070), (9, 827),
)  # fmt: skip
TEST_SIZES = (
    # Those of the 58 movies of its test split.
    (10, 792), (8, 440), (5, 568), (10, 1315), (4, 404), (10, 1456), (7, 494), (3, 165), (8, 640), (7, 900), (7, 569),
    (8, 928), (4, 875), (9, 513), (5, 280), (8, 573), (9, 603), (3, 350), (5, 349), (8, 372), (6, 453), (6, 630),
    (8, 437), (6, 642), (6, 604), (6, 418), (4, 353), (10, 534), (4, 404), (4, 296), (6, 442), (8, 592), (9, 673),
    (6, 633), (4, 234), (4, 319), (8, 349), (4, 656), (8, 560), (9, 602), (5, 363), (4, 660), (3, 336), (5, 386),
    (8, 576), (6, 1128), (8, 505), (5, 718), (8, 752), (5, 737), (7, 656), (7, 349), (8, 407), (5, 407), (9, 640),
    (8, 909), (1, 171), (7, 394),
)  # fmt: skip


@dataclass(frozen=True)
class Assumptions:
    """What a simulated movie is like; lengths are relative to a unit vector of identity (faces) or costume (bodies).

    Attributes:
        cast: share of the boxes that show the cast, if others are in the frames; None draws it, half on average.
        company: how many further people are in a frame, on average.
        face_dimension: of face features; the fewer, the more alike are strangers.
        body_dimension: of body features.
        faceless: share of boxes without a visible face.
        wrong_face: share of the boxes with company in their frame whose face is another's there, if they have one.
        part: length of the looks of a part, by which faces in the movie differ from the portrait; the median of people.
        part_spread: how much it differs between people, as the standard deviation of its logarithm.
        face_noise: length of the noise on a face of the worst quality.
        blur: length of what all poor faces have in common.
        uniform: share of costumes that are uniforms.
        person: length of what a body shows of the person in any costume.
        scene: length of a scene's tint of bodies.
        view: length of a view's influence on bodies.
        close_ups: share of the frames that show heads alone.
        close_up: length of what all bodies in close-ups have in common.
        body_noise: length of the noise on a body.
    """

    cast: float | None = None
    company: float = 0.8
    face_dimension: int = 96
    body_dimension: int = 48
    faceless: float = 0.35
    wrong_face: float = 0.03
    part: float = 0.7
    part_spread: float = 1.0
    face_noise: float = 3.0
    blur: float = 1.5
    uniform: float = 0.2
    person: float = 0.4
    scene: float = 0.7
    view: float = 0.8
    close_ups: float = 0.3
    close_up: float = 1.2
    body_noise: float = 1.1


@dataclass(frozen=True)
class SimulatedMovie:
    """A movie of c cast members and n candidates.

    Attributes:
        identity: (n,) int64, who each candidate is; cast members are 0 to c − 1.
        face: (c + n, d) float32 face features, cast first; their length tells of the quality.
        has_face: (n,) bool.
        body: (n, d) float32 body features of unit length.
        frames: n names.
    """

    identity: np.ndarray
    face: np.ndarray
    has_face: np.ndarray
    body: np.ndarray
    frames: list[str]


def movie(
    num_cast: int, n: int, seed: int, assumptions: Assumptions | None = None, actors: np.ndarray | None = None
) -> SimulatedMovie:
    """Draw a movie; equal arguments give equal movies.

    Args:
        num_cast: number of cast members, each with a portrait.
        n: number of candidates.
        seed: another number, another movie.
        assumptions: what the movie is like.
        actors: (num_cast, face_dimension) directions of the cast's faces, as of people who are in other movies, too;
            None draws them.
    """
    given = assumptions or Assumptions()
    rng = np.random.default_rng(seed)
    identity, scene, frame = _cast_scenes(num_cast, n, given, rng)
    face, has_face = _faces(num_cast, identity, frame, given, rng, actors=actors)
    body = _bodies(identity, scene, frame, given, rng, has_face=has_face)
    return SimulatedMovie(identity, face, has_face, body, [f"{number:05d}" for number in frame])


def split(
    sizes: Sequence[tuple[int, int]], seed: int, shared: float, assumptions: Assumptions | None = None
) -> list[tuple[SimulatedMovie, list[int]]]:
    """Draw movies that have some of their cast in common.

    Args:
        sizes: cast and candidates of each movie.
        seed: another number, other movies.
        shared: share of a movie's cast who are in the cast of an earlier movie, too, if so many are known.
        assumptions: what the movies are like.

    Returns:
        Each movie, and a number for each of its cast that tells who is the same person.
    """
    given = assumptions or Assumptions()
    rng = np.random.default_rng(seed)
    actors = _directions(sum(num_cast for num_cast, _ in sizes), given.face_dimension, rng)
    known, movies = 0, []
    for number, (num_cast, n) in enumerate(sizes):
        again = min(known, rng.binomial(num_cast, shared))
        cast = np.concatenate([rng.choice(known, again, replace=False), known + np.arange(num_cast - again)])
        known += num_cast - again
        movies.append((movie(num_cast, n, 1000 * seed + number, given, actors[cast]), cast.tolist()))
    return movies


def _cast_scenes(
    num_cast: int, n: int, given: Assumptions, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Who stands in which scene and frame: (n,) identities, scenes, frames."""
    share = rng.beta(1.8, 1.7) if given.cast is None else given.cast
    fame = rng.dirichlet(np.full(num_cast, 0.9)) + 0.01
    identity, scenes, frames = [], [], []
    extras = num_cast
    scene = frame = 0
    while len(identity) < n:
        present = rng.choice(num_cast, min(num_cast, 1 + rng.poisson(1.2)), replace=False, p=fame / fame.sum())
        others = np.arange(extras, extras + 1 + rng.poisson(2))
        extras += len(others) - (rng.random() < 0.5)  # an extra may be back in the next scene
        for _ in range(1 + rng.poisson(6)):
            people = 1 + min(3, rng.poisson(given.company))
            pool = np.concatenate([present, others])
            odds = np.concatenate(
                [np.full(len(present), share / len(present)), np.full(len(others), (1 - share) / len(others))]
            )
            shown = rng.choice(pool, min(people, len(pool)), replace=False, p=odds / odds.sum())
            identity += shown.tolist()
            scenes += [scene] * len(shown)
            frames += [frame] * len(shown)
            frame += 1
        scene += 1
    chosen = np.sort(rng.permutation(len(identity))[:n])
    identity = np.array(identity)[chosen]
    for person in range(num_cast):  # everybody of the cast is in the movie at least four times
        missing = 4 - np.count_nonzero(identity == person)
        if missing > 0:
            extra = np.flatnonzero(identity >= num_cast)
            spare = extra if len(extra) >= missing else np.flatnonzero(identity == np.bincount(identity).argmax())
            identity[rng.choice(spare, min(missing, len(spare)), replace=False)] = person
    return identity, np.array(scenes)[chosen], np.array(frames)[chosen]


def _directions(count: int, dimension: int, rng: np.random.Generator) -> np.ndarray:
    return rng.standard_normal((count, dimension), np.float32) / np.float32(np.sqrt(dimension))


def _faces(
    num_cast: int,
    identity: np.ndarray,
    frame: np.ndarray,
    given: Assumptions,
    rng: np.random.Generator,
    *,
    actors: np.ndarray | None,
) -> tuple[np.ndarray, np.ndarray]:
    """Face features of cast and candidates, and which candidates have one."""
    n, people = len(identity), identity.max() + 1
    own = _directions(people, given.face_dimension, rng)
    if actors is not None:
        own[:num_cast] = actors
    looks = given.part * np.exp(given.part_spread * rng.standard_normal((people, 1), np.float32))
    part = (own + looks * _directions(people, given.face_dimension, rng)) / np.sqrt(1 + looks**2)
    has_face = rng.random(n) >= given.faceless
    shown = identity.copy()
    for row in np.flatnonzero(rng.random(n) < given.wrong_face):
        others = identity[(frame == frame[row]) & (identity != identity[row])]
        if len(others):
            shown[row] = rng.choice(others)
    quality = np.concatenate([np.full(num_cast, 0.9), rng.beta(2, 1.5, n)])
    clean = np.concatenate([own[:num_cast], part[shown]])
    noise = _directions(len(clean), given.face_dimension, rng) * given.face_noise
    featureless = _directions(1, given.face_dimension, rng)
    noise += given.blur * featureless
    poor = (1 - quality)[:, None].astype(np.float32)
    # Two photographs of the best quality still differ.
    features = clean + poor * noise + 0.4 * _directions(len(clean), given.face_dimension, rng)
    length = 8 + 16 * quality + rng.normal(0, 2, len(quality))
    face = l2_normalize(features) * np.maximum(length, 2)[:, None].astype(np.float32)
    # The middle of a crop without a face.
    crops = featureless + _directions(np.count_nonzero(~has_face), given.face_dimension, rng)
    face[num_cast:][~has_face] = 4 * crops
    return face, has_face


def _bodies(
    identity: np.ndarray,
    scene: np.ndarray,
    frame: np.ndarray,
    given: Assumptions,
    rng: np.random.Generator,
    *,
    has_face: np.ndarray,
) -> np.ndarray:
    """Body features of the candidates."""
    people, scenes, d = identity.max() + 1, scene.max() + 1, given.body_dimension
    own = _directions(people, d, rng)
    count = 1 + np.minimum(4, rng.poisson(1.5, people))
    uniforms = _directions(4, d, rng)
    costumes = {}
    features = np.empty((len(identity), d), np.float32)
    wear = rng.random((people, scenes))
    tint = _directions(scenes, d, rng)
    views = _directions(3, d, rng)
    # A back has no face.
    view = np.where(has_face, rng.choice(2, len(identity), p=[0.7, 0.3]), 2 - (rng.random(len(identity)) < 0.3))
    for row, (person, place) in enumerate(zip(identity, scene, strict=True)):
        costume = int(wear[person, place] * count[person])
        if (person, costume) not in costumes:
            uniform = rng.random() < given.uniform
            costumes[person, costume] = uniforms[rng.integers(4)] if uniform else _directions(1, d, rng)[0]
        features[row] = costumes[person, costume]
    features += given.person * own[identity] + given.scene * tint[scene] + given.view * views[view]
    close = rng.random(frame.max() + 1) < given.close_ups
    features += given.close_up * close[frame, None] * _directions(1, d, rng)
    return l2_normalize(features + given.body_noise * _directions(len(features), d, rng))
