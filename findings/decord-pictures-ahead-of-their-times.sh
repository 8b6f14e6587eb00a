#!/usr/bin/env bash
# `ffmpeg -ss 0.6 -c copy` cuts a film without coding it again. As a film can only begin with a key frame, the MP4 keeps the
# frames before the cut, and an edit list says that it begins after them. Players obey.
#
# Expected: of a film of 100 frames whose first 15 were cut away, readers give the 85 frames from the old frame 15 on, at
# times from 0 on.
# Seen: PyAV 18.1 and OpenCV 5.0 decode these 85, but the number of frames that they say beforehand is 100. decord 0.6.0 gives
# 100 frames: its first is the old frame 15 with the time -0.6, so that pictures are 15 frames ahead of their times, and the
# last picture is given 16 times.
# What helps: count while reading, by PyAV or OpenCV.
set -euo pipefail
room=$(mktemp -d); trap 'rm -rf "$room"' EXIT
python3 -m venv "$room/venv"
"$room/venv/bin/pip" install --quiet --disable-pip-version-check numpy==2.4.6 av==18.1.0 decord==0.6.0 imageio-ffmpeg==0.8.1 \
    opencv-python-headless==5.0.0.93
cd "$room"
cat > show.py <<'PYTHON'
import subprocess

import av
import cv2
import decord
import imageio_ffmpeg
import numpy as np

BITS = 2 ** np.arange(8)


def picture(number):
    """A picture that shows a number as eight black and white columns."""
    columns = np.where(number & BITS, 255, 0).astype(np.uint8).repeat(8)
    return av.VideoFrame.from_ndarray(np.tile(columns[None, :, None], (48, 1, 3)), format="rgb24")


def number(pixels):
    columns = np.asarray(pixels).reshape(48, 8, 24).mean(axis=(0, 2))
    return int(((columns > 127) * BITS).sum())


with av.open("whole.mp4", "w") as made:
    stream = made.add_stream("libx264", rate=25, options={"g": "50"})
    stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
    for count in range(100):
        made.mux(stream.encode(picture(count)))
    made.mux(stream.encode())
cut = [imageio_ffmpeg.get_ffmpeg_exe(), "-loglevel", "error", "-ss", "0.6", "-i", "whole.mp4", "-c", "copy", "cut.mp4"]
subprocess.run(cut, check=True)

with av.open("cut.mp4") as film:
    said = film.streams.video[0].frames
    decoded = [number(frame.to_ndarray(format="rgb24")) for frame in film.decode(video=0)]
by_pyav = said, len(decoded), decoded[0]
video, decoded = cv2.VideoCapture("cut.mp4"), []
said = int(video.get(cv2.CAP_PROP_FRAME_COUNT))
while (read := video.read())[0]:
    decoded.append(number(read[1]))
by_opencv = said, len(decoded), decoded[0]
frames = decord.VideoReader("cut.mp4")
times = frames.get_frame_timestamp(range(100))[:, 0]
decoded = [number(frame.asnumpy()) for frame in frames]
by_decord = len(frames), len(decoded), decoded[0]
for name, answer in (("PyAV", by_pyav), ("OpenCV", by_opencv), ("decord", by_decord)):
    print(f"{name}: says {answer[0]} frames, gives {answer[1]}, the first is number {answer[2]} of the whole film")
print(f"decord's first frame is at {times[0]:.2f} seconds; at 0.00 seconds is number {decoded[15]} of the whole film")
print("its last frames are number", decoded[-18:], "of the whole film")
assert by_pyav == by_opencv == (100, 85, 15)
assert by_decord == (100, 100, 15)
assert abs(times[0] + 0.6) < 1e-6 and abs(times[15]) < 1e-6
assert decoded == [*range(15, 100), *[99] * 15]
PYTHON
"$room/venv/bin/python" show.py
