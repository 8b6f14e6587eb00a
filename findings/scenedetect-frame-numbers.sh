#!/usr/bin/env bash
# PySceneDetect gives each scene's start as a time and as a number of a frame.
#
# Expected: the number counts the frames before it, so that frame 80 is the 81st, with every backend, also of a film
# whose rate changes, as of phones and of recorded screens.
# Seen (scenedetect-headless 0.7.2): the number is the time multiplied with a rate. In an MP4 of 120 frames, whose picture
# changes at frame 80 after 4.4 seconds, the backend "opencv" says frame 64 and "pyav" frame 220, which the film does not
# have; "pyav" also says that the film lasts 2.4 seconds and not 8.4. The times of the change are right.
# What helps: use times alone.
set -euo pipefail
room=$(mktemp -d); trap 'rm -rf "$room"' EXIT
python3 -m venv "$room/venv"
"$room/venv/bin/pip" install --quiet --disable-pip-version-check scenedetect-headless==0.7.2 av==18.1.0 \
    opencv-python-headless==5.0.0.93 numpy==2.4.6
cd "$room"
"$room/venv/bin/python" - <<'PYTHON'
from fractions import Fraction
from importlib.metadata import version

import av
import numpy as np
from scenedetect import ContentDetector, SceneManager, open_video

COUNT, CUT = 120, 80
times, time = [], 0
with av.open("film.mp4", "w") as container:
    stream = container.add_stream("libx264", rate=25, options={"x264-params": "log-level=none"})
    stream.width, stream.height, stream.pix_fmt = 160, 120, "yuv420p"
    stream.codec_context.time_base = Fraction(1, 100)
    for number in range(COUNT):
        image = np.full((120, 160, 3), 40 if number < CUT else 200, np.uint8)
        image[:, number] = 255
        frame = av.VideoFrame.from_ndarray(image, "rgb24")
        frame.time_base, frame.pts = Fraction(1, 100), time
        times.append(time / 100)
        time += 4 if number < 60 else 10
        container.mux(stream.encode(frame))
    container.mux(stream.encode(None))
print(f"scenedetect-headless {version('scenedetect-headless')}; the picture changes at frame {CUT}, {times[CUT]} s")
numbers = []
for backend in ("opencv", "pyav"):
    video, manager = open_video("film.mp4", backend=backend), SceneManager()
    manager.add_detector(ContentDetector(min_scene_len=1))
    manager.detect_scenes(video)
    start = manager.get_scene_list()[1][0]
    numbers.append(start.frame_num)
    print(f"{backend}: frame {start.frame_num}, {start.seconds:.2f} s, of a film of {video.duration.seconds:.2f} s")
    assert abs(start.seconds - times[CUT]) < 0.02
assert CUT not in numbers and numbers[0] != numbers[1]
PYTHON
