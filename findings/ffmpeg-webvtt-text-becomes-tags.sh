#!/usr/bin/env bash
# FFmpeg reads and writes WebVTT, for instance to move captions by a second (-itsoffset 1).
#
# Expected: the text of a caption stays: what is written "R&amp;B &lt;live&gt;", and shown as "R&B <live>", is shown so
# afterwards; and <v Ada>, which says who speaks, is kept.
# Seen (FFmpeg 9.0.2 of imageio-ffmpeg 0.8.1): it is written "R&B <live>". In WebVTT that is a tag, so that players show "R&B";
# and the speaker is gone.
# What helps: a library for WebVTT, or -c copy, which keeps both.
set -euo pipefail
room=$(mktemp -d); trap 'rm -rf "$room"' EXIT
python3 -m venv "$room/venv"
"$room/venv/bin/pip" install --quiet --disable-pip-version-check imageio-ffmpeg==0.8.1 webvtt-py==0.6.0
cd "$room"
program=$("$room/venv/bin/python" -c 'import imageio_ffmpeg; print(imageio_ffmpeg.get_ffmpeg_exe())')
printf 'WEBVTT\n\n00:01.000 --> 00:02.000\n<v Ada>R&amp;B &lt;live&gt;\n' > in.vtt
"$program" -nostdin -loglevel error -itsoffset 1 -i in.vtt out.vtt
"$program" -nostdin -loglevel error -itsoffset 1 -i in.vtt -c copy copied.vtt
written=$(tail -n +4 out.vtt | head -1)
shown=$("$room/venv/bin/python" -c 'import webvtt; print(webvtt.read("out.vtt")[0].text.strip())')
copied=$(tail -n +4 copied.vtt | head -1)
"$program" -version | head -1
echo "went in: $(tail -n +4 in.vtt)"
echo "came out: $written, of which webvtt-py 0.6.0 shows: $shown"
echo "with -c copy: $copied"
[ "$written" = "R&B <live>" ] && [ "$shown" = "R&B" ] && [ "$copied" = "<v Ada>R&amp;B &lt;live&gt;" ]
