#!/usr/bin/env bash
# COCO numbers annotations, and nothing in the format forbids the number 0, which is what counting from 0 gives. The
# evaluation of pycocotools writes the number of the matched annotation into a table where 0 means "no match".
#
# Expected: detections that equal the annotations have an average precision of 1, whatever the numbers are.
# Seen (pycocotools 2.0.11): 1.0 with annotations 1, 2, 3; 0.44 with annotations 0, 1, 2. The match of annotation 0 counts
# as a false alarm.
# What helps: number annotations from 1.
set -euo pipefail
room=$(mktemp -d); trap 'rm -rf "$room"' EXIT
python3 -m venv "$room/venv"
"$room/venv/bin/pip" install --quiet --disable-pip-version-check numpy==2.4.6 pycocotools==2.0.11
cd "$room"
cat > show.py <<'PYTHON'
import contextlib
import io

from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

BOX = [10, 10, 50, 100]


def average_precision(first_number):
    truth = COCO()
    truth.dataset = {
        "info": {},
        "images": [{"id": image} for image in (1, 2, 3)],
        "categories": [{"id": 1}],
        "annotations": [
            {"id": first_number + i, "image_id": i + 1, "category_id": 1, "bbox": BOX, "area": 5000, "iscrowd": 0}
            for i in range(3)
        ],
    }
    truth.createIndex()
    found = truth.loadRes(
        [{"image_id": i + 1, "category_id": 1, "bbox": BOX, "score": 0.9 - 0.1 * i} for i in range(3)]
    )
    evaluation = COCOeval(truth, found, "bbox")
    evaluation.evaluate()
    evaluation.accumulate()
    evaluation.summarize()
    return evaluation.stats[0]


with contextlib.redirect_stdout(io.StringIO()):
    from_one, from_zero = average_precision(1), average_precision(0)
print(f"annotations 1, 2, 3: {from_one:.2f}; annotations 0, 1, 2: {from_zero:.2f}")
assert round(from_one, 2) == 1
assert round(from_zero, 2) == 0.44
PYTHON
echo "pycocotools 2.0.11, average precision of perfect detections:"
"$room/venv/bin/python" show.py
