#!/usr/bin/env bash
# PySceneDetect writes the scenes that it found as an edit decision list (save-edl, write_scene_list_edl), which says "FCM:
# NON-DROP FRAME": time codes count frames, 30 to each second, also where a film has 29.97 a second.
#
# Expected: readers of such lists give the frames at which the scenes begin.
# Seen (scenedetect-headless 0.7.2): neither OpenTimelineIO's adapter (otio-cmx3600-adapter 1.0.0, EDLParseError) nor pycmx
# 1.5.1 (no title) can read the list as it is: its first line is a remark, where the format has TITLE. Without that line all is
# right at 25 frames a second. At 30000/1001 and 24000/1001 the time codes are seconds of the clock: frame 53946, half an hour
# into the film at 30000/1001, is 53 frames late, and frame 107892 is 107 frames late.
# What helps: write_scene_list_otio, or the EDL adapter of OpenTimelineIO with frames.
set -euo pipefail
room=$(mktemp -d); trap 'rm -rf "$room"' EXIT
python3 -m venv "$room/venv"
"$room/venv/bin/pip" install --quiet --disable-pip-version-check scenedetect-headless==0.7.2 opentimelineio==0.18.1 \
    otio-cmx3600-adapter==1.0.0 pycmx==1.5.1
cd "$room"
cat > show.py <<'PYTHON'
import io
from fractions import Fraction

import opentimelineio
import pycmx
from scenedetect import FrameTimecode
from scenedetect.output import write_scene_list_edl

FRAMES = [0, 100, 1800, 53946, 107892]


def edl(rate):
    times = [FrameTimecode(frame, rate) for frame in FRAMES]
    written = io.StringIO()
    write_scene_list_edl(written, list(zip(times[:-1], times[1:], strict=True)))
    return written.getvalue()


def starts_and_end(text, rate):
    """First frames of the scenes, and the end of the last one, as OpenTimelineIO reads them."""
    clips = opentimelineio.adapters.read_from_string(text, "cmx_3600", rate=float(rate)).find_clips()
    ranges = [clip.source_range for clip in clips]
    return [int(each.start_time.value) for each in ranges] + [int(ranges[-1].end_time_exclusive().value)]


refused = 0
try:
    starts_and_end(edl(Fraction(25)), Fraction(25))
except Exception as error:  # the adapter's own class is in a module that OpenTimelineIO loads by itself
    print(f"OpenTimelineIO, the list as it is: {type(error).__name__}: {error}")
    refused += type(error).__name__ == "EDLParseError"
try:
    pycmx.parse_cmx3600(io.StringIO(edl(Fraction(25)))).title
except AttributeError as error:
    print(f"pycmx, the list as it is: {error}")
    refused += 1
assert refused == 2
late = {}
for rate in (Fraction(25), Fraction(30000, 1001), Fraction(24000, 1001)):
    remark, rest = edl(rate).split("\n", 1)
    assert remark.startswith("* ") and rest.startswith("TITLE: ") and "NON-DROP" in rest
    late[rate] = [found - frame for found, frame in zip(starts_and_end(rest, rate), FRAMES, strict=True)]
    print(f"{float(rate):.3f} frames a second: scenes at {FRAMES} are late by {late[rate]} frames")
assert late[Fraction(25)] == [0] * 5
assert late[Fraction(30000, 1001)] == late[Fraction(24000, 1001)] == [0, 0, 1, 53, 107]
PYTHON
"$room/venv/bin/python" show.py
