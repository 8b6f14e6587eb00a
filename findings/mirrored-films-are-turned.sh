#!/usr/bin/env bash
# An MP4 says by a matrix how a picture is to be shown: turned by quarters, as telephones need it, or mirrored, as
# some front cameras and `ffmpeg -display_hflip` have it.
#
# Expected: readers that obey the matrix mirror what is to be mirrored, as FFmpeg does; the others leave it alone.
# Seen, for a mirror from left to right: OpenCV 5.0 and decord 0.6.0, which both obey quarter turns, turn the picture
# upside down. PyAV 18.1 leaves turning to its caller, and says by frame.rotation that the picture is to be turned by
# 180 degrees. Faces are then found in no frame. FFmpeg 9.0.2 of imageio-ffmpeg 0.8.1 mirrors.
# What helps: the matrix itself (frame.side_data of PyAV): where its determinant is negative, the picture is mirrored.
set -euo pipefail
room=$(mktemp -d); trap 'rm -rf "$room"' EXIT
python3 -m venv "$room/venv"
"$room/venv/bin/pip" install --quiet --disable-pip-version-check numpy==2.4.6 av==18.1.0 imageio-ffmpeg==0.8.1 \
    opencv-python-headless==5.0.0.93 decord==0.6.0
cd "$room"
cat > show.py <<'PYTHON'
import subprocess

import av
import cv2
import decord
import imageio_ffmpeg
import numpy as np

SIDE = 64
CORNERS = ["upper left", "upper right", "lower left", "lower right"]


def ffmpeg(arguments):
    command = [imageio_ffmpeg.get_ffmpeg_exe(), "-v", "error", *arguments.split()]
    return subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout


def light(picture):
    """The corner that is light."""
    greys = picture.mean(axis=2).reshape(2, SIDE // 2, 2, SIDE // 2).mean(axis=(1, 3))
    return CORNERS[int(greys.argmax())]


def by_ffmpeg(path):
    return np.frombuffer(ffmpeg(f"-i {path} -frames:v 1 -f rawvideo -pix_fmt rgb24 -"), np.uint8).reshape(SIDE, SIDE, 3)


with av.open("film.mp4", "w") as film:  # light in the upper left corner
    stream = film.add_stream("libx264", rate=25)
    stream.width = stream.height = SIDE
    picture = np.zeros((SIDE, SIDE, 3), np.uint8)
    picture[: SIDE // 2, : SIDE // 2] = 255
    for _ in range(25):
        film.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
    film.mux(stream.encode())
ffmpeg("-display_rotation 90 -i film.mp4 -c copy turned.mp4")
ffmpeg("-display_hflip -i film.mp4 -c copy mirrored.mp4")
seen = {}
for path in ["turned.mp4", "mirrored.mp4"]:
    with av.open(path) as film:
        degrees = next(film.decode(video=0)).rotation
    found = {
        "FFmpeg": by_ffmpeg(path),
        "OpenCV": cv2.VideoCapture(path).read()[1],
        "decord": decord.VideoReader(path)[0].asnumpy(),
    }
    seen[path] = [light(picture) for picture in found.values()]
    print(f"{path}: light is {dict(zip(found, seen[path]))}; PyAV: to be turned by {degrees} degrees")
    assert degrees == {"turned.mp4": 90, "mirrored.mp4": -180}[path]
assert seen["turned.mp4"] == ["lower left"] * 3
assert seen["mirrored.mp4"] == ["upper right", "lower right", "lower right"]
PYTHON
"$room/venv/bin/python" show.py
