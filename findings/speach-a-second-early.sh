#!/usr/bin/env bash
# speach reads ELAN's annotations and writes times for WebVTT: vtt.sec2ts(25.403) is "00:00:25.403". Times of films are
# fractions: frame 1990 at 24000/1001 frames a second is at 82.99958 seconds.
#
# Expected: the time to a thousandth of a second: 00:01:23.000, or 00:01:22.999.
# Seen (speach 0.1a15.post1): "00:01:22.1000", since the thousandths are rounded and the seconds are not. No such time exists in
# WebVTT. webvtt-py 0.6.0 leaves out a cue that begins at it, and ends a cue there at 82.1, which is 0.9 seconds early. Of an
# hour 40 frames have such a time, and so has the sum 0.7 + 0.2 + 0.1, which is slightly below 1. Nothing is said.
# What helps: sec2ts(round(seconds, 3)).
set -euo pipefail
room=$(mktemp -d); trap 'rm -rf "$room"' EXIT
python3 -m venv "$room/venv"
"$room/venv/bin/pip" install --quiet --disable-pip-version-check speach==0.1a15.post1 webvtt-py==0.6.0
cd "$room"
cat > show.py <<'PYTHON'
import webvtt
from speach.vtt import sec2ts

frames = [frame * 1001 / 24000 for frame in range(3600 * 24000 // 1001)]
wrong = [frame for frame, seconds in enumerate(frames) if len(sec2ts(seconds)) > len("00:00:00.000")]
written = sec2ts(frames[1990])
first, second = f"00:01:20.000 --> {written}\nAda\n\n", f"{written} --> 00:02:00.000\nBen\n"
cues = [(cue.text, cue.start, cue.end) for cue in webvtt.from_string("WEBVTT\n\n" + first + second)]
print(f"speach: {frames[1990]:.5f} seconds are {written}; webvtt-py reads {cues}")
print(f"of {len(frames)} frames {len(wrong)} have such a time; 0.7 + 0.2 + 0.1 seconds are {sec2ts(0.7 + 0.2 + 0.1)}")
assert written == "00:01:22.1000" and cues == [("Ada", "00:01:20.000", "00:01:22.100")]
assert len(wrong) == 40 and wrong[0] == 1990
assert sec2ts(0.7 + 0.2 + 0.1) == "00:00:00.1000"
assert sec2ts(round(frames[1990], 3)) == "00:01:23.000"
PYTHON
"$room/venv/bin/python" -W ignore show.py
