"""Which images make a batch: P people with K images each, as mining triplets needs it."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray


def steps_per_epoch(num_people: int, people: int) -> int:
    """Return the number of batches that show each person at most once, leaving out a last one that is not full."""
    return max(1, num_people // people)


def batch(
    members: Sequence[NDArray[np.int64]], people: int, images: int, *, seed: int, epoch: int, step: int
) -> NDArray[np.int64]:
    """Draw the batch of one training step.

    It depends on nothing but the arguments, so training can go on anywhere with the batches that it would have had.

    Args:
        members: for each person the indices of its images.
        people: people in a batch (P); all of them where there are fewer.
        images: images of each (K). A person with fewer repeats them, all equally often as far as that goes.
        seed: picks the whole course of training.
        epoch: in which everybody is shown at most once, in a new order.
        step: of the epoch, from 0.

    Returns:
        P · K image indices, person by person.
    """
    order = np.random.default_rng((seed, epoch, 0)).permutation(len(members))
    chosen = order[step * people : (step + 1) * people]
    rng = np.random.default_rng((seed, epoch, 1 + step))
    return np.concatenate([np.resize(rng.permutation(members[person]), images) for person in chosen])
