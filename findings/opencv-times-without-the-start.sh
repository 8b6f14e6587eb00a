#!/usr/bin/env bash
# The picture of a film may begin later than its sound, as after a cut that kept all sound. Players wait with the picture, and
# captions and annotations count from the start of the film.
#
# Expected: the first frame's time by OpenCV, CAP_PROP_POS_MSEC after the first read(), is when players show it.
# Seen, for pictures that begin a second after the sound: PyAV 18.1 says 1.0 for the first frame, in MP4 and in Matroska, and
# FFmpeg 9.0.2 shows it then. OpenCV 5.0 and decord 0.6.0 say 0.0, and every later time is a second early. Nothing says
# so.
# What helps: times by PyAV.
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

START, FRAMES, RATE = 1, 100, 25


def ffmpeg(arguments):
    command = [imageio_ffmpeg.get_ffmpeg_exe(), "-v", "error", *arguments.split()]
    return subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout


def by_opencv(path):
    """Time of the first frame, in seconds."""
    film = cv2.VideoCapture(path)
    assert film.read()[0]
    return film.get(cv2.CAP_PROP_POS_MSEC) / 1000


def by_decord(path):
    return float(decord.VideoReader(path).get_frame_timestamp(0)[0])


def by_pyav(path):
    with av.open(path) as film:
        return next(film.decode(video=0)).time


ffmpeg(f"-f lavfi -i color=white:s=64x64:r={RATE}:d={FRAMES / RATE} -c:v libx264 -bf 0 -pix_fmt yuv420p silent.mp4")
for path in ["film.mp4", "film.mkv"]:
    sound = "-f lavfi -i sine=d=5"
    ffmpeg(f"{sound} -itsoffset {START} -i silent.mp4 -map 1:v -map 0:a -c:v copy -c:a aac {path}")
    shown = ffmpeg(f"-i {path} -fps_mode cfr -r {RATE} -map 0:v -f rawvideo -pix_fmt gray -")
    found = {"PyAV": by_pyav(path), "OpenCV": by_opencv(path), "decord": by_decord(path)}
    print(f"{path}: time of the first frame: {found}; FFmpeg shows {len(shown) // 64**2} frames for {FRAMES}")
    assert len(shown) // 64**2 == FRAMES + START * RATE
    assert list(found.values()) == [START, 0, 0]
PYTHON
"$room/venv/bin/python" show.py 2>/dev/null
