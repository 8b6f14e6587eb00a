"""The searches that one run compares: which networks' bodies, and what is re-ranked."""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Variant:
    """One way to search.

    Attributes:
        networks: ReID networks whose features are concatenated; none for faces alone.
        face_rerank: k-reciprocal re-ranking of the face similarities.
        body_rerank: k-reciprocal re-ranking of the body similarities.
    """

    networks: tuple[str, ...] = ()
    face_rerank: bool = False
    body_rerank: bool = False

    @property
    def name(self) -> str:
        """A short name, fit for a table's first column: `face+body`, `face*+body*[mgn]` (* stands for re-ranked)."""
        face = "face*" if self.face_rerank else "face"
        if not self.networks:
            return face
        return f"{face}+{'body*' if self.body_rerank else 'body'}[{','.join(self.networks)}]"

    @property
    def description(self) -> str:
        """What this search uses, in words."""
        face = "faces, re-ranked" if self.face_rerank else "faces"
        if not self.networks:
            return f"{face} alone"
        return f"{face}; bodies{', re-ranked' if self.body_rerank else ''}, by {' and '.join(self.networks)}"

    @property
    def bodies(self) -> str:
        """The key under which the re-ranked bodies of these networks are stored."""
        return "+".join(("body", *self.networks))


def ablation(networks: Sequence[str]) -> list[Variant]:
    """Return the comparison of one run: faces; with bodies; each re-ranked; each network alone and all together."""
    together = tuple(networks)
    variants = [Variant(), Variant(face_rerank=True)]
    if together:
        variants += [Variant(together, face, body) for face in (False, True) for body in (False, True)]
    if len(together) > 1:
        variants += [Variant((network,)) for network in together]
    return variants
