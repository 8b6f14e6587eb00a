#!/usr/bin/env bash
# Cues of WebVTT can have a name, in the line above their times, and between cues there may be comments (NOTE). Most files do
# without names.
#
# Expected: pysubs2 gives the text of each cue, and neither the name of the next cue nor a comment.
# Seen (pysubs2 1.8.1): names and comments are added to the text of the cue before them, unless a name is a number: the first
# caption is "Ada" and "shot-2", one below the other. In turn a last line that is a number is taken for the name of the next
# cue, and is lost: of "Room" and "237" the room stays. In SubRip, whose cues all have numbers, it is lost in the last cue of
# the file. Nothing is said.
# What helps: webvtt-py 0.6.0 for WebVTT, and srt 3.5.3 for SubRip.
set -euo pipefail
room=$(mktemp -d); trap 'rm -rf "$room"' EXIT
python3 -m venv "$room/venv"
"$room/venv/bin/pip" install --quiet --disable-pip-version-check pysubs2==1.8.1 webvtt-py==0.6.0 srt==3.5.3
cd "$room"
cat > show.py <<'PYTHON'
import srt
import webvtt
from pysubs2 import SSAFile

NAMED = """WEBVTT

shot-1
00:00:01.000 --> 00:00:02.000
Ada

shot-2
00:00:02.000 --> 00:00:03.000
Ben

NOTE Checked by hand.

shot-3
00:00:03.000 --> 00:00:04.000
Cid
"""
NUMBERS = """WEBVTT

00:00:01.000 --> 00:00:02.000
Room
237

00:00:02.000 --> 00:00:03.000
Agent
007
"""
SUBRIP = """1
00:00:01,000 --> 00:00:02,000
Room
237

2
00:00:02,000 --> 00:00:03,000
Agent
007
"""


def lines(texts):
    """Lines of each cue, without empty ones."""
    return [[line for line in text.splitlines() if line] for text in texts]


def by_pysubs2(name, text):
    found = lines(event.plaintext for event in SSAFile.from_string(text))
    print(f"pysubs2 1.8.1, {name}: {found}")
    return found


def by_webvtt(text):
    return lines(caption.text for caption in webvtt.from_string(text))


assert by_webvtt(NAMED) == [["Ada"], ["Ben"], ["Cid"]]
assert by_webvtt(NUMBERS) == lines(cue.content for cue in srt.parse(SUBRIP)) == [["Room", "237"], ["Agent", "007"]]
assert by_pysubs2("WebVTT with names", NAMED) == [["Ada", "shot-2"], ["Ben", "NOTE Checked by hand.", "shot-3"], ["Cid"]]
assert by_pysubs2("WebVTT without names", NUMBERS) == [["Room"], ["Agent"]]
assert by_pysubs2("SubRip", SUBRIP) == [["Room", "237"], ["Agent"]]
PYTHON
"$room/venv/bin/python" show.py
