#!/usr/bin/env bash
# Non-maximum suppression "per class" is done in one pass by moving the boxes of each class away by the largest coordinate.
# Detectors give boxes that reach out of the picture, whose coordinates are negative.
#
# Expected: boxes of two classes never suppress each other; torchvision's documentation says so.
# Seen (torchvision 0.29.2, OpenCV 5.0): two boxes of two classes which do not even touch; the second one is dropped, because
# moving it by the largest coordinate puts it onto the first one.
# What helps: cut boxes to the picture before suppression.
set -euo pipefail
room=$(mktemp -d); trap 'rm -rf "$room"' EXIT
python3 -m venv "$room/venv"
"$room/venv/bin/pip" install --quiet --disable-pip-version-check numpy==2.4.6 opencv-python-headless==5.0.0.93 \
    torch==2.14.1 torchvision==0.29.2
cd "$room"
cat > show.py <<'PYTHON'
import cv2
import torch
from torchvision.ops import batched_nms


def kept(shift):
    corners = torch.tensor([[0.0, 0, 10, 10], [-11, -11, -1, -1]]) + shift
    scores, classes = torch.tensor([0.9, 0.8]), torch.tensor([0, 1])
    sides = [(left, top, right - left, bottom - top) for left, top, right, bottom in corners.int().tolist()]
    by_torchvision = batched_nms(corners, scores, classes, iou_threshold=0.5).tolist()
    by_opencv = cv2.dnn.NMSBoxesBatched(sides, scores.tolist(), classes.tolist(), 0.1, 0.5)
    return by_torchvision, list(map(int, by_opencv))


print("kept by torchvision and by OpenCV, boxes that reach out of the picture:", *kept(0))
print("the same boxes, both moved by 20 pixels into it:", *kept(20))
assert kept(0) == ([0], [0])
assert kept(20) == ([0, 1], [0, 1])
PYTHON
"$room/venv/bin/python" show.py
