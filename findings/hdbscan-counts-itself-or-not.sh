#!/usr/bin/env bash
# Faces without names are grouped by HDBSCAN, of the package hdbscan or of scikit-learn, which has the class and its parameters
# from the first one.
#
# Expected: the same class name, with the same parameters, gives the same groups of nine numbers.
# Seen (hdbscan 0.8.44, scikit-learn 1.9.1): with min_cluster_size=2 and min_samples=3 hdbscan finds no group at all, and
# scikit-learn finds two, of 5 and of 3. With min_samples=2 it is two groups and three. scikit-learn counts the point itself
# among the min_samples neighbours, as the paper does (doi:10.1007/978-3-642-37456-2_14), hdbscan does not. Both take
# min_cluster_size where min_samples is left out, and differ likewise.
# What helps: one more in scikit-learn.
set -euo pipefail
room=$(mktemp -d); trap 'rm -rf "$room"' EXIT
python3 -m venv "$room/venv"
"$room/venv/bin/pip" install --quiet --disable-pip-version-check numpy==2.4.6 scipy==1.17.1 scikit-learn==1.9.1 \
    hdbscan==0.8.44
cd "$room"
cat > show.py <<'PYTHON'
import hdbscan
import numpy as np
import sklearn.cluster

POINTS = np.array([[0], [0.1], [0.25], [5], [5.1], [5.3], [9], [9.2], [20]])
LIBRARIES = {"hdbscan": hdbscan, "scikit-learn": sklearn.cluster}


def sizes(library, min_samples):
    """Sizes of the groups, largest first."""
    labels = library.HDBSCAN(min_cluster_size=2, min_samples=min_samples).fit(POINTS).labels_
    return sorted(np.bincount(labels[labels >= 0]).tolist(), reverse=True)


seen = {(name, count): sizes(library, count) for name, library in LIBRARIES.items() for count in (2, 3, 4)}
for (name, count), groups in seen.items():
    print(f"{name}, min_samples={count}: groups of {groups}")
for count in (2, 3):
    assert seen["hdbscan", count] == seen["scikit-learn", count + 1]
assert seen["hdbscan", 3] == [] and seen["scikit-learn", 3] == [5, 3] and seen["scikit-learn", 2] == [3, 3, 2]
PYTHON
"$room/venv/bin/python" -W ignore show.py
