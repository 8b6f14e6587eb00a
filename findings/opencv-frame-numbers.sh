#!/usr/bin/env bash
# Annotations of films name frames by number, and cv2.VideoCapture goes to a frame by set(CAP_PROP_POS_FRAMES, number).
#
# Expected: in a whole file, made by FFmpeg's own muxers, set(number) and read() give the frame that reading from the start
# gives at that number.
# Seen (OpenCV 4.14 and 5.0): true for MP4 and Matroska with a constant rate. In an MPEG transport stream number 0 gives
# frame 12, where the second group of pictures begins: the first twelve frames are not reached. In an MP4 whose rate
# changes, number 50 gives frame 73. The count of frames is right in both files.
# What helps: count while reading, or go by times with PyAV.
set -euo pipefail
room=$(mktemp -d); trap 'rm -rf "$room"' EXIT
cd "$room"
cat > show.py <<'PYTHON'
from fractions import Fraction

import av
import cv2
import numpy as np

FRAMES, RATE = 100, 25


def write(path, container, slow_from=FRAMES):
    """Write frames that get lighter; from one on, each is shown three times as long."""
    with av.open(path, "w", format=container) as film:
        stream = film.add_stream("libx264", rate=RATE, options={"bf": "2", "g": "12"})
        stream.width = stream.height = 64
        stream.codec_context.time_base = Fraction(1, RATE)
        for i in range(FRAMES):
            frame = av.VideoFrame.from_ndarray(np.full((64, 64, 3), 20 + i * 2, np.uint8), format="rgb24")
            frame.pts, frame.time_base = i + 2 * max(0, i - slow_from), Fraction(1, RATE)
            film.mux(stream.encode(frame))
        film.mux(stream.encode())


def greys(path):
    film = cv2.VideoCapture(path)
    while (answer := film.read())[0]:
        yield answer[1].mean()


def frame_at(path, number):
    in_order = np.array(list(greys(path)))
    film = cv2.VideoCapture(path)
    assert film.get(cv2.CAP_PROP_FRAME_COUNT) == len(in_order) == FRAMES
    film.set(cv2.CAP_PROP_POS_FRAMES, number)
    return int(np.abs(in_order - film.read()[1].mean()).argmin())


write("constant.mp4", "mp4")
write("constant.mkv", "matroska")
write("constant.ts", "mpegts")
write("changing.mp4", "mp4", slow_from=49)
print(f"OpenCV {cv2.__version__}, frames that numbers 0, 30 and 50 give:")
seen = {}
for path in ("constant.mp4", "constant.mkv", "constant.ts", "changing.mp4"):
    seen[path] = [frame_at(path, number) for number in (0, 30, 50)]
    print(f"  {path}: {seen[path]}")
assert seen["constant.mp4"] == seen["constant.mkv"] == [0, 30, 50]
assert seen["constant.ts"] == [12, 30, 50]
assert seen["changing.mp4"][0] == 0 and seen["changing.mp4"][2] == 73
PYTHON
for opencv in 4.14.0.94 5.0.0.93; do
    python3 -m venv "$room/$opencv"
    "$room/$opencv/bin/pip" install --quiet --disable-pip-version-check numpy==2.4.6 av==18.1.0 \
        "opencv-python-headless==$opencv"
    "$room/$opencv/bin/python" show.py
done
