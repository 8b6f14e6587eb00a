#!/usr/bin/env bash
# PySceneDetect's detectors have min_scene_len, 15 frames by default, as the least length of a scene. A montage cuts more
# often than that.
#
# Expected: with a cut every ten frames, from frame 30 to 90, no scene is shorter than 15 frames: cuts at 30, 50, 70 and 90,
# and the same with every detector that sees all the cuts.
# Seen (scenedetect-headless 0.7.2): so say AdaptiveDetector, HistogramDetector and HashDetector. ContentDetector says 30 and
# 90: each cut that is dropped begins the 15 frames anew, so that a montage is one scene, however long it is.
# What helps: ContentDetector(filter_mode=FlashFilter.Mode.SUPPRESS), which gives what the others give.
set -euo pipefail
room=$(mktemp -d); trap 'rm -rf "$room"' EXIT
python3 -m venv "$room/venv"
"$room/venv/bin/pip" install --quiet --disable-pip-version-check numpy==2.4.6 av==18.1.0 scenedetect-headless==0.7.2
cd "$room"
cat > show.py <<'PYTHON'
import logging

import av
import numpy as np
import scenedetect
from scenedetect import AdaptiveDetector, ContentDetector, HashDetector, HistogramDetector
from scenedetect.detector import FlashFilter

logging.disable()
CUTS = range(30, 91, 10)
draw = np.random.default_rng(0)
pictures = [draw.integers(0, 256, (12, 16, 3), np.uint8).repeat(20, axis=0).repeat(20, axis=1) for _ in range(8)]
with av.open("film.mp4", "w") as made:
    stream = made.add_stream("libx264", rate=25, options={"crf": "10"})
    stream.width, stream.height, stream.pix_fmt = 320, 240, "yuv420p"
    for number in range(150):
        shot = sum(number >= cut for cut in CUTS)
        made.mux(stream.encode(av.VideoFrame.from_ndarray(pictures[shot])))
    made.mux(stream.encode())


def found(detector):
    return [int(start.frame_num) for start, _ in scenedetect.detect("film.mp4", detector)][1:]


print("cuts of the film:", list(CUTS))
seen = {kind.__name__: found(kind()) for kind in (AdaptiveDetector, HistogramDetector, HashDetector, ContentDetector)}
for name, cuts in seen.items():
    print(f"scenedetect {scenedetect.__version__}, {name}:", cuts)
suppressed = found(ContentDetector(filter_mode=FlashFilter.Mode.SUPPRESS))
print("ContentDetector that suppresses:", suppressed)
assert found(ContentDetector(min_scene_len=0)) == list(CUTS)
assert suppressed == seen["AdaptiveDetector"]
assert seen.pop("ContentDetector") == [30, 90]
assert all(cuts == [30, 50, 70, 90] for cuts in seen.values())
PYTHON
"$room/venv/bin/python" show.py
