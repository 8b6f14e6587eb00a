#!/usr/bin/env bash
# Rankings of people are scored by mean average precision, from cosines of features, which go from -1 to 1.
#
# Expected: average precision depends on the order of the scores alone. Who is found at ranks 1 and 4 of four has 0.75.
# Seen (torchmetrics 1.9.0): RetrievalMAP says 1.0 where the score at rank 4 is -0.5, and 0.75 where 1 is added to all
# scores. Whoever is found with a score of 0 or below counts as if nobody had looked for him: a search that puts him last is
# scored as perfect. So do RetrievalRecall, which says 0.5 when all are returned, and RetrievalPrecision. RetrievalAUROC and
# RetrievalNormalizedDCG look at the order alone.
# What helps: add 1 to cosines.
set -euo pipefail
room=$(mktemp -d); trap 'rm -rf "$room"' EXIT
python3 -m venv "$room/venv"
"$room/venv/bin/pip" install --quiet --disable-pip-version-check numpy==2.4.6 torch==2.14.1 torchmetrics==1.9.0
cd "$room"
cat > show.py <<'PYTHON'
import torch
import torchmetrics.retrieval as retrieval

scores = torch.tensor([0.3, -0.1, -0.4, -0.5])
wanted = torch.tensor([True, False, False, True])
one_search = torch.zeros(4, dtype=torch.long)
seen = {}
for name in ("RetrievalMAP", "RetrievalRecall", "RetrievalPrecision", "RetrievalAUROC", "RetrievalNormalizedDCG"):
    metric = getattr(retrieval, name)
    seen[name] = [round(float(metric()(each, wanted, indexes=one_search)), 4) for each in (scores, scores + 1)]
    print(f"{name}: {seen[name][0]} of cosines, {seen[name][1]} of cosines with 1 added")
assert seen["RetrievalMAP"] == [1.0, 0.75]
assert seen["RetrievalRecall"] == [0.5, 1.0] and seen["RetrievalPrecision"] == [0.25, 0.5]
assert all(len(set(seen[name])) == 1 for name in ("RetrievalAUROC", "RetrievalNormalizedDCG"))
PYTHON
"$room/venv/bin/python" -W ignore show.py
