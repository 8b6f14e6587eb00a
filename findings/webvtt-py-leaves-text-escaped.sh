#!/usr/bin/env bash
# In WebVTT, "&" and "<" of a text are written "&amp;" and "&lt;". webvtt-py leaves them so in what it calls a caption's
# text, though it takes tags out of it.
#
# Expected: the text of a cue "<v Ada>salt &amp; pepper" is "salt & pepper", as a browser shows it.
# Seen (webvtt-py 0.6.0): "salt &amp; pepper": the tag is gone, the escape is not.
# What helps: html.unescape(caption.text), as one does not write those texts back.
set -euo pipefail
room=$(mktemp -d); trap 'rm -rf "$room"' EXIT
python3 -m venv "$room/venv"
"$room/venv/bin/pip" install --quiet --disable-pip-version-check webvtt-py==0.6.0
cd "$room"
printf 'WEBVTT\n\n00:00.000 --> 00:01.000\n<v Ada>salt &amp; pepper\n' > cue.vtt
seen=$("$room/venv/bin/python" -c 'import webvtt; print(webvtt.read("cue.vtt")[0].text)')
echo "webvtt-py 0.6.0: $seen"
[ "$seen" = "salt &amp; pepper" ]
