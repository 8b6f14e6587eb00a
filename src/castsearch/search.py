"""The search: features gathered, re-ranked, and fused into rankings, for every variant at once.

It is done in one movie, or in all movies of a split as if they were one.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from castsearch import diffusion, files, fusion, propagation
from castsearch.crops import num_cast
from castsearch.errors import InputError
from castsearch.variants import Variant

# A candidate's id is stored once, since each ranking has them all.
RANKINGS = pa.schema(
    [
        ("variant", pa.string()),
        ("cast", pa.string()),
        ("ranking", pa.list_(pa.dictionary(pa.int32(), pa.string()))),
    ]
)

_FACE = "face"  # array name of the re-ranked faces; bodies carry the names of their networks


@dataclass(frozen=True)
class Movie:
    """What the search needs to know of a movie, or several: c cast members and n candidates, of readable images.

    Attributes:
        cast: c ids.
        candidates: n ids.
        skipped_cast: ids of portraits that could not be read; nobody can be ranked for them.
        skipped_candidates: ids of candidates that could not be read; they are ranked last.
        face: (c + n, d) float32 face features, cast first.
        has_face: (n,) bool, whether the detector found any face.
        frames: n names; candidates of one frame are different people.
        bodies: network → (n, d') float32 body features.
    """

    cast: list[str]
    candidates: list[str]
    skipped_cast: list[str]
    skipped_candidates: list[str]
    face: np.ndarray
    has_face: np.ndarray
    frames: list[str]
    bodies: dict[str, np.ndarray]


def load_movie(crops: str | Path, faces: str | Path, bodies: Mapping[str, str | Path]) -> Movie:
    """Gather a movie from its crop table, face table and, for each network, body features."""
    crop_table, face_table = files.read_table(crops), files.read_table(faces)
    ids, frames = np.array(crop_table["id"].to_pylist(), object), crop_table["frame"].to_pylist()
    usable = ~crop_table["image"].is_null().to_numpy()
    cast = np.arange(len(ids)) < num_cast(crop_table)
    candidates = ~cast & usable
    feature = face_table["feature"].combine_chunks()
    width = feature.type.list_size
    features = np.zeros((len(ids), width), np.float32)
    features[feature.is_valid().to_numpy(zero_copy_only=False)] = feature.flatten().to_numpy().reshape(-1, width)
    return Movie(
        cast=ids[cast & usable].tolist(),
        candidates=ids[candidates].tolist(),
        skipped_cast=ids[cast & ~usable].tolist(),
        skipped_candidates=ids[~cast & ~usable].tolist(),
        face=features[usable],
        has_face=face_table["detected"].to_numpy()[candidates],
        frames=[frame for frame, keep in zip(frames, candidates, strict=True) if keep],
        bodies={network: np.load(path)[candidates[~cast]] for network, path in bodies.items()},
    )


def load_movies(
    crops: Sequence[str | Path],
    faces: Sequence[str | Path],
    networks: Sequence[str],
    bodies: Sequence[str | Path],
) -> Movie:
    """Gather movies that are to be searched as one.

    Args:
        crops: crop table of each movie.
        faces: face table of each movie.
        networks: names.
        bodies: body features of each movie by the first network, then of each by the next, and so on.

    Raises:
        InputError: an id occurs in two movies.
    """
    movies = [
        load_movie(*tables, dict(zip(networks, bodies[number :: len(crops)], strict=True)))
        for number, tables in enumerate(zip(crops, faces, strict=True))
    ]
    first_in: dict[str, str | Path] = {}
    for path, movie in zip(crops, movies, strict=True):
        for name in (*movie.cast, *movie.candidates):
            if name in first_in:
                raise InputError(f"{path}: {name}: {first_in[name]} has this id too, and they are searched as one")
        first_in |= dict.fromkeys((*movie.cast, *movie.candidates), path)
    cast = [movie.face[: len(movie.cast)] for movie in movies]
    candidates = [movie.face[len(movie.cast) :] for movie in movies]
    return Movie(
        **{
            name: _chain(movies, name)
            for name in ("cast", "candidates", "skipped_cast", "skipped_candidates", "frames")
        },
        face=np.concatenate([*cast, *candidates]),
        has_face=np.concatenate([movie.has_face for movie in movies]),
        bodies={network: np.concatenate([movie.bodies[network] for movie in movies]) for network in networks},
    )


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
        "face": (c, n) face similarities, if a variant re-ranks faces; and under `Variant.bodies` (n, n) body
        similarities, for each choice of networks that a variant re-ranks.
    """
    arrays = {}
    if any(variant.face_rerank for variant in variants):
        arrays[_FACE] = fusion.face_similarity(movie.face, len(movie.cast), movie.has_face, reranked=True, **face)
    for variant in variants:
        if variant.body_rerank and variant.bodies not in arrays:
            features = fusion.concatenate([movie.bodies[network] for network in variant.networks])
            arrays[variant.bodies] = fusion.body_similarity(features, reranked=True, **body)
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
        thresholds: see `fusion.cascade`.
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
    if variant.face_rerank:
        face, first = reranked[_FACE], reranked_threshold
    else:
        face, first = fusion.face_similarity(movie.face, len(movie.cast), movie.has_face), thresholds[0]
    seen = {"frames": movie.frames, "has_face": movie.has_face}
    candidate_face = movie.face[len(movie.cast) :]
    features = None
    if variant.networks:
        features = fusion.concatenate([movie.bodies[network] for network in variant.networks])
    if variant.method == "diffusion":
        return diffusion.rank(face, candidate_face, features, **seen)
    body = body_cosine = None
    if features is not None:
        body = reranked[variant.bodies] if variant.body_rerank else fusion.body_similarity(features)
        body_cosine = fusion.cosine_similarity(features)
    face_cosine = fusion.cosine_similarity(candidate_face)
    if variant.method == "propagation":
        return propagation.rank(propagation.link_movie(face, face_cosine, body, **seen), len(movie.cast))
    return fusion.cascade(face, face_cosine, body, body_cosine, thresholds=(first, *thresholds[1:]), **seen)
