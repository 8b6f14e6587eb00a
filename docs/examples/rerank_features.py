"""Re-rank a gallery by k-reciprocal encoding, in memory that grows with the number of features, not with its square.

    python rerank_features.py features.npy 100 nearest.npy

The first 100 rows of `features.npy` are queries, all others the gallery. `nearest.npy` receives, for each query, the
rows of the gallery from the nearest to the farthest. Needs `pip install .` in a clone, and nothing else.
"""

import sys

import numpy as np

from castsearch.search.k_reciprocal import k_reciprocal_from_features


def main(features_file: str, num_queries: str, nearest_file: str) -> None:
    """Write the gallery in the order of re-ranked distances."""
    features, split = np.load(features_file), int(num_queries)
    distances = k_reciprocal_from_features(features, slice(split), slice(split, None), k1=20, k2=6, lambda_value=0.3)
    np.save(nearest_file, np.argsort(distances, axis=1, kind="stable"))


if __name__ == "__main__":
    main(*sys.argv[1:])
