#!/usr/bin/env bash
# A person behind a pole is seen in two parts: one detection, with a mask of two pieces. supervision writes detections as data
# sets for COCO, YOLO and Pascal VOC.
#
# Expected: one person in each file. COCO has polygons of several parts for it, YOLO and Pascal VOC have the box.
# Seen (supervision 0.31.2, pycocotools 2.0.11): in COCO the person has iscrowd=1, which means a box around many people: it does
# not count as somebody to be found, and average precision is -1, "nothing to find", for a detector that is right. In
# YOLO and Pascal VOC there are two people, one left and one right of the pole. Nothing is said in any of them.
# What helps: data={"iscrowd": np.zeros(n)} for COCO, and detections without masks for the other two.
set -euo pipefail
room=$(mktemp -d); trap 'rm -rf "$room"' EXIT
python3 -m venv "$room/venv"
"$room/venv/bin/pip" install --quiet --disable-pip-version-check numpy==2.4.6 supervision==0.31.2 pycocotools==2.0.11
cd "$room"
cat > show.py <<'PYTHON'
import contextlib
import io
import json
from pathlib import Path

import numpy as np
from PIL import Image
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval
from supervision import DetectionDataset, Detections

BOX = np.array([[20, 10, 80, 90]], float)
PARTS = np.zeros((1, 100, 100), bool)
PARTS[0, 10:90, 20:40] = PARTS[0, 10:90, 60:80] = True
Image.new("RGB", (100, 100)).save("1.jpg")


def people(name, mask, **data):
    """People in the files for COCO, YOLO and Pascal VOC, and what COCO says of crowds and of average precision."""
    person = Detections(xyxy=BOX, mask=mask, class_id=np.array([0]), data=data)
    written = DetectionDataset(classes=["person"], images=["1.jpg"], annotations={"1.jpg": person})
    written.as_coco(annotations_path="coco.json")
    written.as_yolo(annotations_directory_path="yolo")
    written.as_pascal_voc(annotations_directory_path="voc")
    annotations = json.loads(Path("coco.json").read_text())["annotations"]
    counts = [len(annotations), Path("yolo/1.txt").read_text().count("\n")]
    counts.append(Path("voc/1.xml").read_text().count("<object>"))
    found = {key: annotations[0][key] for key in ("image_id", "category_id", "bbox")} | {"score": 0.9}
    with contextlib.redirect_stdout(io.StringIO()):
        coco = COCO("coco.json")
        scored = COCOeval(coco, coco.loadRes([found]), "bbox")
        scored.evaluate()
        scored.accumulate()
        scored.summarize()
    crowds, precision = [annotation["iscrowd"] for annotation in annotations], round(float(scored.stats[0]), 2)
    print(f"{name}: people in COCO, YOLO, VOC {counts}; iscrowd {crowds}; average precision {precision}")
    return counts, crowds, precision


whole = np.zeros_like(PARTS)
whole[0, 10:90, 20:80] = True
assert people("whole", whole) == ([1, 1, 1], [0], 1)
assert people("behind a pole", PARTS) == ([1, 2, 2], [1], -1)
assert people("behind a pole, iscrowd=0", PARTS, iscrowd=np.zeros(1)) == ([1, 2, 2], [0], 1)
assert people("without a mask", None) == ([1, 1, 1], [0], 1)
PYTHON
"$room/venv/bin/python" -W ignore show.py
