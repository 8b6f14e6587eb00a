#!/usr/bin/env bash
# Verification of faces is scored by the area under the ROC curve of cosines, given to a metric batch by batch.
#
# Expected: the area depends on all pairs together, not on how they are divided into batches; and thresholds of the curve are
# cosines.
# Seen (torchmetrics 1.9.0): pairs of one person at 0.4 and 0.3, others at 0.25 and below, are told apart perfectly: 1.0 in one
# batch. In two batches it is 0.25. A batch with a value below 0 or above 1 is taken for logits and goes through a sigmoid,
# alone: 0.25 becomes 0.56 there, and ranks above 0.4 of the other batch. A cosine that rounding made 1.0000001 does the
# same, and then the thresholds of the curve are no cosines.
# What helps: (cosine + 1) / 2, cut to 0 to 1, before the metric sees it.
set -euo pipefail
room=$(mktemp -d); trap 'rm -rf "$room"' EXIT
python3 -m venv "$room/venv"
"$room/venv/bin/pip" install --quiet --disable-pip-version-check numpy==2.4.6 torch==2.14.1 torchmetrics==1.9.0
cd "$room"
cat > show.py <<'PYTHON'
import torch
from torchmetrics.classification import BinaryAUROC, BinaryAveragePrecision, BinaryROC

COSINES = torch.tensor([0.4, 0.3, 0.1, 0.2, 0.25, -0.1])
SAME_PERSON = torch.tensor([1, 1, 0, 0, 0, 0])


def score(kind, batch, cosines):
    metric = kind()
    for start in range(0, len(cosines), batch):
        metric.update(cosines[start : start + batch], SAME_PERSON[start : start + batch])
    return round(float(metric.compute()), 3)


seen = {}
for kind in (BinaryAUROC, BinaryAveragePrecision):
    seen[kind.__name__] = score(kind, 6, COSINES), score(kind, 3, COSINES), score(kind, 3, (COSINES + 1) / 2)
    print(f"{kind.__name__}: {seen[kind.__name__][0]} in one batch, {seen[kind.__name__][1]} in two;",
          f"of (cosine + 1) / 2 in two batches: {seen[kind.__name__][2]}")
pairs = torch.tensor([1.0000001, 0.4, 0.2])
thresholds = BinaryROC()(pairs, torch.tensor([1, 1, 0]))[2][1:].tolist()
print("thresholds of cosines 1.0000001, 0.4, 0.2:", [round(value, 3) for value in thresholds])
assert seen == {"BinaryAUROC": (1.0, 0.25, 1.0), "BinaryAveragePrecision": (1.0, 0.325, 1.0)}
assert [round(value, 3) for value in thresholds] == [0.731, 0.599, 0.55]
PYTHON
"$room/venv/bin/python" -W ignore show.py
