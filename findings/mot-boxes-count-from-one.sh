#!/usr/bin/env bash
# The MOT Challenge counts pixels from 1, as MATLAB does, and marks a ground-truth row that does not count by the confidence
# 0. Its readers do not agree on either.
#
# Expected: two readers of one gt.txt give the same boxes, and leave out or mark the row that does not count.
# Seen: motmetrics 1.4.0 moves each box by one pixel and keeps the row of confidence 0 unless min_confidence is given;
# datumaro 1.13.12 takes the numbers as they are and marks the row. A box of 4 by 8 pixels then overlaps with itself by 0.49.
# What helps: read ground truth and results by the same reader, and give motmetrics min_confidence=1 for ground truth.
set -euo pipefail
room=$(mktemp -d); trap 'rm -rf "$room"' EXIT
for reader in motmetrics==1.4.0 datumaro==1.13.12; do
    python3 -m venv "$room/${reader%%=*}"
    "$room/${reader%%=*}/bin/pip" install --quiet --disable-pip-version-check numpy==2.4.6 "$reader"
done
cd "$room"
mkdir -p film/gt film/img1
printf '1,7,10,20,4,8,1,1,1\n2,7,11,20,4,8,0,1,1\n' > film/gt/gt.txt
echo ada > film/gt/labels.txt
cat > by_motmetrics.py <<'PYTHON'
import motmetrics

rows = motmetrics.io.loadtxt("film/gt/gt.txt", fmt="mot16")
boxes = [tuple(int(value) for value in row) for row in rows[["X", "Y", "Width", "Height"]].to_numpy()]
counted = motmetrics.io.loadtxt("film/gt/gt.txt", fmt="mot16", min_confidence=1)
print(f"motmetrics 1.4.0:  {boxes}, of which count: {len(counted)}")
assert boxes == [(9, 19, 4, 8), (10, 19, 4, 8)] and len(counted) == 1
PYTHON
cat > by_datumaro.py <<'PYTHON'
from datumaro.components.dataset import Dataset

found = [box for item in Dataset.import_from("film", "mot_seq") for box in item.annotations]
boxes = [(int(box.x), int(box.y), int(box.w), int(box.h)) for box in found]
print(f"datumaro 1.13.12: {boxes}, of which count: {sum(not box.attributes['ignored'] for box in found)}")
assert boxes == [(10, 20, 4, 8), (11, 20, 4, 8)]
assert [box.attributes["ignored"] for box in found] == [False, True]
PYTHON
echo "Boxes (left, top, width, height) of one file:"
"$room/motmetrics/bin/python" -W ignore by_motmetrics.py
"$room/datumaro/bin/python" -W ignore by_datumaro.py
