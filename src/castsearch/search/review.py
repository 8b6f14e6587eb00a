"""Which boxes somebody should look at first: those whose answer would change most.

An answer about a box settles how doubtful it is itself, and reaches those that are linked with it as far as labels
spread. So it is worth its own doubt times the doubt that spreads to it. An answer also tells of the nearest others, so
that of many who look alike only some are proposed.
"""

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from castsearch.search.label_spreading import spread

_TOLD = 0.5  # of the worth of another box, as much is told by the answer about one that is linked with it by 1


def propose(graph: sparse.csr_array, confidence: NDArray[np.floating], count: int) -> NDArray[np.int64]:
    """Propose candidates to look at, the one whose answer would change most first.

    Args:
        graph: (n, n) symmetric links.
        confidence: (n,) probability that a candidate shows whom it is likeliest to show.
        count: how many to propose, at most; nobody is whose answer is certain.
    """
    doubt = (confidence * (1 - confidence)).astype(np.float32)
    worth = doubt * spread(doubt[None], graph)[0]
    proposed: list[int] = []
    while len(proposed) < min(count, len(worth)) and worth.max() > 0:
        best = int(worth.argmax())
        proposed.append(best)
        linked = slice(graph.indptr[best], graph.indptr[best + 1])
        worth[graph.indices[linked]] *= 1 - np.minimum(1, _TOLD * graph.data[linked])
        worth[best] = 0
    return np.array(proposed, int)
