"""Stage fuse: the faces and bodies of a gallery become one ranking for each cast member, in every variant."""

import logging
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from importlib import import_module
from itertools import chain

import numpy as np
import pyarrow as pa

from castsearch.data.feature_check import BODIES, FACES, cannot_link_groups, doubt
from castsearch.search.facts import Facts
from castsearch.search.gallery import Gallery
from castsearch.search.methods import METHODS
from castsearch.search.neighbors import l2_normalize
from castsearch.search.ranking_table import ranking_tables, table_metadata
from castsearch.search.search_input import SearchInput
from castsearch.search.search_result import SearchResult
from castsearch.search.similarity import concatenate, face_similarity
from castsearch.search.strangers import show_one_person
from castsearch.search.variant import Variant, body_key, face_key

logger = logging.getLogger(__name__)


def rank_gallery(
    gallery: Gallery,
    reranked: Mapping[str, np.ndarray],
    variants: Sequence[Variant],
    facts: Facts | None = None,
) -> Iterator[pa.Table]:
    """Rank all candidates of a gallery for each of its cast, one variant after the other, since each may be large.

    The log warns of portraits for which nobody is searched, and of those of two names that show one person.

    Args:
        gallery: what is searched.
        reranked: what `rerank_stage.rerank_gallery` yielded, by key.
        variants: the searches to be made.
        facts: what is certain, as `facts.gather_facts` returns it.

    Yields:
        By variant a row per portrait, of `ranking_table.SCHEMA`, in one table or, of many candidates, in several; boxes
        are portraits only for methods that take facts. Candidates that could not be read come last. For whom nobody is
        searched, all candidates are in their own order.
    """
    _warn_of_unsearched(gallery, dict.fromkeys(variant.engine for variant in variants))
    alike = {engine: _two_names(gallery, engine) for engine in gallery.faces}
    for engine, pairs in alike.items():
        for one, other in pairs:
            logger.warning("%s and %s: by %s, these portraits of two names show one person", one, other, engine)
    metadata = table_metadata(gallery.split, _doubts(gallery), chain.from_iterable(alike.values()))
    for variant in variants:
        # Nothing of it is kept here, so that its memory is free while the next is searched.
        for table in _ranked(gallery, reranked, variant, facts):
            yield table.replace_schema_metadata(metadata)


def _warn_of_unsearched(gallery: Gallery, engines: Iterable[str]) -> None:
    """Warn of portraits of people none of whose portraits is searched."""
    for engine in engines:
        known = gallery.person[gallery.faces[engine].searched]
        for name, person in zip(gallery.cast, gallery.person, strict=True):
            if person not in known:
                logger.warning("%s: by %s, this portrait is not clear, so nobody is searched for it", name, engine)


def _ranked(
    gallery: Gallery, reranked: Mapping[str, np.ndarray], variant: Variant, facts: Facts | None
) -> Iterator[pa.Table]:
    """One variant's part of the table, from its search; see `rank_gallery`."""
    own = facts if METHODS[variant.method].shares else None
    # No name is given to what is searched: its similarities are free as soon as the method has done with them.
    found = import_module(METHODS[variant.method].module).search(_searched(gallery, reranked, variant, own))
    return ranking_tables(gallery, variant.key, _for_all_portraits(found, gallery, variant.engine, own), own)


def _two_names(gallery: Gallery, engine: str) -> list[tuple[str, str]]:
    """Pairs of a movie's portraits that look like one person's, who would be found by half under each name."""
    faces = gallery.faces[engine]
    own, num_cast = np.flatnonzero(faces.searched), len(gallery.cast)
    same = show_one_person(faces.feature[own], faces.feature[num_cast:][faces.selected])
    movies, person = gallery.cast_movies[own], gallery.person[own]
    same &= (movies[:, None] == movies) & (person[:, None] < person)
    return [(gallery.cast[own[one]], gallery.cast[own[other]]) for one, other in np.argwhere(same)]


def _doubts(gallery: Gallery) -> list[str]:
    """Why features may be wrong, by engine and network."""
    people = list(zip(gallery.cast_movies.tolist(), gallery.person.tolist(), strict=True))
    frames = [frame if isinstance(frame, str) else frame[0] for frame in gallery.frames]
    group, num_cast = cannot_link_groups(people, frames), len(gallery.cast)
    found = {}
    for engine, faces in gallery.faces.items():
        seen = np.concatenate([faces.searched, faces.selected])
        found[engine] = doubt(np.where(seen[:, None], faces.feature, 0), group, FACES)
    for network, bodies in gallery.bodies.items():
        found[network] = doubt(bodies, group[num_cast:], BODIES)
    return [f"{name}: {words}" for name, words in found.items() if words]


def _searched(
    gallery: Gallery, reranked: Mapping[str, np.ndarray], variant: Variant, facts: Facts | None
) -> SearchInput:
    """What the method ranks from, of the portraits that are searched."""
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
        frontal=faces.frontal,
        person=gallery.person[faces.searched],
        cast_movies=gallery.cast_movies[faces.searched],
        thresholds=variant.thresholds,
        clothes=gallery.clothes if networks else None,
        reranked=variant.face_rerank is not None,
    )
    given = given if facts is None else _with_facts(given, facts)
    people, person = np.unique(given.person, return_inverse=True)  # who is not searched has no number
    certain = None if given.facts is None else given.facts[[*people, -1]]
    return replace(given, person=person, facts=certain)


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
    by_person = dict(zip(gallery.person[searched].tolist(), found.person, strict=False))
    missing = np.array([person not in by_person for person in gallery.person.tolist()])
    unsearched, number = np.unique(gallery.person[missing], return_inverse=True)
    rows = [by_person.get(person, -1) for person in gallery.person.tolist()]
    person = np.array([*rows, *found.person[len(searched) :]], int)  # the last are boxes that are portraits
    person[: len(missing)][missing] = found.person.max(initial=-1) + 1 + number
    if not len(unsearched):
        return found._replace(person=person)
    certain = np.zeros((len(unsearched), len(gallery.candidates)), np.float32)
    if facts is not None:
        certain[:] = facts.certain[unsearched] > 0
    order = np.argsort(-certain, axis=1, kind="stable").astype(np.int32)
    return SearchResult(
        order=np.concatenate([found.order, order]),
        person=person,
        score=None if found.score is None else np.concatenate([found.score, certain]),
        share=None if found.share is None else np.concatenate([found.share, certain]),
    )
