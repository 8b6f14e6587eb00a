#!/usr/bin/env bash
# Television, DVDs and camcorders recorded interlaced: a frame is two half pictures, one of the odd lines, one of the even.
# The file says so for each frame.
#
# Expected: cv2.VideoCapture gives the lines as they are, with combs where something moves; or read() says False.
# Seen (opencv-python-headless 4.14.0.94 and 5.0.0.93): read() says True for each of the 25 frames, and no picture is the
# film's: all are one and the same, black as a rule, in H.264 in MP4, in an MPEG-2 transport stream and in DV. FFmpeg's library
# inside refuses the conversion, and says so on the standard error output alone. The number of frames and their size are
# right, so that a program finds nobody in the film, and no error. PyAV 18.1 gives the pictures of the same files.
# What helps: PyAV, or deinterlacing the film before: ffmpeg -i film -vf bwdif.
set -euo pipefail
room=$(mktemp -d); trap 'rm -rf "$room"' EXIT
cd "$room"
cat > show.py <<'PYTHON'
import subprocess

import av
import cv2
import imageio_ffmpeg

FILMS = {
    "film.mp4": "-vf interlace -c:v libx264 -flags +ildct+ilme -x264opts tff=1 -pix_fmt yuv420p",
    "film.ts": "-vf interlace -c:v mpeg2video -flags +ildct+ilme -pix_fmt yuv420p",
    "film.avi": "-vf interlace,scale=720:576 -target pal-dv",
    "whole.mp4": "-vf fps=25 -c:v libx264 -pix_fmt yuv420p",
}


def by_opencv(path):
    """The mean grey of each frame."""
    film = cv2.VideoCapture(path)
    while (answer := film.read())[0]:
        yield answer[1].mean()


def by_pyav(path):
    with av.open(path) as film:
        for frame in film.decode(video=0):
            yield frame.to_ndarray(format="bgr24").mean()


for path, options in FILMS.items():
    source = "-v error -f lavfi -i testsrc2=s=320x240:r=50:d=1"
    subprocess.run([imageio_ffmpeg.get_ffmpeg_exe(), *source.split(), *options.split(), path], check=True)
    opencv, pyav = list(by_opencv(path)), list(by_pyav(path))
    kinds = {"OpenCV " + cv2.__version__: len(set(opencv)), "PyAV": len(set(pyav))}
    print(f"{path}: different pictures among {len(opencv)}: {kinds}")
    assert len(opencv) == len(pyav) == 25 and len(set(pyav)) > 20
    assert len(set(opencv)) > 20 if path == "whole.mp4" else len(set(opencv)) == 1
PYTHON
for opencv in 4.14.0.94 5.0.0.93; do
    python3 -m venv "$room/$opencv"
    "$room/$opencv/bin/pip" install --quiet --disable-pip-version-check numpy==2.4.6 av==18.1.0 imageio-ffmpeg==0.8.1 \
        "opencv-python-headless==$opencv"
    "$room/$opencv/bin/python" show.py 2>/dev/null
    rm film.* whole.mp4
done
