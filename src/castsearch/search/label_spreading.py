"""Spread labels over a graph whose links say how probably two candidates show one person.

Label spreading: Zhou, Bousquet, Lal, Weston and Schölkopf, "Learning with Local and Global Consistency", NIPS 2003;
with facts, which stay certain in every step.
"""

import numpy as np
from scipy import sparse

from castsearch.search.neighbors import blocks
from castsearch.threads import in_threads

_PASSED_ON = 0.8  # share of a score that comes from the neighbours …
_HELD_BACK = 0.1  # … of a candidate that has links of much more strength than this
_STEPS = 30  # 0.8 ** 30 is 0.1 %
_LABELS = 64  # labels that spread at a time
_FACELESS_FACT = 0.01  # of a typical seed, what somebody without a face has who is certain; not 0, which is nobody


def spread(seeds: np.ndarray, graph: sparse.csr_array, facts: np.ndarray | None = None) -> np.ndarray:
    """Spread labels over a graph, each step a mixture of the seeds and of what the neighbours have.

    Links are scaled by the strength of all links of both ends. To it, a little is added: a lone link that is hardly
    probable would otherwise carry as much as ten certain ones.

    Args:
        seeds: (labels, n) weights.
        graph: (n, n) symmetric links.
        facts: (labels, n), 1 where a label is certain, −1 where it is impossible, which stays so in every step; all
            that comes to a candidate with a certain label becomes that label. It has a typical seed at least where it
            has any seed, which is where its face is seen; bodies alone mislead too often to be given so much.

    Returns:
        (labels, n) float32 scores.
    """
    seeds = np.array(seeds, np.float32)
    best = seeds.max(axis=0, initial=0)
    least = float(np.median(best[best > 0])) if best.any() else 1.0
    weight = np.where(best > 0, least, _FACELESS_FACT * least)
    if facts is not None:
        _clamp(seeds, facts, weight)
    scale = 1 / np.sqrt(np.asarray(graph.sum(axis=1), np.float32) + np.float32(_HELD_BACK))
    step = (sparse.diags_array(scale) @ graph @ sparse.diags_array(scale)).tocsr() * np.float32(_PASSED_ON)
    # Labels spread each by itself, but for facts; a few at a time stay in the processor's cache.
    together = _LABELS if facts is None else len(seeds)

    def spread_some(labels: slice) -> None:
        begun = seeds[labels].T * np.float32(1 - _PASSED_ON)
        scores = np.ascontiguousarray(seeds[labels].T)
        for _ in range(_STEPS):
            scores = step @ scores
            scores += begun
            if facts is not None:
                _clamp(scores.T, facts, weight)
        seeds[labels] = scores.T

    in_threads(spread_some, blocks(len(seeds), together))
    return seeds


def _clamp(scores: np.ndarray, facts: np.ndarray, least: np.ndarray) -> None:
    """Make (labels, n) scores agree with what is certain, in place; certain labels are `least`, (n,), at least."""
    label, candidate = np.nonzero(facts > 0)
    certain = np.maximum(scores[:, candidate].sum(axis=0), least[candidate])
    scores[:, candidate] = 0
    scores[label, candidate] = certain
    scores[facts < 0] = 0
