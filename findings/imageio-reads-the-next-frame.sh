#!/usr/bin/env bash
# A frame of a film is read by its number with imageio and PyAV: imread(path, index=number, plugin="pyav"). The film has 30 frames
# a second, constant, and lies in Matroska, whose times are whole milliseconds: 0, 33, 67, 100.
#
# Expected: imread(index=20) is frame 20 of imiter, as in the same film as MP4.
# Seen (imageio 2.38.1, PyAV 18.1.0): of 40 frames, 16 to 23 are the frame after that; before and after them all is right, and in
# MP4, too. Nothing is said. It goes to the last key frame and counts from there. The key frame 16 is at 533 ms, which is
# rounded down to frame 15.
# What helps: constant_framerate=False, which counts from the beginning, or imiter.
set -euo pipefail
room=$(mktemp -d); trap 'rm -rf "$room"' EXIT
python3 -m venv "$room/venv"
"$room/venv/bin/pip" install --quiet --disable-pip-version-check numpy==1.26.4 imageio==2.38.1 av==18.1.0
cd "$room"
cat > show.py <<'PYTHON'
import av
import imageio.v3 as imageio
import numpy as np

FRAMES = 40


def write(path):
    """Write a film whose frames show their numbers, in black and white stripes."""
    with av.open(path, "w") as film:
        stream = film.add_stream("libx264", rate=30, options={"crf": "1", "g": "12", "bf": "2"})
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        for frame in range(FRAMES):
            stripes = [255 * (frame >> bit & 1) for bit in range(8)]
            row = np.repeat(np.array(stripes, np.uint8), 8)
            picture = np.broadcast_to(row[None, :, None], (48, 64, 3)).copy()
            film.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        film.mux(stream.encode())


def number(picture):
    return sum(int(picture[24, 8 * bit + 4].mean() > 128) << bit for bit in range(8))


def wrong(path, **options):
    """Which frame is read for each number, where it is another one."""
    read = {
        frame: number(imageio.imread(path, index=frame, plugin="pyav", **options)) for frame in range(FRAMES)
    }
    return {frame: other for frame, other in read.items() if frame != other}


seen = {}
for path in ("film.mp4", "film.mkv"):
    write(path)
    assert [number(picture) for picture in imageio.imiter(path, plugin="pyav")] == list(range(FRAMES))
    seen[path] = wrong(path)
    counted = wrong(path, constant_framerate=False)
    print(f"{path}: wrong frames {seen[path] or 'none'}; with constant_framerate=False {counted or 'none'}")
    assert not counted
assert not seen["film.mp4"] and seen["film.mkv"]
assert all(other == frame + 1 for frame, other in seen["film.mkv"].items())
PYTHON
"$room/venv/bin/python" -W ignore show.py
