#!/usr/bin/env bash
# FFmpeg makes a constant rate of a film whose frames come at a variable one: for raw video, for pictures, and where -r asks
# for it. So does imageio, which reads films by FFmpeg's program.
#
# Expected: a film of 150 frames at 25 a second, which stands still for 30 frames between frame 29 and 30, gives 180 frames:
# frame 29 is repeated, and no frame is lost.
# Seen (FFmpeg 9.0.2 of imageio-ffmpeg 0.8.1): 182 frames, where imageio-ffmpeg counts 150. Frame 29 is repeated, then frame
# 30 as well, and frames 31 to 58 are lost, though they have their times. In an MP4 with B-frames a frame's length is the
# distance to the next one in the order of decoding, so that frame 30 claims the length of the pause. Without B-frames
# FFmpeg gives the 180; FFmpeg 5.1.9 of Debian does so with them as well.
# What helps: -fps_mode passthrough or vfr, and times from the file.
set -euo pipefail
room=$(mktemp -d); trap 'rm -rf "$room"' EXIT
python3 -m venv "$room/venv"
"$room/venv/bin/pip" install --quiet --disable-pip-version-check numpy==2.4.6 av==18.1.0 imageio-ffmpeg==0.8.1
cd "$room"
cat > show.py <<'PYTHON'
from fractions import Fraction

import av
import imageio_ffmpeg
import numpy as np

BITS = 2 ** np.arange(8)
FRAMES, STILL, PAUSE = 150, 30, 30


def picture(number):
    """A picture that shows a number as eight black and white columns."""
    columns = np.where(number & BITS, 255, 0).astype(np.uint8).repeat(8)
    return av.VideoFrame.from_ndarray(np.tile(columns[None, :, None], (48, 1, 3)), format="rgb24")


def number(pixels):
    columns = np.frombuffer(pixels, np.uint8).reshape(48, 8, 24).mean(axis=(0, 2))
    return int(((columns > 127) * BITS).sum())


def make(name, b_frames):
    with av.open(name, "w") as made:
        stream = made.add_stream("libx264", rate=25, options={"bf": str(b_frames)})
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        stream.codec_context.time_base = Fraction(1, 25)
        for count in range(FRAMES):
            frame = picture(count)
            frame.pts, frame.time_base = count + (PAUSE if count >= STILL else 0), Fraction(1, 25)
            made.mux(stream.encode(frame))
        made.mux(stream.encode())


def given(name, *options):
    frames = imageio_ffmpeg.read_frames(name, output_params=list(options))
    next(frames)  # what is known of the film
    return [number(frame) for frame in frames]


make("with.mp4", 3)
make("without.mp4", 0)
counted, _ = imageio_ffmpeg.count_frames_and_secs("with.mp4")
seen, without = given("with.mp4"), given("without.mp4")
lost = sorted(set(range(FRAMES)) - set(seen))
print(f"FFmpeg {imageio_ffmpeg.get_ffmpeg_version()}: counts {counted} frames and gives {len(seen)}")
print(f"frame 29 is given {seen.count(29)} times, frame 30 {seen.count(30)} times, frames {lost[0]} to {lost[-1]} never")
print(f"without B-frames: {len(without)} frames, of which {len(set(without))} differ")
assert given("with.mp4", "-fps_mode", "passthrough") == list(range(FRAMES)) and counted == FRAMES
assert len(without) == FRAMES + PAUSE and set(without) == set(range(FRAMES))
assert lost == list(range(31, 59)) and seen.count(30) == 31 + 1
PYTHON
"$room/venv/bin/python" show.py
