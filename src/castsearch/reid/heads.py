"""What stands on a backbone: pooling, embeddings and classifiers, for the two kinds of ReID network."""

from typing import Literal, TypedDict, Unpack, cast

import torch
from torch import Tensor, nn

Kind = Literal["triplet", "mgn"]
Pooling = Literal["average", "gem"]
Neck = Literal["seed", "bnneck"]

# For each part of a network: the embedding that triplets are made of, (n, d), and the logits, (n, classes).
Parts = list[tuple[Tensor, Tensor]]


class Description(TypedDict):
    """What a network is, apart from its kind and its weights: the arguments of `ReidNetwork`."""

    backbone_name: str
    input_size: tuple[int, int]
    pooling: Pooling
    neck: Neck


class Average(nn.Module):
    """Mean over the positions of a map, (n, d, h, w) → (n, d), in at least float32."""

    def forward(self, maps: Tensor) -> Tensor:
        """Pool `maps`."""
        return maps.mean(dim=(2, 3), dtype=torch.promote_types(maps.dtype, torch.float32))


class GeM(nn.Module):
    """Generalised mean over the positions of a map, (n, d, h, w) → (n, d), in at least float32: (mean of x^p)^(1/p).

    Radenović et al., "Fine-tuning CNN Image Retrieval with No Human Annotation", 2018. The average has p = 1 and the
    maximum p → ∞. Here p is learnt, starting from 3.
    """

    def __init__(self) -> None:
        super().__init__()
        self.p = nn.Parameter(torch.full((1,), 3.0))

    def forward(self, maps: Tensor) -> Tensor:
        """Pool `maps`; values that are not positive count as nearly 0."""
        maps = maps.to(torch.promote_types(maps.dtype, torch.float32)).clamp(min=1e-6)
        return maps.pow(self.p).mean(dim=(2, 3)).pow(1 / self.p)


_POOLINGS: dict[Pooling, type[Average | GeM]] = {"average": Average, "gem": GeM}


class ReidNetwork(nn.Module):
    """What both kinds have in common.

    In training mode a call returns `Parts`. In evaluation mode it returns the embeddings alone, which describe a
    person: (n, d) for `triplet`, (n, 4, d) for `mgn`.

    A pooled map becomes an embedding through a batch norm, and a linear classifier stands on the embedding. With the
    neck "seed", which is the reference system's, triplets are made of the embedding. With "bnneck" they are made of
    what enters the batch norm, because distances and angles ask for different spaces, and norm and classifier have no
    biases (Luo et al., "Bag of Tricks and A Strong Baseline for Deep Person Re-identification", 2019).

    Args:
        backbone_name: see `networks.build`.
        input_size: height and width of the images that the network is trained on.
        pooling: "average" or "gem".
        neck: "seed" or "bnneck".

    Attributes:
        kind: "triplet" or "mgn".
        feature_size: length of all embeddings of an image together.
    """

    kind: Kind
    feature_size: int

    def __init__(self, backbone_name: str, input_size: tuple[int, int], pooling: Pooling, neck: Neck) -> None:
        super().__init__()
        self.backbone_name, self.input_size, self.pooling, self.neck = backbone_name, input_size, pooling, neck

    def _pool(self) -> nn.Module:
        return _POOLINGS[self.pooling]()

    def _norm(self, width: int) -> nn.BatchNorm1d:
        return nn.BatchNorm1d(width, bias=self.neck == "seed")

    def _classifier(self, width: int, num_classes: int) -> nn.Linear:
        classifier = nn.Linear(width, num_classes, bias=self.neck == "seed")
        if self.neck == "bnneck":
            nn.init.normal_(classifier.weight, std=0.001)
        return classifier

    def _part(self, pooled: Tensor, embedding: Tensor, classifier: nn.Module) -> tuple[Tensor, Tensor]:
        return embedding if self.neck == "seed" else pooled, classifier(embedding)


class Triplet(ReidNetwork):
    """One global embedding: backbone, pooling over the whole map, batch norm, and a classifier on the embedding.

    Args:
        backbone: from images to maps of `width` channels.
        width: length of the embedding.
        num_classes: people to tell apart in training; 0 leaves the classifier out.
        described: the arguments of `ReidNetwork`.
    """

    kind = "triplet"

    def __init__(
        self,
        backbone: nn.Sequential,
        width: int,
        num_classes: int,
        **described: Unpack[Description],
    ) -> None:
        super().__init__(**described)
        self.backbone = backbone
        self.feature_size = width
        self.pool = self._pool()
        self.bn = self._norm(width)
        self.logits = self._classifier(width, num_classes) if num_classes else None

    def forward(self, images: Tensor) -> Tensor | Parts:
        """Embed `images`, (n, 3, height, width)."""
        pooled = self.pool(self.backbone(images))
        embedding = self.bn(pooled)
        return [self._part(pooled, embedding, cast(nn.Module, self.logits))] if self.training else embedding


class MGN(ReidNetwork):
    """Four embeddings from two copies of the last stage.

    A reduced form of Wang et al., "Learning Discriminative Features with Multiple Granularities for Person
    Re-Identification", 2018. The coarse copy keeps the stage's stride and gives a global embedding. The fine copy has
    stride 1 and gives another global embedding and those of the upper and the lower half.

    Args:
        trunk: from images to the maps that both copies take.
        coarse: the last stage, with its stride.
        fine: the last stage, without a stride.
        width: length of each embedding.
        num_classes: people to tell apart in training; 0 leaves the classifiers out.
        described: the arguments of `ReidNetwork`.
    """

    kind = "mgn"

    def __init__(
        self,
        trunk: nn.Sequential,
        coarse: nn.Sequential,
        fine: nn.Sequential,
        width: int,
        num_classes: int,
        **described: Unpack[Description],
    ) -> None:
        super().__init__(**described)
        self.backbone, self.branch1, self.branch2 = trunk, coarse, fine  # the names in published checkpoints
        self.feature_size = 4 * width
        self.pools = nn.ModuleList(self._pool() for _ in range(4))
        self.bns = nn.ModuleList(self._norm(width) for _ in range(4))
        self.logits = nn.ModuleList(self._classifier(width, num_classes) for _ in range(4)) if num_classes else None

    def forward(self, images: Tensor) -> Tensor | Parts:
        """Embed `images`, (n, 3, height, width)."""
        shared = self.backbone(images)
        coarse, fine = self.branch1(shared), self.branch2(shared)
        upper, lower = fine.chunk(2, dim=2)
        pooled = [pool(maps) for pool, maps in zip(self.pools, (coarse, fine, upper, lower), strict=True)]
        embeddings = [bn(each) for bn, each in zip(self.bns, pooled, strict=True)]
        if not self.training:
            return torch.stack(embeddings, dim=1)
        return list(map(self._part, pooled, embeddings, cast(nn.ModuleList, self.logits)))
