#!/usr/bin/env bash
# Features whose length says how good a face is are searched by their scalar product. pynndescent finds approximate neighbours,
# and has the metric "dot".
#
# Expected: the neighbours of the largest scalar product, of which an approximate search finds nearly all.
# Seen (pynndescent 0.7.0): they are the neighbours of the largest cosine: of the ten with the largest scalar product fewer
# than six are found, and of the ten with the largest cosine nearly all. The vectors are scaled to length 1 first.
# The metric "inner_product" is what was meant, and finds nearly all.
# What helps: metric="inner_product".
set -euo pipefail
room=$(mktemp -d); trap 'rm -rf "$room"' EXIT
python3 -m venv "$room/venv"
"$room/venv/bin/pip" install --quiet --disable-pip-version-check numpy==2.4.6 pynndescent==0.7.0 numba==0.68.1 scipy==1.17.1 \
    scikit-learn==1.9.1
cd "$room"
cat > show.py <<'PYTHON'
import numpy as np
from pynndescent import NNDescent

random = np.random.default_rng(0)
FEATURES = random.normal(size=(200, 16)).astype(np.float32)
FEATURES /= np.linalg.norm(FEATURES, axis=1, keepdims=True)
LENGTHS = random.uniform(0.2, 5, (200, 1)).astype(np.float32)


def nearest(likeness):
    return np.argsort(-likeness, axis=1)[:, :10]


by_product = nearest((FEATURES * LENGTHS) @ (FEATURES * LENGTHS).T)
by_cosine = nearest(FEATURES @ FEATURES.T)
seen = {}
for metric in ("dot", "inner_product"):
    found, _ = NNDescent(FEATURES * LENGTHS, metric=metric, n_neighbors=10, random_state=0).neighbor_graph
    seen[metric] = [
        np.mean([len({*one} & {*other}) / 10 for one, other in zip(found, truth, strict=True)])
        for truth in (by_product, by_cosine)
    ]
    print(f"{metric}: finds {seen[metric][0]:.2f} of the nearest by scalar product, {seen[metric][1]:.2f} by cosine")
assert seen["dot"][0] < 0.6 and seen["dot"][1] > 0.95
assert seen["inner_product"][0] > 0.95 and seen["inner_product"][1] < 0.6
PYTHON
NUMBA_OPT=0 "$room/venv/bin/python" -W ignore show.py  # compiles faster
