#!/usr/bin/env bash
# Boxes of people, which detectors give in fractions of a pixel, are turned from one annotation format into another by pybboxes:
# COCO's pixels, YOLO's shares of the picture.
#
# Expected: the same box in other numbers. COCO's are pixels with a fraction, YOLO's are between 0 and 1.
# Seen (pybboxes 0.2.0): each box goes to whole pixels on its way, also where both formats have fractions, and from YOLO to YOLO.
# A person of 5.4 by 12.4 pixels, far away, overlaps with what they were by 0.86. From YOLO they are 6 by 13 pixels, from COCO
# 5 by 12. Nothing is said.
# What helps: four lines of one's own, or conversion of boxes of a picture that is said to be much larger.
set -euo pipefail
room=$(mktemp -d); trap 'rm -rf "$room"' EXIT
python3 -m venv "$room/venv"
"$room/venv/bin/pip" install --quiet --disable-pip-version-check pybboxes==0.2.0
cd "$room"
cat > show.py <<'PYTHON'
from pybboxes import convert_bbox

WIDTH, HEIGHT = 640, 480
COCO = (100.5, 50.4, 5.4, 12.4)
X, Y, W, H = COCO
YOLO = ((X + W / 2) / WIDTH, (Y + H / 2) / HEIGHT, W / WIDTH, H / HEIGHT)


def convert(box, source, target):
    return tuple(convert_bbox(box, from_type=source, to_type=target, image_size=(WIDTH, HEIGHT)))


def overlap(one, other):
    (x, y, w, h), (x2, y2, w2, h2) = one, other
    both = (min(x + w, x2 + w2) - max(x, x2)) * (min(y + h, y2 + h2) - max(y, y2))
    return both / (w * h + w2 * h2 - both)


from_coco, from_yolo, again = convert(COCO, "coco", "coco"), convert(YOLO, "yolo", "coco"), convert(YOLO, "yolo", "yolo")
print(f"COCO {COCO}: from COCO {from_coco}, from YOLO {from_yolo}, overlap {overlap(COCO, from_yolo):.2f}")
print(f"YOLO {[round(value, 5) for value in YOLO]}: from YOLO {[round(value, 5) for value in again]}")
assert from_coco == (100, 50, 5, 12) and from_yolo == (100, 50, 6, 13)
assert 0.85 < overlap(COCO, from_yolo) < 0.87
assert max(abs(one - other) for one, other in zip(YOLO, again, strict=True)) > 0.0001
PYTHON
"$room/venv/bin/python" show.py
