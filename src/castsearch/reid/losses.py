"""The triplet loss with its choices of margin, mining and distance, over all rows of a batch at once."""

from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812 - the name that everyone knows it by

Mining = Literal["hard", "uniform", "adaptive"]
Metric = Literal["euclidean", "sqeuclidean", "cosine"]


def pairwise_distance(embeddings: Tensor, metric: Metric) -> Tensor:
    """Return the (n, n) distances between the rows of `embeddings`, (n, d).

    Every distance comes from the difference of two rows. The usual way through the Gram matrix cancels for nearly
    identical rows, which a batch that repeats a person's only image is full of, and its square root has no gradient
    for equal ones.
    """
    match metric:
        case "euclidean":
            return _euclidean(embeddings)
        case "sqeuclidean":
            return _euclidean(embeddings).square()
        case "cosine":  # 1 - cos(a, b) = |a/|a| - b/|b||² / 2
            return _euclidean(F.normalize(embeddings)).square() / 2
        case _:
            raise ValueError(f"metric {metric!r} is none of euclidean, sqeuclidean, cosine")


def paired_distance(embeddings: Tensor, others: Tensor, metric: Metric) -> Tensor:
    """Return the (n,) distances between the rows of two (n, d) tensors, as `pairwise_distance` has them."""
    match metric:
        case "euclidean":
            return (embeddings - others).norm(dim=1)
        case "sqeuclidean":
            return (embeddings - others).square().sum(dim=1)
        case "cosine":
            return (F.normalize(embeddings) - F.normalize(others)).square().sum(dim=1) / 2
        case _:
            raise ValueError(f"metric {metric!r} is none of euclidean, sqeuclidean, cosine")


def _euclidean(rows: Tensor) -> Tensor:
    return torch.cdist(rows, rows, compute_mode="donot_use_mm_for_euclid_dist")


def _order(embeddings: Tensor, metric: Metric) -> Tensor:
    """Return (n, n) numbers that sort pairs of rows as their distances do.

    Through the Gram matrix in double precision, a quarter of the time: what cancels there is below what float32 rows
    resolve, and no distance is taken from it.
    """
    rows = embeddings.double()
    if metric == "cosine":
        rows = F.normalize(rows)
    gram = rows @ rows.T
    squares = gram.diagonal()
    return squares[:, None] + squares - 2 * gram


def _softmax_over(mask: Tensor, scores: Tensor) -> Tensor:
    """Softmax of each row of `scores` over the places where `mask` is true, zero elsewhere."""
    return torch.where(mask, scores, torch.finfo(scores.dtype).min).softmax(dim=1) * mask


class TripletLoss(nn.Module):
    """Pull the rows of one person together and push those of others away, every row being an anchor once.

    For each anchor the distances to its positives (other rows of the same label) and to its negatives (rows of other
    labels) are reduced to one each, d⁺ and d⁻, and the loss is the mean of softplus(d⁺ - d⁻) or, with a margin m, of
    max(0, d⁺ - d⁻ + m).

    - `hard`: the farthest positive and the nearest negative (Hermans et al., "In Defense of the Triplet Loss for
      Person Re-Identification", 2017).
    - `uniform`: the mean over the positives and over the negatives.
    - `adaptive`: the mean weighted by the softmax of the distance for positives, of minus the distance for negatives
      (Ristani and Tomasi, "Features for Multi-Target Multi-Camera Tracking and Re-Identification", 2018); the
      weights take part in the gradient.

    Args:
        margin: "soft" for softplus, else the number m.
        mining: how the distances of an anchor are reduced.
        metric: the distance; cosine is 1 - cos.
    """

    def __init__(self, margin: float | Literal["soft"] = "soft", mining: Mining = "hard", metric: Metric = "euclidean"):
        super().__init__()
        if margin != "soft" and not isinstance(margin, int | float):
            raise ValueError(f'margin {margin!r} is neither "soft" nor a number')
        if mining not in ("hard", "uniform", "adaptive"):
            raise ValueError(f"mining {mining!r} is none of hard, uniform, adaptive")
        self.margin, self.mining, self.metric = margin, mining, metric

    def forward(self, embeddings: Tensor, labels: Tensor) -> tuple[Tensor, Tensor]:
        """Return the loss and the top-1 accuracy, two scalars.

        Top-1 is the share of rows whose nearest other row has the same label. An anchor without a positive or without
        a negative has no triplet and adds nothing to the loss.

        Args:
            embeddings: (n, d), any floating type; distances are computed in at least float32.
            labels: (n,) integers, equal for rows of the same person.
        """
        embeddings = embeddings.to(torch.promote_types(embeddings.dtype, torch.float32))
        if self.mining == "hard":  # two distances a row are all that the loss needs
            order = _order(embeddings.detach(), self.metric)
        else:
            distance = pairwise_distance(embeddings, self.metric)
            order = distance.detach()
        itself = torch.eye(len(labels), dtype=torch.bool, device=labels.device)
        same = labels[:, None] == labels[None, :]
        positive, negative = same & ~itself, ~same

        match self.mining:
            case "hard":
                farthest = order.where(positive, -torch.inf).argmax(dim=1)
                nearest = order.where(negative, torch.inf).argmin(dim=1)
                to_positive = paired_distance(embeddings, embeddings.index_select(0, farthest), self.metric)
                to_negative = paired_distance(embeddings, embeddings.index_select(0, nearest), self.metric)
            case "uniform":
                to_positive = (distance * positive).sum(dim=1) / positive.sum(dim=1).clamp(min=1)
                to_negative = (distance * negative).sum(dim=1) / negative.sum(dim=1).clamp(min=1)
            case "adaptive":
                to_positive = (distance * _softmax_over(positive, distance)).sum(dim=1)
                to_negative = (distance * _softmax_over(negative, -distance)).sum(dim=1)

        gap = to_positive - to_negative
        penalty = F.softplus(gap) if self.margin == "soft" else F.relu(gap + self.margin)
        is_anchor = positive.any(dim=1) & negative.any(dim=1)
        loss = (penalty * is_anchor).sum() / is_anchor.sum().clamp(min=1)

        neighbour = order.masked_fill(itself, torch.inf).argmin(dim=1)
        top1 = (labels[neighbour] == labels).float().mean()
        return loss, top1
