#!/usr/bin/env bash
# Masks and boxes of people are turned into COCO and YOLO by imantics. In YOLO's format a line is the class, from 0
# on, and the centre of the box with its width and height, as shares of the picture.
#
# Expected: a box of 30 by 40 pixels at (20, 60) in a picture of 200 by 200 is "0 0.175 0.4 0.15 0.2", and a mask of
# the same pixels has the same box.
# Seen (imantics 0.1.12): "1 0.10000 0.30000 0.15000 0.20000": the corner stands where the centre should be, so that
# each box lies half its size to the left and above, and the only class is number 1. In COCO the box is right, but the
# mask's one is 29 by 39: its last column and row are taken for its ends, though its area is 1200. Nothing is said.
# What helps: boxes and lines of one's own; four lines of Python.
set -euo pipefail
room=$(mktemp -d); trap 'rm -rf "$room"' EXIT
python3 -m venv "$room/venv"
"$room/venv/bin/pip" install --quiet --disable-pip-version-check numpy==2.4.6 opencv-python-headless==5.0.0.93 lxml==6.1.3
"$room/venv/bin/pip" install --quiet --disable-pip-version-check --no-deps imantics==0.1.12
cd "$room"
cat > show.py <<'PYTHON'
import numpy as np
from imantics import BBox, Category, Image, Mask

LEFT, TOP, WIDTH, HEIGHT, SIDE = 20, 60, 30, 40, 200


def exported(shape):
    picture = Image(np.zeros((SIDE, SIDE, 3), np.uint8))
    picture.id = 1
    picture.add(shape, Category("person"))
    (annotation,) = picture.export(style="coco")["annotations"]
    (line,) = picture.export(style="yolo")
    return list(map(int, annotation["bbox"])), int(annotation["area"]), line


pixels = np.zeros((SIDE, SIDE), bool)
pixels[TOP : TOP + HEIGHT, LEFT : LEFT + WIDTH] = True
box = exported(BBox((LEFT, TOP, WIDTH, HEIGHT), style=BBox.WIDTH_HEIGHT))
mask = exported(Mask(pixels))
for name, (coco, area, yolo) in {"box": box, "mask": mask}.items():
    print(f"{name}: COCO {coco} with an area of {area}, YOLO {yolo}")
assert box == ([20, 60, 30, 40], 1200, "1 0.10000 0.30000 0.15000 0.20000")
assert mask[:2] == ([20, 60, 29, 39], 1200)
PYTHON
"$room/venv/bin/python" -W ignore show.py
