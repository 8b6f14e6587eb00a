#!/usr/bin/env bash
# torchcodec gives the frame that is shown at a time, get_frame_played_at(seconds), and frames by number. By default it reads
# the whole file before, to be exact.
#
# Expected: the frame at a time is the last one that began by then; number 0 is the first frame of the film.
# Seen (torchcodec 0.17.0 with the libraries of FFmpeg 5.1.9, which the machine must have): in a Matroska file whose picture
# stands still from 0.76 to 2.00 seconds, the frame at 1 second is the one that begins at 2.00. In an MPEG transport stream
# the first of two groups of pictures is not reached: number 0 is frame 50, and so is what is shown at each time in the
# first two seconds; number 50 is a RuntimeError. The number of frames, 100, is right.
# What helps: look at pts_seconds of what was given; decode from the start by PyAV where it is later than asked.
set -euo pipefail
room=$(mktemp -d); trap 'rm -rf "$room"' EXIT
python3 -m venv "$room/venv"
"$room/venv/bin/pip" install --quiet --disable-pip-version-check numpy==2.4.6 av==18.1.0 torch==2.14.1 torchcodec==0.17.0
cd "$room"
cat > show.py <<'PYTHON'
from fractions import Fraction
from importlib.metadata import version

import av
import numpy as np
from torchcodec.decoders import VideoDecoder

BITS = 2 ** np.arange(8)


def picture(number):
    """A picture that shows a number as eight black and white columns."""
    columns = np.where(number & BITS, 255, 0).astype(np.uint8).repeat(8)
    return av.VideoFrame.from_ndarray(np.tile(columns[None, :, None], (48, 1, 3)), format="rgb24")


def number(pixels):
    columns = pixels.numpy().reshape(3, 48, 8, 8).mean(axis=(0, 1, 3))
    return int(((columns > 127) * BITS).sum())


def make(name, frames, pause):
    with av.open(name, "w") as made:
        stream = made.add_stream("libx264", rate=25, options={"g": "50", "sc_threshold": "0"})
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        stream.codec_context.time_base = Fraction(1, 25)
        for count in range(frames):
            frame = picture(count)
            frame.pts, frame.time_base = count + (pause if count >= 20 else 0), Fraction(1, 25)
            made.mux(stream.encode(frame))
        made.mux(stream.encode())


make("still.mkv", 60, pause=30)
make("broadcast.ts", 100, pause=0)
still = VideoDecoder("still.mkv").get_frame_played_at(1.0)
print(f"torchcodec {version('torchcodec')}: at 1.0 s of still.mkv is frame {number(still.data)},",
      f"which begins at {still.pts_seconds:.2f} s")
broadcast = VideoDecoder("broadcast.ts")
start = broadcast.metadata.begin_stream_seconds
first = number(broadcast[0])
at = {seconds: number(broadcast.get_frame_played_at(start + seconds).data) for seconds in (0.0, 1.0, 1.9)}
try:
    broadcast[50]
    reached = True
except RuntimeError:
    reached = False
print(f"broadcast.ts has {len(broadcast)} frames; number 0 is frame {first}; frames by seconds from its start: {at}")
print("frame number 50 is reached:", reached)
assert number(still.data) == 20 and abs(still.pts_seconds - 2.0) < 1e-6
assert len(broadcast) == 100 and first == 50 and set(at.values()) == {50} and not reached
PYTHON
"$room/venv/bin/python" -W ignore show.py 2> log || { cat log; exit 1; }
