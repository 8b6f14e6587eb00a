#!/usr/bin/env bash
# Captions that say who is on screen overlap, as people are there together. FFmpeg puts a WebVTT file into an MP4 as timed
# text (-c:s mov_text), whose samples can have several lines.
#
# Expected: Ada from 1 to 4 seconds and Ben from 2 to 3 come out as they went in, or there is a warning.
# Seen (FFmpeg 9.0.2 of imageio-ffmpeg 0.8.1): Ada's caption ends at 2 seconds, where Ben's begins, and does not come back
# when his is over. Nothing is said. In a Matroska file (-c:s webvtt) both keep their times.
# What helps: Matroska; or captions that are divided before, so that each moment has one cue with all names.
set -euo pipefail
room=$(mktemp -d); trap 'rm -rf "$room"' EXIT
python3 -m venv "$room/venv"
"$room/venv/bin/pip" install --quiet --disable-pip-version-check imageio-ffmpeg==0.8.1
cd "$room"
program=$("$room/venv/bin/python" -c 'import imageio_ffmpeg; print(imageio_ffmpeg.get_ffmpeg_exe())')
ffmpeg() { "$program" -nostdin -loglevel warning "$@" 2>&1; }
printf 'WEBVTT\n\n00:01.000 --> 00:04.000\nAda\n\n00:02.000 --> 00:03.000\nBen\n' > people.vtt
said=$(ffmpeg -i people.vtt -c:s mov_text people.mp4; ffmpeg -i people.mp4 mp4.vtt; ffmpeg -i people.vtt -c:s webvtt people.mkv
    ffmpeg -i people.mkv mkv.vtt)
times() { grep -e '-->' "$1" | tr '\n' ' '; }
"$program" -version | head -1
echo "went in: $(times people.vtt)"
echo "from MP4: $(times mp4.vtt)"
echo "from Matroska: $(times mkv.vtt)"
echo "warnings: '$said'"
[ "$(times mkv.vtt)" = "$(times people.vtt)" ] && [ -z "$said" ]
[ "$(times mp4.vtt)" = "00:01.000 --> 00:02.000 00:02.000 --> 00:03.000 " ]
