#!/usr/bin/env bash
# Features of faces are float32, and a search with exact=True compares a query with all of them.
#
# Expected: usearch finds what NumPy finds: of cosines 0.9003 and 0.9 the first one is the best.
# Seen (usearch 2.26.6): both have 0.89984, and chance decides which comes first. An index that is made without a dtype
# keeps float32 vectors in a shorter format with which the processor is fast, bfloat16 on most, which has three digits. A
# squared distance of 10.33 between features of length 100 is 10.24. On another processor it may be another format, and
# another order.
# What helps: Index(ndim=…, metric=…, dtype="f32").
set -euo pipefail
room=$(mktemp -d); trap 'rm -rf "$room"' EXIT
python3 -m venv "$room/venv"
"$room/venv/bin/pip" install --quiet --disable-pip-version-check numpy==2.4.6 usearch==2.26.6
cd "$room"
cat > show.py <<'PYTHON'
import numpy as np
from usearch.index import Index


def nearest(metric, features, query, **options):
    """Numbers of the features, nearest first, and the distance of each."""
    index = Index(ndim=2, metric=metric, **options)
    index.add(np.arange(len(features)), features)
    found = index.search(query, len(features), exact=True)
    distances = found.distances.astype(float).round(5).tolist()
    print(f"{metric}, kept as {index.dtype}: {found.keys.tolist()} with distances {distances}")
    return found.keys.tolist(), distances


cosines = np.array([0.9003, 0.9])
faces = np.stack([cosines, np.sqrt(1 - cosines**2)], axis=1).astype(np.float32)
query = np.array([1, 0], np.float32)
_, distances = nearest("cos", faces, query)
assert distances[0] == distances[1]
keys, distances = nearest("cos", faces, query, dtype="f32")
assert keys == [0, 1] and np.allclose(distances, 1 - cosines)
long = np.array([[100.3, 4], [100.6, 0.8]], np.float32)
_, (_, distance) = nearest("l2sq", long, long[0])
_, (_, right) = nearest("l2sq", long, long[0], dtype="f32")
assert abs(right - ((long[0] - long[1]) ** 2).sum()) < 1e-3 and right - distance > 0.05
PYTHON
"$room/venv/bin/python" show.py
