#!/usr/bin/env bash
# The package timecode turns seconds and frames into SMPTE time codes and computes with them.
#
# Expected: 2.0 seconds at 25 frames a second are 00:00:02:00, and 10 seconds less 4 seconds are 6 seconds.
# Seen (timecode 1.5.1): 00:00:01:24 and 00:00:05:24. The first frame, 00:00:00:00, counts as 1 in all that is computed, so
# the time code of a length is one frame short, and a length of 0 is a ValueError.
# What helps: make positions by frames=number + 1, and take lengths from `frames`, never from the text.
set -euo pipefail
room=$(mktemp -d); trap 'rm -rf "$room"' EXIT
python3 -m venv "$room/venv"
"$room/venv/bin/pip" install --quiet --disable-pip-version-check timecode==1.5.1
cd "$room"
cat > show.py <<'PYTHON'
from timecode import Timecode

two = str(Timecode("25", start_seconds=2.0))
six = Timecode("25", "00:00:10:00") - Timecode("25", "00:00:04:00")
print(f"timecode 1.5.1: 2.0 seconds are {two}; 10 s less 4 s are {six}, though of {six.frames} frames")
assert (two, str(six), six.frames) == ("00:00:01:24", "00:00:05:24", 150)
PYTHON
"$room/venv/bin/python" show.py
