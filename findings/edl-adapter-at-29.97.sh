#!/usr/bin/env bash
# NTSC's rate is commonly written 29.97. The EDL adapter of OpenTimelineIO writes an edit decision list at that rate, with
# drop-frame time codes, and then refuses to read it at that rate. So it does at 23.976.
#
# Expected: what was written at a rate can be read at that rate.
# Seen (opentimelineio 0.18.1, otio-cmx3600-adapter 1.0.0): ValueError "SMPTE timecode does not support this rate" when
# reading at 29.97 and 23.976; at 30000/1001 and 24000/1001 the clip comes back, frame for frame.
# What helps: exact rates.
set -euo pipefail
room=$(mktemp -d); trap 'rm -rf "$room"' EXIT
python3 -m venv "$room/venv"
"$room/venv/bin/pip" install --quiet --disable-pip-version-check opentimelineio==0.18.1 otio-cmx3600-adapter==1.0.0
cd "$room"
cat > trip.py <<'PYTHON'
import opentimelineio as otio
from opentimelineio.opentime import RationalTime, TimeRange


def trip(rate):
    timeline, track = otio.schema.Timeline("film"), otio.schema.Track()
    media = otio.schema.ExternalReference("film.mp4", TimeRange(RationalTime(0, rate), RationalTime(9000, rate)))
    track.append(otio.schema.Clip("ada", media, TimeRange(RationalTime(1843, rate), RationalTime(40, rate))))
    timeline.tracks.append(track)
    written = otio.adapters.write_to_string(timeline, "cmx_3600", rate=rate)
    try:
        clip = otio.adapters.read_from_string(written, "cmx_3600", rate=rate).find_clips()[0]
    except ValueError as error:
        return str(error)
    return f"{clip.source_range.start_time.value:.0f}+{clip.source_range.duration.value:.0f}"


print(*map(trip, (29.97, 23.976, 30000 / 1001, 24000 / 1001)), sep="; ")
PYTHON
seen=$("$room/venv/bin/python" trip.py)
echo "opentimelineio 0.18.1 at 29.97, 23.976, 30000/1001, 24000/1001: $seen"
refused="SMPTE timecode does not support this rate"
[ "$seen" = "$refused; $refused; 1843+40; 1843+40" ]
