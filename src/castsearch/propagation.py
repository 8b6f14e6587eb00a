"""Carry the cast's labels over a graph of candidates.

Huang, Liu and Lin, "Person Search in Videos with One Portrait Through Visual and Temporal Links", ECCV 2018:
progressive propagation through competitive consensus (PPCC), and the linear label propagation it is compared with
(Zhu and Ghahramani, 2002).

Of equally confident nodes the one with the lower index is frozen first.
"""

import numpy as np

_NEGLIGIBLE = 1e-3  # weaker labels of frozen nodes are not passed on


def competitive_consensus(
    affinity: np.ndarray,
    num_cast: int,
    steps: int = 5,
    init_fraction: float = 0.5,
    temperature: float = 0.03,
) -> np.ndarray:
    """Propagate labels by competitive consensus (PPCC).

    In each step a node's score for a cast member is its strongest link, affinity times label, to a node that holds
    that label; the scores compete in a softmax. Then the most confident nodes freeze: their labels stay and they
    alone pass theirs on. Their share of all nodes grows linearly from `init_fraction` in the first step to 1 in the
    last.

    Args:
        affinity: (n, n) links, cast first. 0 is no link; a negative link repels (two people of one frame).
        num_cast: number of cast rows.
        steps: number of steps, at least 1.
        init_fraction: share of all nodes frozen in the first step, 0 to 1.
        temperature: of the softmax; the lower, the harder the competition.

    Returns:
        (num_cast, n - num_cast) float64 scores: the final label plus the affinity to the cast member itself.

    Raises:
        ValueError: if the matrix is not square, or a parameter is out of its range.
    """
    affinity, labels = _start(affinity, num_cast, steps)
    if not 0 <= init_fraction <= 1 or temperature <= 0:
        raise ValueError(f"init_fraction must be in 0..1 and temperature above 0: {init_fraction}, {temperature}")
    n = len(affinity)
    result = affinity @ labels
    frozen = np.zeros(n, bool)
    for step in range(steps):
        fraction = init_fraction + step * ((1 - init_fraction) / max(1, steps - 1))
        scores = np.zeros_like(labels)
        for cast in range(num_cast):
            holders = np.flatnonzero(labels[:, cast])
            if len(holders):
                scores[:, cast] = (affinity[:, holders] * labels[holders, cast]).max(axis=1)
        scores = np.where(frozen[:, None], labels, _softmax(scores / temperature))
        confident = np.argsort(-scores.max(axis=1, initial=0), kind="stable")
        frozen[confident[: n - int(n * (1 - fraction))]] = True
        labels = np.where(frozen[:, None] & (scores >= _NEGLIGIBLE), scores, 0)
    return (result + scores).T[:, num_cast:]


def label_propagation(affinity: np.ndarray, num_cast: int, steps: int = 50) -> np.ndarray:
    """Propagate labels by linear diffusion: each node takes the mean label of all, weighted by softmax of affinity.

    Args:
        affinity: (n, n) links, cast first.
        num_cast: number of cast rows.
        steps: number of steps, at least 1.

    Returns:
        (num_cast, n - num_cast) float64 scores.

    Raises:
        ValueError: if the matrix is not square, or a parameter is out of its range.
    """
    affinity, labels = _start(affinity, num_cast, steps)
    transition = _softmax(affinity)
    for _ in range(steps):
        labels = transition @ labels
    return labels.T[:, num_cast:]


def _start(affinity: np.ndarray, num_cast: int, steps: int) -> tuple[np.ndarray, np.ndarray]:
    affinity = np.asarray(affinity, np.float64)
    n = len(affinity)
    if affinity.shape != (n, n):
        raise ValueError(f"affinity must be a square matrix, not {affinity.shape}")
    if not 0 <= num_cast <= n or steps < 1:
        raise ValueError(f"num_cast must be between 0 and {n} and steps at least 1: {num_cast}, {steps}")
    return affinity, np.eye(n, num_cast)


def _softmax(values: np.ndarray) -> np.ndarray:
    weights = np.exp(values - values.max(axis=1, initial=-np.inf, keepdims=True))
    return weights / weights.sum(axis=1, keepdims=True)
