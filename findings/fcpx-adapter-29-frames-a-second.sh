#!/usr/bin/env bash
# Final Cut Pro's FCPXML writes times as exact fractions: at NTSC's rate a frame is "1001/30000s", and frame 1000 is
# at "1001000/30000s". OpenTimelineIO reads it by its FCP X adapter.
#
# Expected: a clip from frame 1000 on, 57 frames long, has these numbers at 30000/1001 frames a second; at 25, too.
# Seen (opentimelineio 0.18.1, otio-fcpx-xml-adapter 1.0.0): frame 967 and 55 frames, at 29 frames a second: the rate
# is cut to a whole number, and the frames are counted at it. At 24000/1001 it is frame 959 at 23. At 25 the rate is
# right, but the clip has 56 frames: fractions become floats, and 57 / 25 * 25 is slightly below 57. So 4586 of the
# 90,000 frames of an hour are one too early. At 24 all are right. Nothing is said.
# What helps: FCP 7's XML (otio-fcp-adapter 1.0.0), which brings back every frame at each of these rates.
set -euo pipefail
room=$(mktemp -d); trap 'rm -rf "$room"' EXIT
python3 -m venv "$room/venv"
"$room/venv/bin/pip" install --quiet --disable-pip-version-check opentimelineio==0.18.1 otio-fcpx-xml-adapter==1.0.0 \
    otio-fcp-adapter==1.0.0
cd "$room"
cat > show.py <<'PYTHON'
from fractions import Fraction

import opentimelineio as otio
from opentimelineio.opentime import RationalTime, TimeRange

FIRST, FRAMES = 1000, 57


def by_fcpx(rate):
    """First frame, frames and rate of a clip in a project of Final Cut Pro, read by the adapter."""

    def time(frames):
        return f"{frames * rate.denominator}/{rate.numerator}s"

    written = f"""<?xml version="1.0" encoding="UTF-8"?>
<!DOCTYPE fcpxml>
<fcpxml version="1.8">
  <resources>
    <format id="r1" frameDuration="{time(1)}" width="1920" height="1080"/>
    <asset id="r2" name="film" src="file:///film.mov" start="0s" duration="{time(9000)}" format="r1" hasVideo="1"/>
  </resources>
  <library><event name="rushes"><project name="film">
    <sequence format="r1" tcStart="0s" duration="{time(FRAMES)}"><spine>
      <asset-clip ref="r2" name="ada" offset="0s" start="{time(FIRST)}" duration="{time(FRAMES)}" format="r1"/>
    </spine></sequence>
  </project></event></library>
</fcpxml>"""
    return numbers(otio.adapters.read_from_string(written, "fcpx_xml"))


def by_fcp7(rate):
    """The same clip, written and read as FCP 7's XML."""
    media = otio.schema.ExternalReference("film.mov", TimeRange(RationalTime(0, rate), RationalTime(9000, rate)))
    track = otio.schema.Track(kind="Video")
    track.append(otio.schema.Clip("ada", media, TimeRange(RationalTime(FIRST, rate), RationalTime(FRAMES, rate))))
    timeline = otio.schema.Timeline("film")
    timeline.tracks.append(track)
    return numbers(otio.adapters.read_from_string(otio.adapters.write_to_string(timeline, "fcp_xml"), "fcp_xml"))


def numbers(timeline):
    found = timeline.find_clips()[0].source_range
    return round(found.start_time.value), round(found.duration.value), round(found.start_time.rate, 3)


seen = {}
for rate in (Fraction(24), Fraction(25), Fraction(24000, 1001), Fraction(30000, 1001)):
    seen[rate] = by_fcpx(rate)
    print("at {}: frame {}, {} frames at {}".format(rate, *seen[rate]))
    assert by_fcp7(float(rate)) == (FIRST, FRAMES, round(float(rate), 3))
assert list(seen.values()) == [(1000, 57, 24), (1000, 56, 25), (959, 54, 23), (967, 55, 29)]
PYTHON
"$room/venv/bin/python" -W ignore show.py
