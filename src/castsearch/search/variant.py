"""One way to search, complete: nothing else decides on the rankings that it gives."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import Any

_FOR_PEOPLE = ("title", "description")


@dataclass(frozen=True)
class Variant:
    """One search.

    Attributes:
        key: stable name that joins tables; unlike the title, it follows from what is searched.
        engine: face engine.
        networks: ReID networks whose features are concatenated; none to search by faces alone.
        method: one of `methods.METHODS`.
        face_rerank: how the face similarities are re-ranked: the "method", one of `rerank.RERANKINGS`, and its
            parameters; None where they are not.
        body_rerank: the same for the body similarities.
        thresholds: of a method that has them, final.
        title: for people.
        description: for people, what this search uses.
    """

    key: str
    engine: str
    networks: tuple[str, ...]
    method: str
    face_rerank: Mapping[str, Any] | None = None
    body_rerank: Mapping[str, Any] | None = None
    thresholds: tuple[float, ...] = ()
    title: str = ""
    description: str = ""


@dataclass(frozen=True)
class RerankedSimilarity:
    """One similarity by re-ranking, which several variants may share.

    Attributes:
        key: the name under which the stage `rerank` stores it.
        engine: the engine whose faces are re-ranked; None where bodies are.
        networks: the networks whose concatenated features of bodies are re-ranked.
        rerank: the "method", one of `rerank.RERANKINGS`, and its parameters.
    """

    key: str
    engine: str | None
    networks: tuple[str, ...]
    rerank: Mapping[str, Any]


def face_key(variant: Variant) -> str:
    """Return the key of the re-ranked similarity of the variant's faces."""
    return f"face+{variant.engine}"


def body_key(variant: Variant) -> str:
    """Return the key of the re-ranked similarity of the variant's bodies."""
    return "+".join(("body", *variant.networks))


def reranked_similarities(variants: Iterable[Variant]) -> list[RerankedSimilarity]:
    """Return what has to be re-ranked for some variants, each similarity once."""
    wanted = {}
    for variant in variants:
        if variant.face_rerank:
            key = face_key(variant)
            wanted[key] = RerankedSimilarity(key, variant.engine, (), variant.face_rerank)
        if variant.body_rerank:
            key = body_key(variant)
            wanted[key] = RerankedSimilarity(key, None, variant.networks, variant.body_rerank)
    return list(wanted.values())


def to_json(values: Iterable[Variant | RerankedSimilarity]) -> str:
    """Return the values as one line of JSON, without titles and descriptions, which decide on no ranking."""
    rows = [{name: value for name, value in asdict(each).items() if name not in _FOR_PEOPLE} for each in values]
    return json.dumps(rows, sort_keys=True)


def variants_from_json(text: str) -> list[Variant]:
    """Read what `to_json` made of variants; titles and descriptions are empty."""
    return [
        Variant(**row | {"networks": tuple(row["networks"]), "thresholds": tuple(row["thresholds"])})
        for row in json.loads(text)
    ]


def similarities_from_json(text: str) -> list[RerankedSimilarity]:
    """Read what `to_json` made of re-ranked similarities."""
    return [RerankedSimilarity(**row | {"networks": tuple(row["networks"])}) for row in json.loads(text)]
