#!/usr/bin/env bash
# In WebVTT a block that begins with NOTE is a comment, and one that begins with STYLE is a style sheet. Within a cue, below its
# times, these words are text: https://www.w3.org/TR/webvtt1/#webvtt-cue-block. Captions in capitals are common.
#
# Expected: the captions "NOTE TO SELF" and "STYLE ICON" are read as text.
# Seen (aeidon 2.0.1, the library of the editor Gaupol): the line is taken for a comment or a style, with all lines below it.
# The cue is then without text, and the next cue takes its place: of four captions two are left. Saved again, the texts
# are a comment and a style sheet. Nothing is said. webvtt-py 0.6.0 reads all four.
# What helps: a tag or a dash in front of the word: "- NOTE TO SELF".
set -euo pipefail
room=$(mktemp -d); trap 'rm -rf "$room"' EXIT
python3 -m venv "$room/venv"
"$room/venv/bin/pip" install --quiet --disable-pip-version-check aeidon==2.0.1 webvtt-py==0.6.0
cd "$room"
cat > show.py <<'PYTHON'
from pathlib import Path

import aeidon
import webvtt

CAPTIONS = ["NOTE TO SELF\nBUY MILK", "STYLE ICON", "ADA", "NOTES"]
Path("film.vtt").write_text(
    "WEBVTT\n\n" + "".join(f"00:0{n}.000 --> 00:0{n + 1}.000\n{text}\n\n" for n, text in enumerate(CAPTIONS))
)
Path("dash.vtt").write_text(Path("film.vtt").read_text().replace("\nNOTE ", "\n- NOTE ").replace("\nSTYLE ", "\n- STYLE "))


def by_aeidon(path):
    project = aeidon.Project()
    project.open_main(path, "utf_8")
    return project, [(subtitle.start_time, subtitle.main_text) for subtitle in project.subtitles]


project, found = by_aeidon("film.vtt")
print("aeidon 2.0.1:", found)
project.save_main(aeidon.files.new(aeidon.formats.WEBVTT, "saved.vtt", "utf_8"))
blocks = Path("saved.vtt").read_text().strip().split("\n\n")
print("saved again:", blocks)
assert [caption.text for caption in webvtt.read("film.vtt")] == CAPTIONS
assert found == [("00:00:02.000", "ADA"), ("00:00:03.000", "NOTES")]
assert "NOTE TO SELF\nBUY MILK" in blocks and "STYLE ICON" in blocks
assert len(by_aeidon("dash.vtt")[1]) == 4
PYTHON
"$room/venv/bin/python" -W ignore show.py
