"""What is searched: the readable people of one movie, or of all movies of a split as if they were one."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import pyarrow as pa

from castsearch import files, vectors
from castsearch.data.crops import Crops, read_crops
from castsearch.data.portraits import searched_portraits
from castsearch.errors import InputError
from castsearch.search.search_input import Clothes
from castsearch.search.track_candidates import average

_RECOGNISED = 112  # pixels of a face's side that recognisers look at
# How far the nose is from the middle, in distances of the eyes. On real sets, 8 to 13 % of the faces below the first
# value are no more like their own portrait than a stranger's face is, and most of those near the second.
_FRONT = 0.2
_PROFILE = 1.2


@dataclass(frozen=True)
class FaceFeatures:
    """What one face engine makes of c cast members and n candidates.

    Attributes:
        feature: (c + n, d) float32, cast first.
        detected: (n,) bool, whether the detector found any face in the candidate, even a neighbour's.
        selected: (n,) bool, whether one of them is taken for the candidate's own; otherwise the feature is that of
            the middle of the crop.
        quality: (n,) float32, of that face, for what is averaged; 0 where none is selected.
        frontal: (n,) float32, how far that face looks at the camera, see `frontality`; 0 where none is selected.
        searched: (c,) bool, whether the portrait is searched, see `searched_portraits`.
    """

    feature: np.ndarray
    detected: np.ndarray
    selected: np.ndarray
    quality: np.ndarray
    frontal: np.ndarray
    searched: np.ndarray

    @property
    def num_searched(self) -> int:
        """How many portraits are searched."""
        return int(self.searched.sum())

    @property
    def searched_feature(self) -> np.ndarray:
        """The features of the portraits that are searched, then of the candidates."""
        num_cast = len(self.searched)
        return np.concatenate([self.feature[:num_cast][self.searched], self.feature[num_cast:]])


@dataclass(frozen=True)
class Gallery:
    """The candidates that are searched, and the cast members that they are searched for.

    Attributes:
        split: the split that the movies belong to.
        cast: c ids.
        candidates: n ids, of boxes or of tracks.
        skipped_cast: ids of portraits that could not be read; nobody can be ranked for them.
        skipped_candidates: ids of candidates that could not be read; they are ranked last.
        frames: n names of frames; or of tracks n tuples with the names of moments, see `castsearch.search.moments`.
        faces: by face engine.
        bodies: network → (n, d') float32 body features.
        person: (c,) numbers from 0 on, equal for portraits of one movie that share a label: they show one person.
        cast_movies: (c,) numbers of the portraits' movies.
        boxes: by id of a track the ids of its boxes.
        clothes: of the n candidates, where they are films' tracks.
    """

    split: str
    cast: list[str]
    candidates: list[str]
    skipped_cast: list[str]
    skipped_candidates: list[str]
    frames: Sequence[str | tuple[str, ...]]
    faces: dict[str, FaceFeatures]
    bodies: dict[str, np.ndarray]
    person: np.ndarray
    cast_movies: np.ndarray
    boxes: dict[str, list[str]] = field(default_factory=dict)
    clothes: Clothes | None = None

    @property
    def ranked(self) -> list[list[str]]:
        """The ids of the boxes that each candidate stands for."""
        return [self.boxes.get(name, [name]) for name in self.candidates]


def load_gallery(
    crops: Sequence[str | Path],
    faces: Mapping[str, Sequence[str | Path]],
    bodies: Mapping[str, Sequence[str | Path]],
    on_unclear: str = "skip",
) -> Gallery:
    """Gather the movies that are searched as one.

    Args:
        crops: crop table of each movie, at least one, all of one split.
        faces: by engine the face table of each movie.
        bodies: by network the body features of each movie.
        on_unclear: what happens to people without a clear portrait, see `searched_portraits`.

    Raises:
        InputError: an id occurs in two movies, or a feature is not finite.
    """
    movies = [
        _load_movie(
            read_crops(path),
            {engine: tables[number] for engine, tables in faces.items()},
            {network: arrays[number] for network, arrays in bodies.items()},
            on_unclear,
        )
        for number, path in enumerate(crops)
    ]
    _check_ids(crops, movies)
    shifts = np.cumsum([0, *(movie.person.max(initial=-1) + 1 for movie in movies[:-1])])
    return Gallery(
        split=movies[0].split,
        cast=[name for movie in movies for name in movie.cast],
        candidates=[name for movie in movies for name in movie.candidates],
        skipped_cast=[name for movie in movies for name in movie.skipped_cast],
        skipped_candidates=[name for movie in movies for name in movie.skipped_candidates],
        frames=[name for movie in movies for name in movie.frames],
        faces={engine: _join_faces(movies, engine) for engine in faces},
        bodies={network: np.concatenate([movie.bodies[network] for movie in movies]) for network in bodies},
        person=np.concatenate([movie.person + shift for movie, shift in zip(movies, shifts, strict=True)]),
        cast_movies=np.repeat(np.arange(len(movies)), [len(movie.cast) for movie in movies]),
        boxes={name: boxes for movie in movies for name, boxes in movie.boxes.items()},
        clothes=_join_clothes(movies),
    )


def by_name(names: Sequence[str], paths: Sequence[str | Path]) -> dict[str, Sequence[str | Path]]:
    """Divide a list of files, all of the first name, then as many of the next and so on, by name."""
    number = len(paths) // len(names) if names else 0
    return {name: paths[place * number : (place + 1) * number] for place, name in enumerate(names)}


def _load_movie(
    crops: Crops, faces: Mapping[str, str | Path], bodies: Mapping[str, str | Path], on_unclear: str
) -> Gallery:
    ids, usable = np.array(crops.ids, object), crops.readable
    cast = np.arange(len(ids)) < len(crops.cast)
    candidates = ~cast & usable
    person = _number_people(ids[cast & usable].tolist(), np.array(crops.labels, object)[cast & usable].tolist())
    boxes = Gallery(
        split=crops.split,
        cast=ids[cast & usable].tolist(),
        candidates=ids[candidates].tolist(),
        skipped_cast=ids[cast & ~usable].tolist(),
        skipped_candidates=ids[~cast & ~usable].tolist(),
        frames=[frame for frame, keep in zip(crops.frames, candidates, strict=True) if keep],
        faces={
            engine: _load_faces(path, cast & usable, candidates, person, on_unclear) for engine, path in faces.items()
        },
        bodies={
            network: _finite(path, ids[candidates], np.load(path)[candidates[~cast]])
            for network, path in bodies.items()
        },
        person=person,
        cast_movies=np.zeros(np.count_nonzero(cast & usable), int),
    )
    if not (crops.tracks[candidates] > 0).all() or not candidates.any():
        return boxes
    kept = pa.array(candidates)
    moments = crops.moments.filter(kept).to_pylist()
    colours = crops.clothes.filter(kept).combine_chunks().flatten().to_numpy().reshape(len(moments), -1)
    clothes = Clothes(colours.astype(np.float32), crops.shots[candidates])
    return _by_track(boxes, crops.movie, crops.tracks[candidates], moments, clothes)


def _by_track(
    boxes: Gallery, movie: str, tracks: np.ndarray, moments: Sequence[Sequence[int]], clothes: Clothes
) -> Gallery:
    """Make candidates of the tracks of a film's boxes; the other arguments are of these boxes."""
    numbers, first, group = np.unique(tracks, return_index=True, return_inverse=True)
    names = [f"{movie}.track{number}" for number in numbers]
    members: dict[str, list[str]] = {name: [] for name in names}
    for name, place in zip(boxes.candidates, group, strict=True):
        members[names[place]].append(name)
    alike = np.ones(len(group), np.float32)
    return replace(
        boxes,
        candidates=names,
        frames=[tuple(f"{movie}.{moment}" for moment in moments[row]) for row in first],
        faces={engine: _average_faces(faces, len(boxes.cast), group) for engine, faces in boxes.faces.items()},
        bodies={network: average(features, alike, group) for network, features in boxes.bodies.items()},
        boxes=members,
        clothes=Clothes(average(clothes.colours, alike, group), clothes.shots[first]),
    )


def _average_faces(faces: FaceFeatures, num_cast: int, group: np.ndarray) -> FaceFeatures:
    """The faces of tracks: the mean of those that are seen, by quality."""
    quality, frontal = np.zeros((2, group.max() + 1), np.float32)
    np.maximum.at(quality, group, faces.quality)
    np.maximum.at(frontal, group, faces.frontal)
    return FaceFeatures(
        np.concatenate([faces.feature[:num_cast], average(faces.feature[num_cast:], faces.quality, group)]),
        np.bincount(group, faces.detected) > 0,
        np.bincount(group, faces.selected) > 0,
        quality,
        frontal,
        faces.searched,
    )


def _number_people(cast: Sequence[str], labels: Sequence[str | None]) -> np.ndarray:
    """Number whom portraits show; one without a label is somebody of its own."""
    numbers: dict[tuple[str, bool], int] = {}
    named = [(name, False) if label is None else (label, True) for name, label in zip(cast, labels, strict=True)]
    return np.array([numbers.setdefault(who, len(numbers)) for who in named], int)


def _load_faces(
    path: str | Path, cast: np.ndarray, candidates: np.ndarray, person: np.ndarray, on_unclear: str
) -> FaceFeatures:
    table = files.read_table(path)
    usable = cast | candidates
    own = _finite(path, np.array(table["id"].to_pylist(), object)[usable], vectors.to_rows(table["feature"], 0)[usable])
    num_faces, chosen = (table[name].to_numpy(zero_copy_only=False)[cast] for name in ("num_faces", "selected"))
    searched = searched_portraits(num_faces, chosen, person.tolist(), on_unclear)
    detected, selected = (table[name].to_numpy()[candidates].astype(bool) for name in ("detected", "selected"))
    # Blur and doubt cost what is small most: up to the size that recognisers see, size is quality.
    size, score = (table[name].fill_null(0).to_numpy()[candidates] for name in ("size", "score"))
    quality = selected * np.minimum(size, _RECOGNISED) * np.maximum(score, 0.01)
    frontal = frontality(vectors.to_rows(table["landmarks"])[candidates])
    return FaceFeatures(own, detected, selected, quality, frontal, searched)


def frontality(landmarks: np.ndarray) -> np.ndarray:
    """How far faces look at the camera: 1 for a face from the front, 0 for one in profile.

    As a head turns, the tip of its nose leaves the line from between the eyes to the mouth, and the eyes come together.
    What counts is the ratio of the two lengths, whatever the size of the face and however it is inclined.

    Args:
        landmarks: (n, 10) eyes, nose and corners of the mouth: x and y of each; nan where there is no face, which
            looks nowhere.
    """
    left, right, nose, *corners = np.moveaxis(landmarks.reshape(-1, 5, 2), 1, 0)
    eyes, mouth = (left + right) / 2, (corners[0] + corners[1]) / 2
    across = (mouth - eyes)[:, ::-1] * [-1, 1]
    aside, apart = (np.abs((line * across).sum(axis=1)) for line in (nose - eyes, right - left))
    turned = np.divide(aside, apart, out=np.full(len(apart), np.inf), where=apart > 0)
    return np.clip((_PROFILE - turned) / (_PROFILE - _FRONT), 0, 1).astype(np.float32)


def _finite(path: str | Path, ids: np.ndarray, features: np.ndarray) -> np.ndarray:
    """The features, unless one has a number that is not finite, which would make every ranking useless."""
    wrong = np.flatnonzero(~np.isfinite(features).all(axis=1))
    if len(wrong):
        raise InputError(f"{path}: {ids[wrong[0]]}: its feature has numbers that are not finite")
    return features


def _check_ids(crops: Sequence[str | Path], movies: Sequence[Gallery]) -> None:
    """Refuse an id that two movies have: it would name two people."""
    first_in: dict[str, str | Path] = {}
    for path, movie in zip(crops, movies, strict=True):
        names = (*movie.cast, *movie.candidates, *movie.skipped_cast, *movie.skipped_candidates)
        for name in names:
            if name in first_in:
                raise InputError(f"{path}: {name}: {first_in[name]} has this id too, and they are searched as one")
        first_in |= dict.fromkeys(names, path)


def _join_clothes(movies: Sequence[Gallery]) -> Clothes | None:
    """The clothes of films that are one, whose shots are numbered anew; None where somebody is in no film."""
    clothes = [movie.clothes for movie in movies if movie.clothes is not None]
    if not clothes or any(movie.candidates and movie.clothes is None for movie in movies):
        return None
    shifts = np.cumsum([0, *(own.shots.max() + 1 for own in clothes[:-1])])
    shots = [own.shots + shift for own, shift in zip(clothes, shifts, strict=True)]
    return Clothes(np.concatenate([own.colours for own in clothes]), np.concatenate(shots))


def _join_faces(movies: Sequence[Gallery], engine: str) -> FaceFeatures:
    """The faces of movies that are one: all cast first."""
    faces = [movie.faces[engine] for movie in movies]
    cast = [own.feature[: len(movie.cast)] for own, movie in zip(faces, movies, strict=True)]
    candidates = [own.feature[len(movie.cast) :] for own, movie in zip(faces, movies, strict=True)]
    return FaceFeatures(
        np.concatenate([*cast, *candidates]),
        np.concatenate([own.detected for own in faces]),
        np.concatenate([own.selected for own in faces]),
        np.concatenate([own.quality for own in faces]),
        np.concatenate([own.frontal for own in faces]),
        np.concatenate([own.searched for own in faces]),
    )
