#!/usr/bin/env bash
# A film in HDR (PQ) is made SDR by frame.reformat(..., dst_color_trc=..., dst_color_primaries=...), as PyAV documents it.
#
# Expected: what swscale computes before its first frame is computed once for a film; each later frame takes milliseconds.
# Seen (PyAV 18.1.0): every frame takes seconds, however small it is. VideoFrame.reformat makes a reformatter for each
# frame, and with it a table of colours in which swscale keeps the conversion. to_ndarray, to_rgb and to_image do the same.
# What helps: one av.video.reformatter.VideoReformatter for all frames.
set -euo pipefail
room=$(mktemp -d); trap 'rm -rf "$room"' EXIT
python3 -m venv "$room/venv"
"$room/venv/bin/pip" install --quiet --disable-pip-version-check av==18.1.0 numpy==2.4.6
"$room/venv/bin/python" - <<'PYTHON'
import time

import av
import numpy as np
from av.video.reformatter import ColorPrimaries, ColorTrc, VideoReformatter

SDR = {"format": "rgb24", "dst_color_trc": ColorTrc.BT709, "dst_color_primaries": ColorPrimaries.BT709}


def frames():
    for shade in (300, 400, 500):
        frame = av.VideoFrame(64, 48, "yuv420p10le")
        for plane, value in zip(frame.planes, (shade, 512, 512)):
            plane.update(np.full(plane.buffer_size // 2, value, np.uint16).tobytes())
        frame.color_trc, frame.color_primaries, frame.colorspace = ColorTrc.SMPTE2084, ColorPrimaries.BT2020, 9
        yield frame


def seconds(convert):
    took = []
    for frame in frames():
        before = time.process_time()
        convert(frame)
        took.append(time.process_time() - before)
    return took


shared = VideoReformatter()
each = seconds(lambda frame: frame.reformat(**SDR))
one = seconds(lambda frame: shared.reformat(frame, **SDR))
print("PyAV", av.__version__)
print("a frame's own reformat:", *(f"{took:.3f} s" for took in each))
print("a shared reformatter:  ", *(f"{took:.3f} s" for took in one))
assert min(each) > 20 * max(one[1:])
PYTHON
