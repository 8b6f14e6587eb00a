"""The re-rankings that the search can use, by name. Another one is a module beside these, and an entry in the table."""

from collections.abc import Callable, Mapping

import numpy as np

from castsearch.search.cross_neighborhood import ecn_similarity, expanded_cross_neighborhood
from castsearch.search.k_reciprocal import k_reciprocal, k_reciprocal_similarity

__all__ = ["RERANKINGS", "expanded_cross_neighborhood", "k_reciprocal"]

RERANKINGS: Mapping[str, Callable[..., np.ndarray]] = {
    "k_reciprocal": k_reciprocal_similarity,
    "ecn": ecn_similarity,
}
"""The re-rankings of the search, by the name that they have in the configuration.

Each takes (n, d) features of any length, the rows that are queries, the rows that are ranked, and the parameters of its
section of the configuration, and returns (queries, gallery) similarities on the scale of cosines.
"""
