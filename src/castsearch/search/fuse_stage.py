"""Stage fuse: the faces and bodies of a gallery become one ranking for each cast member, in every variant."""

import json
import logging
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from importlib import import_module
from itertools import chain

import numpy as np
import pyarrow as pa

from castsearch.data.feature_check import BODIES, FACES, doubt, number_companies
from castsearch.search.facts import Facts
from castsearch.search.gallery import Gallery
from castsearch.search.methods import METHODS
from castsearch.search.neighbors import l2_normalize
from castsearch.search.search_input import SearchInput
from castsearch.search.search_result import SearchResult
from castsearch.search.similarity import concatenate, face_similarity
from castsearch.search.variant import Variant, body_key, face_key

_logger = logging.getLogger(__name__)

# A candidate's id is stored once, since each ranking has them all.
SCHEMA = pa.schema(
    [
        ("variant", pa.string()),
        ("cast", pa.string()),
        ("name", pa.string()),
        ("person", pa.int32()),
        ("ranking", pa.list_(pa.dictionary(pa.int32(), pa.string()))),
        ("score", pa.list_(pa.float16())),
        ("share", pa.list_(pa.float16())),
    ]
)
"""Columns of the table of rankings; the split is in the table's metadata, and why its features may be wrong.

`variant` is the variant's key. `cast` is the id of a portrait, and `name` null; or `cast` is a box that is the portrait
of somebody who has none else, and `name` what corrections call that person. `person` is the number of whom the portrait
shows, among those of the variant. `score` and `share` are those of the ranked candidates, see `SearchResult`, in their
order; null where the method has none. They are 0 for what could not be read.
"""


def rank_gallery(
    gallery: Gallery,
    reranked: Mapping[str, np.ndarray],
    variants: Sequence[Variant],
    facts: Facts | None = None,
) -> Iterator[pa.Table]:
    """Rank all candidates of a gallery for each of its cast, one variant after the other, since each may be large.

    Args:
        gallery: what is searched.
        reranked: what `rerank_stage.rerank_gallery` yielded, by key.
        variants: the searches to be made.
        facts: what is certain, as `facts.gather_facts` returns it.

    Yields:
        By variant a row per portrait, of `SCHEMA`; boxes are portraits only for methods that take facts. Candidates
        that could not be read come last. For whom nobody is searched, all candidates are in their own order.
    """
    for engine in dict.fromkeys(variant.engine for variant in variants):
        for name, person in zip(gallery.cast, gallery.person, strict=True):
            if person not in gallery.person[gallery.faces[engine].searched]:
                _logger.warning("%s: by %s, this portrait is not clear, so nobody is searched for it", name, engine)
    metadata = {"split": gallery.split, "doubts": json.dumps(_doubts(gallery))}
    for variant in variants:
        # Nothing of it is kept here, so that its memory is free while the next is searched.
        yield _ranked(gallery, reranked, variant, facts).replace_schema_metadata(metadata)


def _ranked(gallery: Gallery, reranked: Mapping[str, np.ndarray], variant: Variant, facts: Facts | None) -> pa.Table:
    """One variant's part of the table, from its search; see `rank_gallery`."""
    own = facts if METHODS[variant.method].shares else None
    found = _for_all_portraits(_search(gallery, reranked, variant, own), gallery, variant.engine, own)
    return _table(gallery, variant.key, found, own)


def _doubts(gallery: Gallery) -> list[str]:
    """Why features may be wrong, by engine and network."""
    people = list(zip(gallery.cast_movies.tolist(), gallery.person.tolist(), strict=True))
    frames = [frame if isinstance(frame, str) else frame[0] for frame in gallery.frames]
    company, num_cast = number_companies(people, frames), len(gallery.cast)
    found = {}
    for engine, faces in gallery.faces.items():
        seen = np.concatenate([faces.searched, faces.selected])
        found[engine] = doubt(np.where(seen[:, None], faces.feature, 0), company, FACES)
    for network, bodies in gallery.bodies.items():
        found[network] = doubt(bodies, company[num_cast:], BODIES)
    return [f"{name}: {words}" for name, words in found.items() if words]


def _table(gallery: Gallery, key: str, found: SearchResult, facts: Facts | None) -> pa.Table:
    """One variant's part of the table."""
    lengths = [len(own) for own in gallery.ranked]
    ids = pa.array([*chain.from_iterable(gallery.ranked), *gallery.skipped_candidates], pa.string())
    names = facts.names if facts else []
    searched = gallery.cast + [gallery.ranked[row][0] for row in (facts.portraits if facts else ())]
    cast = searched + gallery.skipped_cast
    num_readable = len(ids) - len(gallery.skipped_candidates)
    order = np.empty((len(cast), len(ids)), np.int32)
    order[: len(searched), :num_readable] = _expand(found.order, lengths)
    order[len(searched) :], order[:, num_readable:] = np.arange(len(ids)), np.arange(num_readable, len(ids))
    starts = np.arange(len(cast) + 1, dtype=np.int32) * len(ids)
    # A portrait that cannot be read is nobody's but its own.
    last = found.person.max(initial=-1)
    person = [*found.person.tolist(), *range(last + 1, last + 1 + len(gallery.skipped_cast))]
    unnamed = [None] * len(gallery.cast), [None] * len(gallery.skipped_cast)
    columns = [pa.array([key] * len(cast), pa.string()), cast, [*unnamed[0], *names, *unnamed[1]], person]
    columns.append(pa.ListArray.from_arrays(starts, pa.DictionaryArray.from_arrays(order.ravel(), ids)))
    for values in (found.score, found.share):
        if values is None:
            columns.append(pa.nulls(len(cast), pa.list_(pa.float16())))
            continue
        by_rank = np.zeros(order.shape, np.float16)
        # The same as astype, which takes 20 times as long for numbers that are tiny in half precision.
        half = pa.array(values.astype(np.float32, copy=False).ravel()).cast(pa.float16())
        known = half.to_numpy().reshape(values.shape)
        known = np.repeat(known, lengths, axis=1) if gallery.boxes else known
        for ranked, own, places in zip(by_rank, known, order, strict=False):
            ranked[:num_readable] = own[places[:num_readable]]
        columns.append(pa.ListArray.from_arrays(starts, pa.array(by_rank.ravel())))
    return pa.table(columns, schema=SCHEMA)


def _expand(ranking: np.ndarray, counts: Sequence[int]) -> np.ndarray:
    """Put its boxes in the place of each candidate, in rankings (c, n); boxes count from one candidate to the next."""
    lengths = np.asarray(counts, np.int32)
    if (lengths == 1).all():
        return ranking
    starts = np.cumsum(lengths) - lengths
    expanded = np.empty((len(ranking), lengths.sum()), np.int32)
    for row, places in zip(expanded, ranking, strict=True):
        before = np.cumsum(lengths[places]) - lengths[places]
        row[:] = np.repeat(starts[places] - before, lengths[places]) + np.arange(len(row))
    return expanded


def _search(
    gallery: Gallery, reranked: Mapping[str, np.ndarray], variant: Variant, facts: Facts | None
) -> SearchResult:
    """The answer to the portraits that are searched."""
    method, faces = METHODS[variant.method], gallery.faces[variant.engine]
    features, num_cast = faces.searched_feature, faces.num_searched
    networks = [gallery.bodies[network] for network in variant.networks]
    given = SearchInput(
        face_similarity=(reranked[face_key(variant)] if variant.face_rerank else face_similarity(features, num_cast)),
        cast_face=features[:num_cast],
        face=features[num_cast:],
        body=concatenate(networks) if networks else None,
        body_similarity=reranked[body_key(variant)] if variant.body_rerank else None,
        frames=gallery.frames,
        has_face={"detected": faces.detected, "selected": faces.selected}[method.face_mask],
        person=gallery.person[faces.searched],
        cast_movies=gallery.cast_movies[faces.searched],
        thresholds=variant.thresholds,
    )
    given = given if facts is None else _with_facts(given, facts)
    people, person = np.unique(given.person, return_inverse=True)  # who is not searched has no number
    certain = None if given.facts is None else given.facts[[*people, -1]]
    return import_module(method.module).search(replace(given, person=person, facts=certain))


def _with_facts(given: SearchInput, facts: Facts) -> SearchInput:
    """Add what is certain; boxes that are portraits are compared by cosines, whatever is re-ranked."""
    unit = l2_normalize(given.face)
    return replace(
        given,
        face_similarity=np.concatenate([given.face_similarity, unit[facts.portraits] @ unit.T]),
        cast_face=np.concatenate([given.cast_face, given.face[facts.portraits]]),
        person=np.concatenate([given.person, facts.person]),
        cast_movies=np.concatenate([given.cast_movies, facts.movies]),
        facts=facts.certain,
    )


def _for_all_portraits(found: SearchResult, gallery: Gallery, engine: str, facts: Facts | None) -> SearchResult:
    """The answer to all portraits, of the answer to those that are searched.

    A portrait that is left out has the answer to another one of its person. Where nobody is searched for a person, only
    what is certain of that person is known.
    """
    searched = np.flatnonzero(gallery.faces[engine].searched)
    if len(searched) == len(gallery.cast):
        return found
    by_person = dict(zip(gallery.person[searched].tolist(), range(len(searched)), strict=True))
    answer = np.array([by_person.get(person, -1) for person in gallery.person.tolist()], int)
    answer = np.concatenate([answer, np.arange(len(searched), len(found.order))])  # boxes that are portraits
    missing = np.flatnonzero(answer < 0)
    certain = np.zeros((len(missing), len(gallery.candidates)), np.float32)
    if facts is not None:
        certain[:] = facts.certain[gallery.person[missing]] > 0
    _, number = np.unique(gallery.person[missing], return_inverse=True)

    def filled(values: np.ndarray, missed: np.ndarray) -> np.ndarray:
        whole = np.empty((len(answer), *values.shape[1:]), values.dtype)
        whole[answer >= 0], whole[missing] = values[answer[answer >= 0]], missed
        return whole

    return SearchResult(
        order=filled(found.order, np.argsort(-certain, axis=1, kind="stable")),
        person=filled(found.person, found.person.max(initial=-1) + 1 + number),
        score=None if found.score is None else filled(found.score, certain),
        share=None if found.share is None else filled(found.share, certain),
    )
