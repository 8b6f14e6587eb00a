#!/usr/bin/env bash
# A WebVTT cue says how high it is by `line`, a number of lines or per cent, and by `position` where it is from left to
# right. Both are independent: https://www.w3.org/TR/webvtt1/#webvtt-cue-position.
#
# Expected: a cue with position:80% has its middle at 80 % of the video's width, whatever `line` says.
# Seen (Chromium 150): with `line:50%` it is at 56 %, with `line:7` at 80 %. A line in per cent also moves the cue to
# the left, by its box's left edge times its width.
# What helps: write numbers of lines; some 14 fit into the height.
set -euo pipefail
room=$(mktemp -d); trap 'rm -rf "$room"' EXIT
python3 -m venv "$room/venv"
"$room/venv/bin/pip" install --quiet --disable-pip-version-check numpy==2.4.6 av==18.1.0 pillow==13.0.0
cd "$room"
cat > make.py <<'PYTHON'
import base64

import av
import numpy as np

with av.open("black.mp4", "w") as made:
    stream = made.add_stream("libx264", rate=10)
    stream.width, stream.height, stream.pix_fmt = 640, 360, "yuv420p"
    for _ in range(50):
        made.mux(stream.encode(av.VideoFrame.from_ndarray(np.zeros((360, 640, 3), np.uint8))))
    made.mux(stream.encode())
video = base64.b64encode(open("black.mp4", "rb").read()).decode()
for name, line, snap in (("percent", 50, "false"), ("lines", 7, "true")):
    cue = f"cue.snapToLines = {snap}; cue.line = {line}; cue.position = 80; cue.align = 'center'"
    script = f"const cue = new VTTCue(0, 9, 'name'); {cue}; const track = v.addTextTrack('captions'); track.addCue(cue);"
    page = f'<body style="margin:0"><video id=v src="data:video/mp4;base64,{video}" style="width:640px"></video>'
    open(f"{name}.html", "w").write(f"{page}<script>{script} track.mode = 'showing'; v.muted = true; v.play();</script>")
PYTHON
cat > look.py <<'PYTHON'
import numpy as np
from PIL import Image

seen = {}
for name in ("percent", "lines"):
    picture = np.asarray(Image.open(f"{name}.png").convert("L"))[:360, :640]
    assert (picture > 200).any(), "the browser was too slow to show the cue"
    seen[name] = 100 * np.flatnonzero((picture > 200).any(axis=0)).mean() / 640
    print(f"position 80 %, height in {name}: the cue is at {seen[name]:.0f} %")
assert abs(seen["lines"] - 80) < 3 and seen["percent"] < 75, "the behaviour has changed"
PYTHON
venv/bin/python make.py
chromium --version
for name in percent lines; do
    chromium --headless=new --no-sandbox --disable-gpu --autoplay-policy=no-user-gesture-required --timeout=12000 --window-size=800,600 \
        --screenshot="$room/$name.png" "file://$room/$name.html" > log 2>&1
done
venv/bin/python look.py
