#!/usr/bin/env bash
# A telephone that is held upright writes a film whose picture is to be turned by 90 degrees. moviepy reads films by the
# FFmpeg that imageio-ffmpeg brings, which turns them.
#
# Expected: a picture of 160 by 96 pixels, to be turned, is 96 by 160, and a square stays a square.
# Seen (moviepy 2.2.1 with FFmpeg 9.0.2 of imageio-ffmpeg 0.8.1): moviepy takes the film for one that is not turned, and asks
# FFmpeg for frames of 160 by 96. They are turned, and squeezed into that size: a square of 48 pixels is 80 wide and 29
# high. With FFmpeg 7.0 of imageio-ffmpeg 0.6.0 it is a square. Newer ones write "Display Matrix" where moviepy looks
# for "displaymatrix" in what FFmpeg prints.
# What helps: imageio-ffmpeg 0.6.0, or target_resolution=(96, 160), which says the size outright.
set -euo pipefail
room=$(mktemp -d); trap 'rm -rf "$room"' EXIT
cd "$room"
cat > show.py <<'PYTHON'
import subprocess
import sys

import imageio_ffmpeg
from moviepy import VideoFileClip


def ffmpeg(arguments):
    subprocess.run([imageio_ffmpeg.get_ffmpeg_exe(), "-v", "error", *arguments.split()], check=True)


def square(**options):
    """Size of a frame, and of the light square in it, both as (width, height)."""
    frame = VideoFileClip("turned.mp4", audio=False, **options).get_frame(0)
    light = frame[..., 0] > 128
    return frame.shape[1::-1], (int(light.any(axis=0).sum()), int(light.any(axis=1).sum()))


if sys.argv[1] == "new":  # both read the film that the newer one makes
    ffmpeg("-f lavfi -i color=white:s=48x48:r=25:d=1,pad=160:96 -c:v libx264 -qp 1 -pix_fmt yuv420p film.mp4")
    ffmpeg("-display_rotation 90 -i film.mp4 -c copy turned.mp4")
(size, light), version = square(), imageio_ffmpeg.get_ffmpeg_version()
print(f"FFmpeg {version}: frames of {size}, a square of {light}")
if sys.argv[1] == "new":
    assert size == (160, 96) and light == (80, 29)
    assert square(target_resolution=(96, 160)) == ((96, 160), (48, 48))
else:
    assert size == (96, 160) and light == (48, 48)
PYTHON
for age in new old; do
    version=0.8.1
    [ "$age" = new ] || version=0.6.0
    python3 -m venv "$room/$age"
    "$room/$age/bin/pip" install --quiet --disable-pip-version-check numpy==2.4.6 moviepy==2.2.1 "imageio-ffmpeg==$version"
    "$room/$age/bin/python" show.py "$age"
done
