#!/usr/bin/env bash
# Detectors of COCO's 80 classes are scored on films in which a few of them occur. The package mean-average-precision
# does it without files, from arrays of boxes (x1, y1, x2, y2, class, confidence).
#
# Expected: a detector that finds every person, exactly, in a film of people alone has a mean average precision of 1,
# as by pycocotools, which leaves out classes that the film does not have.
# Seen (mean-average-precision 2024.1.5.0): 0.0125, which is one of 80. Each class without truth and without answers
# has an average precision of 0, and counts. With num_classes=1 it is 1. Boxes are taken for whole pixels, of which
# the last one belongs to them, so that boxes in shares of the picture grow by its whole width: a person at 0.1 to 0.2
# is "found" at 0.3 to 0.4. Nothing is said.
# What helps: the mean over result[threshold][class]["ap"] of the classes that occur, and boxes in pixels.
set -euo pipefail
room=$(mktemp -d); trap 'rm -rf "$room"' EXIT
python3 -m venv "$room/venv"
"$room/venv/bin/pip" install --quiet --disable-pip-version-check numpy==2.4.6 pandas==3.1.1 pycocotools==2.0.11
"$room/venv/bin/pip" install --quiet --disable-pip-version-check --no-deps mean-average-precision==2024.1.5.0
cd "$room"
cat > show.py <<'PYTHON'
import contextlib
import io

import numpy as np
from mean_average_precision import MetricBuilder
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

PEOPLE = [[10, 10, 50, 90], [60, 10, 100, 90]]  # x1, y1, x2, y2


def by_arrays(truth, answers, classes):
    """Mean average precision of people who are found with the same confidence, at an overlap of 0.5."""
    metric = MetricBuilder.build_evaluation_metric("map_2d", async_mode=False, num_classes=classes)
    metric.add(np.array([[*box, 0, 0.9] for box in answers]), np.array([[*box, 0, 0, 0] for box in truth], float))
    return round(float(metric.value(iou_thresholds=0.5)["mAP"]), 4)


def by_pycocotools(boxes):
    """The same for boxes that are found exactly, with 80 categories."""
    rows = [
        {"id": row, "image_id": 1, "category_id": 1, "bbox": [x1, y1, x2 - x1, y2 - y1], "area": 3200, "iscrowd": 0}
        for row, (x1, y1, x2, y2) in enumerate(boxes, start=1)
    ]
    truth = COCO()
    categories = [{"id": number, "name": str(number)} for number in range(1, 81)]
    truth.dataset = {"images": [{"id": 1, "width": 120, "height": 100}], "categories": categories, "annotations": rows}
    truth.createIndex()
    scores = COCOeval(truth, truth.loadRes([row | {"score": 0.9} for row in rows]), "bbox")
    scores.evaluate()
    scores.accumulate()
    scores.summarize()
    return float(scores.stats[1])


with contextlib.redirect_stdout(io.StringIO()):
    judge = by_pycocotools(PEOPLE)
seen = [by_arrays(PEOPLE, PEOPLE, classes) for classes in (1, 2, 80)]
print(f"everybody found: {seen[0]} with 1 class, {seen[1]} with 2, {seen[2]} with 80; pycocotools with 80: {judge:.4f}")
assert seen == [1, 0.5, 0.0125] and round(judge, 6) == 1
apart = by_arrays([[0.1, 0.1, 0.2, 0.2]], [[0.3, 0.3, 0.4, 0.4]], 1)
print(f"a box in shares of the picture, found beside it: {apart}")
assert apart == 1
PYTHON
"$room/venv/bin/python" -W ignore show.py
