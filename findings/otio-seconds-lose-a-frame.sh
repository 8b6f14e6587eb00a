#!/usr/bin/env bash
# Times that were measured in seconds become frames and time codes of an edit by RationalTime.from_seconds of OpenTimelineIO.
#
# Expected: n / 25 seconds at 25 frames a second is frame n, though the float may lie a trifle below it.
# Seen (opentimelineio 0.18.1): to_frames and to_timecode cut off. In an hour at 25 frames a second, 4586 of 90,000 frames
# come out one frame early: 1.16 s is 00:00:01:03, though to_time_string says 1.16. At 30000/1001 it is 11,266 of 108,000
# frames, at 24 none.
# What helps: RationalTime.from_seconds(...).round(), or whole numbers of frames from the start.
set -euo pipefail
room=$(mktemp -d); trap 'rm -rf "$room"' EXIT
python3 -m venv "$room/venv"
"$room/venv/bin/pip" install --quiet --disable-pip-version-check opentimelineio==0.18.1
cd "$room"
cat > show.py <<'PYTHON'
from fractions import Fraction

import opentimelineio as otio
from opentimelineio.opentime import RationalTime

early = {}
for rate, frames in ((Fraction(24), 86_400), (Fraction(25), 90_000), (Fraction(30_000, 1001), 108_000)):
    wrong = [n for n in range(frames) if RationalTime.from_seconds(float(n / rate), float(rate)).to_frames() != n]
    assert all(RationalTime.from_seconds(float(n / rate), float(rate)).to_frames() == n - 1 for n in wrong)
    assert all(RationalTime.from_seconds(float(n / rate), float(rate)).round().to_frames() == n for n in wrong)
    early[str(rate)] = len(wrong)
    print(f"opentimelineio {otio.__version__}, {rate} frames a second: {len(wrong)} of {frames} are one frame early")
time = RationalTime.from_seconds(29 / 25, 25)
print("frame 29 at 25 frames a second:", time.to_time_string(), "is", time.to_timecode())
assert early == {"24": 0, "25": 4586, "30000/1001": 11_266}
assert (time.to_time_string(), time.to_timecode()) == ("00:00:01.16", "00:00:01:03")
PYTHON
"$room/venv/bin/python" show.py
