"""The searches that one run compares: the method, which networks' bodies, and what is re-ranked."""

from collections.abc import Sequence
from dataclasses import dataclass

METHODS = ("cascade", "propagation", "diffusion")


@dataclass(frozen=True)
class Variant:
    """One way to search.

    Attributes:
        networks: ReID networks whose features are concatenated; none for faces alone.
        face_rerank: re-ranking of the face similarities.
        body_rerank: re-ranking of the body similarities; not for the diffusion.
        method: "cascade", "propagation" or "diffusion": see `fusion.cascade`, `propagation.rank`, `diffusion.rank`.
    """

    networks: tuple[str, ...] = ()
    face_rerank: bool = False
    body_rerank: bool = False
    method: str = "cascade"

    @property
    def name(self) -> str:
        """A short name, fit for a table's first column: `face+body[mgn]`, `diffusion face*` (* is re-ranked)."""
        method = "" if self.method == "cascade" else f"{self.method} "
        face = f"{method}{'face*' if self.face_rerank else 'face'}"
        if not self.networks:
            return face
        return f"{face}+{'body*' if self.body_rerank else 'body'}[{','.join(self.networks)}]"

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
    def bodies(self) -> str:
        """The key under which the re-ranked bodies of these networks are stored."""
        return "+".join(("body", *self.networks))


def ablation(networks: Sequence[str], *, across: bool = False) -> list[Variant]:
    """Return the comparison of one run: by each method faces, with bodies, each re-ranked, each network alone.

    Args:
        networks: names of all ReID networks.
        across: for a search of all movies of a split at once, which the diffusion alone has the memory for.
    """
    together = tuple(networks)
    variants = []
    for method in ("diffusion",) if across else METHODS:
        variants += [Variant((), face, method=method) for face in (False, True)]
        if together:
            bodies = (False,) if method == "diffusion" else (False, True)
            variants += [Variant(together, face, body, method) for face in (False, True) for body in bodies]
        if len(together) > 1 and method != "propagation":
            variants += [Variant((network,), method=method) for network in together]
    return variants
