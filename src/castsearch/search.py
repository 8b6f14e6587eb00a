"""The search of one movie: its features gathered, re-ranked, and fused into rankings, for every variant at once."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa

from castsearch import files, fusion
from castsearch.crops import num_cast
from castsearch.variants import Variant

RANKINGS = pa.schema([("variant", pa.string()), ("cast", pa.string()), ("ranking", pa.list_(pa.string()))])

_FACE = "face"  # array name of the re-ranked faces; bodies carry the names of their networks


@dataclass(frozen=True)
class Movie:
    """What the search needs to know of a movie: c cast members and n candidates whose images could be read.

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


def rerank(
    movie: Movie, variants: Sequence[Variant], face: Mapping[str, float], body: Mapping[str, float]
) -> dict[str, np.ndarray]:
    """Compute every re-ranked similarity that the variants need.

    Args:
        movie: the movie.
        variants: the searches to be made.
        face: k1, k2 and lambda_value for faces.
        body: k1, k2 and lambda_value for bodies.

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
    rows = []
    for variant in variants:
        ranking = _rank(movie, reranked, variant, thresholds, reranked_threshold)
        for cast, order in zip(movie.cast, ranking, strict=True):
            found = [movie.candidates[index] for index in order]
            rows.append({"variant": variant.name, "cast": cast, "ranking": found + movie.skipped_candidates})
        everybody = movie.candidates + movie.skipped_candidates
        rows += [{"variant": variant.name, "cast": cast, "ranking": everybody} for cast in movie.skipped_cast]
    return pa.Table.from_pylist(rows, schema=RANKINGS)


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
    body = body_cosine = None
    if variant.networks:
        features = fusion.concatenate([movie.bodies[network] for network in variant.networks])
        body = reranked[variant.bodies] if variant.body_rerank else fusion.body_similarity(features)
        body_cosine = fusion.cosine_similarity(features)
    return fusion.cascade(
        face,
        fusion.cosine_similarity(movie.face[len(movie.cast) :]),
        body,
        body_cosine,
        frames=movie.frames,
        has_face=movie.has_face,
        thresholds=(first, *thresholds[1:]),
    )
