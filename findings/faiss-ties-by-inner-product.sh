#!/usr/bin/env bash
# Features that are equal are common among the frames of a film. Normalised features are searched in FAISS by inner product
# or by distance, which is the same order.
#
# Expected: among equal neighbours the order is the same by both, whatever k is, so that k=1 gives the first of k=2.
# Seen (faiss-cpu 1.15.1): by distance the neighbours are in the order of their numbers. By inner product those with the
# lowest numbers are taken, and given in the opposite order: the first neighbour of ten equal vectors is 0 with k=1, 1 with
# k=2 and 4 with k=5. A copy stands before the vector itself, so that leaving out the first column leaves out the copy.
# What helps: leave out a vector's own number, not the first column, and sort equal values by number.
set -euo pipefail
room=$(mktemp -d); trap 'rm -rf "$room"' EXIT
python3 -m venv "$room/venv"
"$room/venv/bin/pip" install --quiet --disable-pip-version-check numpy==2.4.6 faiss-cpu==1.15.1
cd "$room"
cat > show.py <<'PYTHON'
import faiss
import numpy as np

equal = np.zeros((10, 4), np.float32)
equal[:, 0] = 1
first = {}
for name, index in (("distance", faiss.IndexFlatL2(4)), ("inner product", faiss.IndexFlatIP(4))):
    index.add(equal)
    found = {k: index.search(equal[:1], k)[1][0].tolist() for k in (1, 2, 5)}
    first[name] = [neighbours[0] for neighbours in found.values()]
    print(f"faiss {faiss.__version__}, ten equal vectors by {name}:", found)
assert first == {"distance": [0, 0, 0], "inner product": [0, 1, 4]}
PYTHON
"$room/venv/bin/python" show.py
