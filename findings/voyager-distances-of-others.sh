#!/usr/bin/env bash
# voyager finds approximate neighbours. With Space.InnerProduct, for features whose length means something, its distance is 1
# less the scalar product. get_distance(a, b) is documented as "the distance between two provided vectors".
#
# Expected: get_distance((3, 4), (1, 0)) is -2, whatever else is in the index, and is the distance that query gives.
# Seen (voyager 2.2.3): -2 in an empty index, and -2403 once the vector (30, 40) is in it. query says -2 in both: inside,
# each vector gets one more number by the longest one of the index, which query leaves out and get_distance does not.
# Neighbours depend on the order of adding, too: of 2,000 vectors of different lengths query finds 0.46 of the ten best where
# they were added in random order, and 0.71 with the longest first, at default options.
# What helps: 1 - a @ b for distances, and adding vectors from the longest to the shortest.
set -euo pipefail
room=$(mktemp -d); trap 'rm -rf "$room"' EXIT
python3 -m venv "$room/venv"
"$room/venv/bin/pip" install --quiet --disable-pip-version-check numpy==2.4.6 voyager==2.2.3
cd "$room"
cat > show.py <<'PYTHON'
import numpy as np
from voyager import Index, Space

A, B = np.array([3, 4], np.float32), np.array([1, 0], np.float32)
index = Index(Space.InnerProduct, num_dimensions=2)
index.add_item(A, id=0)
alone = index.get_distance(A, B), index.query(B, k=1)[1][0]
index.add_item(np.array([30, 40], np.float32), id=1)
numbers, distances = index.query(B, k=2)
beside = index.get_distance(A, B), distances[numbers.tolist().index(0)]
print(f"voyager 2.2.3: get_distance and query say {alone[0]:.0f} and {alone[1]:.0f}")
print(f"with a longer vector in the index: {beside[0]:.0f} and {beside[1]:.0f}")
assert np.allclose(alone, [-2, -2]) and np.allclose(beside, [-2403, -2])

random = np.random.default_rng(0)
directions = random.normal(size=(2000, 32))
lengths = random.uniform(0.5, 10, size=2000)
vectors = (directions / np.linalg.norm(directions, axis=1, keepdims=True) * lengths[:, None]).astype(np.float32)
searches = random.normal(size=(50, 32)).astype(np.float32)


def found(vectors):
    """Share of the ten best that are found."""
    index = Index(Space.InnerProduct, num_dimensions=32)
    index.add_items(vectors, num_threads=1)
    best = np.argsort(-(searches @ vectors.T), axis=1)[:, :10]
    answers = index.query(searches, k=10, num_threads=1)[0]
    return np.mean([len(set(one) & set(other)) / 10 for one, other in zip(answers, best, strict=True)])


mixed, longest_first = found(vectors), found(vectors[np.argsort(-lengths)])
print(f"found of the ten best: {mixed:.2f} in random order, {longest_first:.2f} with the longest first")
assert longest_first - mixed > 0.1
PYTHON
"$room/venv/bin/python" show.py
