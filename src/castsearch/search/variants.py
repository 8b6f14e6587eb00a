"""The searches that one run compares: whose faces, which networks' bodies, what is re-ranked, and the method."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from castsearch.errors import InputError

METHODS = ("cascade", "propagation", "diffusion")


@dataclass(frozen=True)
class Variant:
    """One way to search.

    Attributes:
        engine: face engine.
        networks: ReID networks whose features are concatenated; none for faces alone.
        face_rerank: re-ranking of the face similarities.
        body_rerank: re-ranking of the body similarities; not for the diffusion.
        method: "cascade", "propagation" or "diffusion": see `fusion.cascade`, `propagation.rank`, `diffusion.rank`.
        thresholds: the cascade's, in place of the run's; empty for those.
        title: a name in place of the one that it would have.
    """

    engine: str
    networks: tuple[str, ...] = ()
    face_rerank: bool = False
    body_rerank: bool = False
    method: str = "cascade"
    thresholds: tuple[float, ...] = ()
    title: str = ""

    @property
    def name(self) -> str:
        """A short name, fit for a table's first column: `face+body[mgn]`, `diffusion face*` (* is re-ranked)."""
        if self.title:
            return self.title
        method = "" if self.method == "cascade" else f"{self.method} "
        face = f"{method}{'face*' if self.face_rerank else 'face'}"
        body = f"+{'body*' if self.body_rerank else 'body'}[{','.join(self.networks)}]" if self.networks else ""
        thresholds = f" at {'/'.join(f'{value:g}' for value in self.thresholds)}" if self.thresholds else ""
        return f"{face}{body}{thresholds}"

    @property
    def description(self) -> str:
        """What this search uses, in words."""
        face = "faces, re-ranked" if self.face_rerank else "faces"
        if self.networks:
            what = f"{face}; bodies{', re-ranked' if self.body_rerank else ''}, by {' and '.join(self.networks)}"
        else:
            what = f"{face} alone"
        return what if self.method == "cascade" else f"{what}; by {self.method}"

    @property
    def faces(self) -> str:
        """The key under which the re-ranked faces of this engine are stored."""
        return f"face+{self.engine}"

    @property
    def bodies(self) -> str:
        """The key under which the re-ranked bodies of these networks are stored."""
        return "+".join(("body", *self.networks))


def ablation(engine: str, networks: Sequence[str], *, across: bool = False) -> list[Variant]:
    """Return the comparison of one run: by each method faces, with bodies, each re-ranked, each network alone.

    Args:
        engine: the face engine.
        networks: names of all ReID networks.
        across: for a search of all movies of a split at once, which the diffusion alone has the memory for.
    """
    together = tuple(networks)
    variants = []
    for method in ("diffusion",) if across else METHODS:
        variants += [Variant(engine, (), face, method=method) for face in (False, True)]
        if together:
            bodies = (False,) if method == "diffusion" else (False, True)
            variants += [Variant(engine, together, face, body, method) for face in (False, True) for body in bodies]
        if len(together) > 1 and method != "propagation":
            variants += [Variant(engine, (network,), method=method) for network in together]
    return variants


def listed(entries: Iterable[Mapping], main: Variant, across: bool = False) -> list[Variant]:
    """Return the comparison that a list asks for, after the faces alone and everything that `main` uses.

    Args:
        entries: fields of `Variant`, and optionally its `name`; what an entry leaves out is as in `main`.
        main: the search of the submission.
        across: as in `ablation`.

    Raises:
        InputError: an entry searches with an unknown network, in a way that its method cannot, or under the name of
            another.
    """
    variants = [replace(main, networks=(), face_rerank=False, body_rerank=False), main]
    for number, entry in enumerate(entries):
        variant = _listed(entry, main, f"variants.{number}")
        if across and variant.method != "diffusion":
            raise InputError(f"config: variants.{number}.method: search.scope split needs the memory of diffusion")
        same = next((known for known in variants if known.name == variant.name), None)
        if same is None:
            variants.append(variant)
        elif same != variant:
            raise InputError(f"config: variants.{number}: its name {variant.name!r} is another's; give it a name")
    return list(dict.fromkeys(variants))


def reranked(variants: Iterable[Variant]) -> list[Variant]:
    """Return what re-ranking depends on: a variant for each choice of what is re-ranked, the rest left out."""
    plain = [replace(variant, method="cascade", thresholds=(), title="") for variant in variants]
    return list(dict.fromkeys(variant for variant in plain if variant.face_rerank or variant.body_rerank))


def _listed(entry: Mapping, main: Variant, key: str) -> Variant:
    fields = {"body_rerank": False} if entry.get("method") == "diffusion" else {}
    fields |= {name: value for name, value in entry.items() if name not in {"name", "networks", "thresholds"}}
    fields |= {name: tuple(entry[name]) for name in ("networks", "thresholds") if name in entry}
    variant = replace(main, **fields)
    if unknown := sorted(set(variant.networks) - set(main.networks)):
        raise InputError(f"config: {key}.networks: not in reid.networks: {', '.join(unknown)}")
    if variant.thresholds and variant.method != "cascade":
        raise InputError(f"config: {key}.thresholds: the method {variant.method} has none")
    if variant.body_rerank and variant.method == "diffusion":
        raise InputError(f"config: {key}.body_rerank: the method diffusion links bodies as they are")
    if variant.body_rerank and not variant.networks:
        raise InputError(f"config: {key}.body_rerank: there are no networks whose bodies could be re-ranked")
    if name := entry.get("name"):
        return replace(variant, title=name)
    return variant if variant.engine == main.engine else replace(variant, title=f"{variant.name} by {variant.engine}")
