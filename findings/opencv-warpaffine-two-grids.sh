#!/usr/bin/env bash
# Face recognition cuts faces out by cv2.warpAffine, and features of two systems are compared.
#
# Expected: bilinear warpAffine of OpenCV 4 and OpenCV 5 differ by rounding, at most one grey level.
# Seen: OpenCV 4.14 rounds source positions to 1/32 of a pixel, OpenCV 5.0 does not. Moved by 1/64 of a pixel, an edge of 0
# to 255 differs by 4 grey levels; moved by 2/64 it does not. So faces that were aligned by one are not the other's faces.
# What helps: align all faces, portraits included, by one version, and align them again after an update.
set -euo pipefail
room=$(mktemp -d); trap 'rm -rf "$room"' EXIT
cd "$room"
cat > show.py <<'PYTHON'
import cv2
import numpy as np

edge = np.zeros((16, 16), np.uint8)
edge[:, 8:] = 255
moved = [
    int(cv2.warpAffine(edge, np.array([[1, 0, step / 64], [0, 1, 0]]), (16, 16), flags=cv2.INTER_LINEAR)[8, 8])
    for step in range(5)
]
print(f"OpenCV {cv2.__version__}: grey of a pixel beside an edge that moves by 0 to 4/64 of a pixel: {moved}")
assert moved == {"4": [255, 255, 247, 247, 239], "5": [255, 251, 247, 243, 239]}[cv2.__version__[0]]
PYTHON
for opencv in 4.14.0.94 5.0.0.93; do
    python3 -m venv "$room/$opencv"
    "$room/$opencv/bin/pip" install --quiet --disable-pip-version-check numpy==2.4.6 "opencv-python-headless==$opencv"
    "$room/$opencv/bin/python" show.py
done
