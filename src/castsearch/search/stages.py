"""The search: features gathered, re-ranked, and fused into rankings, for every variant at once.

It is done in one movie, or in all movies of a split as if they were one.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from castsearch import files
from castsearch.data.crops import num_cast
from castsearch.errors import InputError
from castsearch.search import cascade, diffusion, propagation
from castsearch.search.variants import Variant

# A candidate's id is stored once, since each ranking has them all.
RANKINGS = pa.schema(
    [
        ("variant", pa.string()),
        ("cast", pa.string()),
        ("ranking", pa.list_(pa.dictionary(pa.int32(), pa.string()))),
    ]
)


@dataclass(frozen=True)
class FaceFeatures:
    """What one face engine makes of c cast members and n candidates.

    Attributes:
        feature: (c + n, d) float32, cast first.
        detected: (n,) bool, whether the detector found any face in the candidate, be it a neighbour's.
        selected: (n,) bool, whether one of them is taken for the candidate's own; otherwise the feature is that of
            the middle of the crop.
    """

    feature: np.ndarray
    detected: np.ndarray
    selected: np.ndarray

    def seen(self, method: str) -> np.ndarray:
        """(n,) bool, whose face `method` goes by: for the cascade, as in the seed system, that of all detected ones."""
        return self.detected if method == "cascade" else self.selected


@dataclass(frozen=True)
class Movie:
    """What the search needs to know of a movie, or several: c cast members and n candidates, of readable images.

    Attributes:
        cast: c ids.
        candidates: n ids.
        skipped_cast: ids of portraits that could not be read; nobody can be ranked for them.
        skipped_candidates: ids of candidates that could not be read; they are ranked last.
        frames: n names; candidates of one frame are different people.
        faces: by face engine.
        bodies: network → (n, d') float32 body features.
        cast_movies: c numbers; the cast of one movie are different people.
    """

    cast: list[str]
    candidates: list[str]
    skipped_cast: list[str]
    skipped_candidates: list[str]
    frames: list[str]
    faces: dict[str, FaceFeatures]
    bodies: dict[str, np.ndarray]
    cast_movies: list[int]


def load_movie(crops: str | Path, faces: Mapping[str, str | Path], bodies: Mapping[str, str | Path]) -> Movie:
    """Gather a movie from its crop table, the face table of each engine and the body features of each network.

    Raises:
        InputError: a feature is not finite.
    """
    table = files.read_table(crops)
    ids, frames = np.array(table["id"].to_pylist(), object), table["frame"].to_pylist()
    usable = ~table["image"].is_null().to_numpy()
    cast = np.arange(len(ids)) < num_cast(table)
    candidates = ~cast & usable
    return Movie(
        cast=ids[cast & usable].tolist(),
        candidates=ids[candidates].tolist(),
        skipped_cast=ids[cast & ~usable].tolist(),
        skipped_candidates=ids[~cast & ~usable].tolist(),
        frames=[frame for frame, keep in zip(frames, candidates, strict=True) if keep],
        faces={engine: _load_faces(path, usable, candidates) for engine, path in faces.items()},
        bodies={
            network: _finite(path, ids[candidates], np.load(path)[candidates[~cast]])
            for network, path in bodies.items()
        },
        cast_movies=[0] * int(np.count_nonzero(cast & usable)),
    )


def _finite(path: str | Path, ids: Sequence[str], features: np.ndarray) -> np.ndarray:
    """The features, unless one has a number that is not finite, which would spoil every ranking."""
    wrong = np.flatnonzero(~np.isfinite(features).all(axis=1))
    if len(wrong):
        raise InputError(f"{path}: {ids[wrong[0]]}: its feature has numbers that are not finite")
    return features


def _load_faces(path: str | Path, usable: np.ndarray, candidates: np.ndarray) -> FaceFeatures:
    table = files.read_table(path)
    column = table["feature"].combine_chunks()
    width = column.type.list_size
    features = np.zeros((len(table), width), np.float32)
    features[column.is_valid().to_numpy(zero_copy_only=False)] = column.flatten().to_numpy().reshape(-1, width)
    own = _finite(path, np.array(table["id"].to_pylist(), object)[usable], features[usable])
    return FaceFeatures(own, *(table[name].to_numpy()[candidates].astype(bool) for name in ("detected", "selected")))


def load_movies(
    crops: Sequence[str | Path],
    faces: Mapping[str, Sequence[str | Path]],
    bodies: Mapping[str, Sequence[str | Path]],
) -> Movie:
    """Gather movies that are to be searched as one.

    Args:
        crops: crop table of each movie.
        faces: by engine the face table of each movie.
        bodies: by network the body features of each movie.

    Raises:
        InputError: an id occurs in two movies, or a feature is not finite.
    """
    movies = [
        load_movie(
            path,
            {engine: tables[number] for engine, tables in faces.items()},
            {network: arrays[number] for network, arrays in bodies.items()},
        )
        for number, path in enumerate(crops)
    ]
    first_in: dict[str, str | Path] = {}
    for path, movie in zip(crops, movies, strict=True):
        names = (*movie.cast, *movie.candidates, *movie.skipped_cast, *movie.skipped_candidates)
        for name in names:
            if name in first_in:
                raise InputError(f"{path}: {name}: {first_in[name]} has this id too, and they are searched as one")
        first_in |= dict.fromkeys(names, path)
    return Movie(
        **{
            name: _chain(movies, name)
            for name in ("cast", "candidates", "skipped_cast", "skipped_candidates", "frames")
        },
        faces={engine: _join_faces(movies, engine) for engine in faces},
        bodies={network: np.concatenate([movie.bodies[network] for movie in movies]) for network in bodies},
        cast_movies=[number for number, movie in enumerate(movies) for _ in movie.cast],
    )


def _join_faces(movies: Sequence[Movie], engine: str) -> FaceFeatures:
    """The faces of movies that are one: all cast first."""
    faces = [movie.faces[engine] for movie in movies]
    cast = [own.feature[: len(movie.cast)] for own, movie in zip(faces, movies, strict=True)]
    candidates = [own.feature[len(movie.cast) :] for own, movie in zip(faces, movies, strict=True)]
    return FaceFeatures(
        np.concatenate([*cast, *candidates]),
        np.concatenate([own.detected for own in faces]),
        np.concatenate([own.selected for own in faces]),
    )


def shares(names: Sequence[str], paths: Sequence[str | Path]) -> dict[str, Sequence[str | Path]]:
    """Divide a list of files, all of the first name, then as many of the next and so on, by name."""
    number = len(paths) // len(names) if names else 0
    return {name: paths[place * number : (place + 1) * number] for place, name in enumerate(names)}


def _chain(movies: Sequence[Movie], name: str) -> list[str]:
    return [item for movie in movies for item in getattr(movie, name)]


def rerank(
    movie: Movie, variants: Sequence[Variant], face: Mapping[str, Any], body: Mapping[str, Any]
) -> dict[str, np.ndarray]:
    """Compute every re-ranked similarity that the variants need.

    Args:
        movie: the movie.
        variants: the searches to be made.
        face: how faces are re-ranked: method and parameters of `fusion.face_similarity`.
        body: the same for bodies.

    Returns:
        Under `Variant.faces` (c, n) face similarities, for each engine whose faces a variant re-ranks; and under
        `Variant.bodies` (n, n) body similarities, for each choice of networks that a variant re-ranks.
    """
    arrays = {}
    for variant in variants:
        if variant.face_rerank and variant.faces not in arrays:
            faces = movie.faces[variant.engine]
            arrays[variant.faces] = cascade.face_similarity(
                faces.feature, len(movie.cast), faces.detected, reranked=True, **face
            )
        if variant.body_rerank and variant.bodies not in arrays:
            features = cascade.concatenate([movie.bodies[network] for network in variant.networks])
            arrays[variant.bodies] = cascade.body_similarity(features, reranked=True, **body)
    return arrays


def fuse(
    movie: Movie,
    reranked: Mapping[str, np.ndarray],
    variants: Sequence[Variant],
    thresholds: Sequence[float],
    reranked_threshold: float,
) -> pa.Table:
    """Rank all candidates of a movie for each of its cast, in every variant.

    Args:
        movie: the movie.
        reranked: what `rerank` returned.
        variants: the searches to be made.
        thresholds: see `fusion.cascade`; a variant may have its own, which are taken as they are.
        reranked_threshold: takes the place of the first threshold where faces are re-ranked, since those
            similarities have a scale of their own.

    Returns:
        A row per variant and cast member: `variant`, `cast`, `ranking`. Candidates that could not be read come last.
    """
    ids = pa.array(movie.candidates + movie.skipped_candidates, pa.string())
    cast = movie.cast + movie.skipped_cast
    tables = []
    for variant in variants:
        order = np.tile(np.arange(len(ids), dtype=np.int32), (len(cast), 1))
        order[: len(movie.cast), : len(movie.candidates)] = _rank(
            movie, reranked, variant, thresholds, reranked_threshold
        )
        starts = np.arange(len(cast) + 1, dtype=np.int32) * len(ids)
        ranking = pa.ListArray.from_arrays(starts, pa.DictionaryArray.from_arrays(order.ravel(), ids))
        tables.append(pa.table([pa.array([variant.name] * len(cast), pa.string()), cast, ranking], schema=RANKINGS))
    return pa.concat_tables(tables)


def _rank(
    movie: Movie,
    reranked: Mapping[str, np.ndarray],
    variant: Variant,
    thresholds: Sequence[float],
    reranked_threshold: float,
) -> np.ndarray:
    faces = movie.faces[variant.engine]
    has_face = faces.seen(variant.method)
    if variant.face_rerank:
        face, first = reranked[variant.faces], reranked_threshold
    else:
        face, first = cascade.face_similarity(faces.feature, len(movie.cast), has_face), thresholds[0]
    thresholds = variant.thresholds or (first, *thresholds[1:])
    seen = {"frames": movie.frames, "has_face": has_face}
    candidate_face = faces.feature[len(movie.cast) :]
    features = None
    if variant.networks:
        features = cascade.concatenate([movie.bodies[network] for network in variant.networks])
    if variant.method == "diffusion":
        person = diffusion.people(
            faces.feature[: len(movie.cast)], np.array(movie.cast_movies), candidate_face[has_face]
        )
        return diffusion.rank(face, candidate_face, features, person=person, **seen)
    body = body_cosine = None
    if features is not None:
        body = reranked[variant.bodies] if variant.body_rerank else cascade.body_similarity(features)
        body_cosine = cascade.cosine_similarity(features)
    face_cosine = cascade.cosine_similarity(candidate_face)
    if variant.method == "propagation":
        return propagation.rank(propagation.link_movie(face, face_cosine, body, **seen), len(movie.cast))
    return cascade.cascade(face, face_cosine, body, body_cosine, thresholds=thresholds, **seen)
