"""One step of a training: the losses of a batch, and what the network learns from them."""

from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn import functional as F  # noqa: N812

from castsearch.reid import distributed
from castsearch.reid.losses import TripletLoss
from castsearch.reid.recipe import Recipe
from castsearch.reid.transforms import to_input


class Learner:
    """A network in training, with its losses and its optimizer.

    Args:
        network: on its device, in training mode. Where several processes learn, they share it from here on.
        recipe: of which learning rate, weight decay, the triplet loss, `label_smoothing` and `precision` are used.
        sizes: how many images of a batch each process has.

    Attributes:
        optimizer: Adam.
        device: where the network is.
    """

    def __init__(self, network: torch.nn.Module, recipe: Recipe, sizes: Sequence[int]) -> None:
        self._recipe, self._sizes = recipe, list(sizes)
        self._network = distributed.parallel(network) if len(sizes) > 1 else network
        self._triplet_loss = TripletLoss(recipe.margin, recipe.mining, recipe.metric)
        self.device = next(network.parameters()).device
        self.optimizer = torch.optim.Adam(
            network.parameters(), lr=recipe.learning_rate, weight_decay=recipe.weight_decay, fused=True
        )

    def step(self, images: Tensor, labels: Tensor) -> Tensor:
        """Learn from one batch.

        Args:
            images: this process's images, uint8 (n, height, width, 3).
            labels: who is in the images of all processes, int64.

        Returns:
            `history.LOSSES` as one tensor on the device.
        """
        labels = labels.to(self.device, non_blocking=True)
        with torch.autocast(self.device.type, torch.bfloat16, enabled=self._recipe.precision == "bfloat16"):
            parts = self._network(to_input(images, self.device))
        cross_entropies, triplets, top1s, accuracies = [], [], [], []
        for part in parts:
            embedding, logits = (distributed.gather(rows.float(), self._sizes) for rows in part)
            triplet, top1 = self._triplet_loss(embedding, labels)
            cross_entropies.append(F.cross_entropy(logits, labels, label_smoothing=self._recipe.label_smoothing))
            triplets.append(triplet)
            top1s.append(top1)
            accuracies.append((logits.argmax(dim=1) == labels).float().mean())
        cross_entropy, triplet = torch.stack(cross_entropies).sum(), torch.stack(triplets).sum()
        loss = cross_entropy + triplet
        self.optimizer.zero_grad()
        loss.backward()
        self.optimizer.step()
        means = torch.stack(top1s).mean(), torch.stack(accuracies).mean()
        return torch.stack([loss, cross_entropy, triplet, *means]).detach()
