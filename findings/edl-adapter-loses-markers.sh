#!/usr/bin/env bash
# Markers say within a clip who is seen where. The EDL adapter of OpenTimelineIO writes them as "* LOC:" lines below the event,
# and reads such lines.
#
# Expected: markers that the adapter writes are there when it reads the list again, each in its clip.
# Seen (opentimelineio 0.18.1, otio-cmx3600-adapter 1.0.0): so it is at 25 frames a second. At 30000/1001, where time codes are
# drop-frame, all markers are gone: they are in the file, but the reader takes no ";" in them. After a dissolve, the marker of
# the clip before it comes back twice, in its own clip and in the next one. Nothing is said in either case.
# What helps: FCP XML, which keeps both.
set -euo pipefail
room=$(mktemp -d); trap 'rm -rf "$room"' EXIT
python3 -m venv "$room/venv"
"$room/venv/bin/pip" install --quiet --disable-pip-version-check opentimelineio==0.18.1 otio-cmx3600-adapter==1.0.0 \
    otio-fcp-adapter==1.0.0
cd "$room"
cat > show.py <<'PYTHON'
import opentimelineio as otio
from opentimelineio.opentime import RationalTime, TimeRange


def film(rate, dissolve):
    """Two clips, with a marker each."""
    track = otio.schema.Track("faces", kind=otio.schema.TrackKind.Video)
    for name, start in [("ADA", 0), ("BEN", 100)]:
        reference = otio.schema.ExternalReference("film.mov", TimeRange(RationalTime(0, rate), RationalTime(500, rate)))
        clip = otio.schema.Clip(name, reference, TimeRange(RationalTime(start, rate), RationalTime(50, rate)))
        seen = TimeRange(RationalTime(start + 20, rate), RationalTime(0, rate))
        clip.markers.append(otio.schema.Marker(name, seen, otio.schema.MarkerColor.RED))
        track.append(clip)
    if dissolve:
        overlap = RationalTime(5, rate)
        track.insert(1, otio.schema.Transition("cut", otio.schema.TransitionTypes.SMPTE_Dissolve, overlap, overlap))
    timeline = otio.schema.Timeline("film")
    timeline.tracks.append(track)
    return timeline


def markers(timeline):
    return [[marker.name for marker in clip.markers] for clip in timeline.find_clips()]


def again(adapter, frame_rate, dissolve, **options):
    """The markers of both clips after writing and reading."""
    written = otio.adapters.write_to_string(film(frame_rate, dissolve), adapter, **options)
    found = markers(otio.adapters.read_from_string(written, adapter, **options))
    print(f"{adapter} at {frame_rate:.2f}, {'a dissolve' if dissolve else 'a cut'}: {found}")
    assert written.count("ADA") > 1 and "* LOC: 00:00:00" in written or adapter == "fcp_xml"
    return found


both, ntsc = [["ADA"], ["BEN"]], 30000 / 1001
assert again("cmx_3600", 25, False, rate=25) == both
assert again("cmx_3600", ntsc, False, rate=ntsc) == [[], []]
assert again("cmx_3600", 25, True, rate=25) == [["ADA"], ["ADA", "BEN"]]
assert again("fcp_xml", ntsc, True) == both
PYTHON
"$room/venv/bin/python" show.py
