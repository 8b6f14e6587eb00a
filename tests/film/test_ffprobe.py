"""The times of frames are those that FFprobe gives, counted from the start of the file."""

import json
import shutil
import subprocess
from fractions import Fraction

import av
import numpy as np
import pytest
from factories.clips import damage, numbered, write

from castsearch.film.decode import Film

pytestmark = pytest.mark.skipif(shutil.which("ffprobe") is None, reason="needs ffprobe, which comes with FFmpeg")
VARIABLE = [Fraction(n * n, 100) for n in range(12)]
OPEN_GROUPS = {"sc_threshold": "0", "g": "10", "x264-params": "open-gop=1:bframes=3"}
INTERLACED = {"codec": "mpeg2video", "options": {"flags": "+ildct+ilme", "top": "1"}}


def narrow(stream):
    stream.codec_context.sample_aspect_ratio = Fraction(16, 11)


def hdr(stream):
    context = stream.codec_context
    context.colorspace, context.color_trc, context.color_primaries = 9, 16, 9


CLIPS = {
    "a constant rate with B-frames": ("a.mp4", {}),
    "a rate that no float holds": ("a.mkv", {"rate": Fraction(24000, 1001)}),
    "a variable rate": ("a.mp4", {"times": VARIABLE}),
    "a variable rate that begins late": ("a.mkv", {"times": VARIABLE, "shift": 7}),
    "AVI": ("a.avi", {"codec": "mpeg4", "options": {"bf": "0"}}),
    "MPEG-TS that begins after 1000 seconds": ("a.ts", {"shift": 1000}),
    "sound that begins earlier, in MP4": ("a.mp4", {"shift": 1, "sound_from": 0}),
    "sound that begins earlier, in MPEG-TS": ("a.ts", {"shift": 2, "sound_from": 1.5}),
    "sound that begins later": ("a.mkv", {"shift": 0.2, "sound_from": 1}),
    "an edit list": ("a.mp4", {"shift": Fraction(-4, 25)}),
    "open groups of pictures": ("a.mp4", {"options": OPEN_GROUPS}),
    "open groups of pictures in MPEG-TS": ("a.ts", {"options": OPEN_GROUPS}),
    "a turned picture": ("a.mp4", {"prepare": lambda stream: stream.set_display_rotation(90)}),
    "pixels that are not square": ("a.mp4", {"prepare": narrow}),
    "interlaced frames": ("a.mpg", INTERLACED),
    "10 bits and HDR": ("a.mkv", {"codec": "libx265", "pixels": "yuv420p10le", "prepare": hdr}),
}


def probed(path, stream=0):
    """Times of the frames of a video stream; NaN where it gives none, as of the last frame of MPEG program streams."""
    show = ["-show_entries", "frame=best_effort_timestamp_time:format=start_time", "-of", "json"]
    line = ["ffprobe", "-v", "quiet", "-select_streams", f"v:{stream}", *show, str(path)]
    found = json.loads(subprocess.run(line, capture_output=True, check=True).stdout)
    start = float(found["format"]["start_time"])
    return [float(frame.get("best_effort_timestamp_time", "nan")) - start for frame in found["frames"]]


def decoded(path):
    with Film(path) as film:
        return [float(frame.time) for frame in film.frames()]


@pytest.mark.parametrize(("name", "options"), CLIPS.values(), ids=CLIPS)
def test_times_are_those_of_ffprobe(tmp_path, name, options):
    if options.get("codec") == "libx265":
        options = {"options": {"x265-params": "log-level=none"}} | options
    count = len(options.get("times") or range(25))
    path = write(tmp_path / name, [numbered(number) for number in range(count)], **options)
    times = decoded(path)
    expected = probed(path)
    known = ~np.isnan(expected)
    assert known.sum() >= 10
    assert np.array(times)[known] == pytest.approx(np.array(expected)[known], abs=2e-6)


def test_the_times_of_several_streams_are_those_of_the_one_that_is_taken(tmp_path):
    path = tmp_path / "a.mkv"
    with av.open(str(path), "w") as container:
        streams = [container.add_stream("ffv1", rate=rate) for rate in (10, 25)]
        for stream, size in zip(streams, (64, 128), strict=True):
            stream.width = stream.height = size
            stream.pix_fmt = "yuv420p"
            stream.disposition = av.stream.Disposition(0)
        for stream, size in zip(streams, (64, 128), strict=True):
            for _ in range(12):
                container.mux(stream.encode(av.VideoFrame.from_ndarray(np.zeros((size, size, 3), np.uint8))))
            container.mux(stream.encode(None))
    assert decoded(path) == pytest.approx(probed(path, 1), abs=2e-6)


def test_damage_does_not_move_the_times_of_what_is_left(tmp_path):
    path = damage(write(tmp_path / "a.mkv", [numbered(number) for number in range(40)], codec="ffv1"), 20)
    times = decoded(path)
    assert 37 <= len(times) <= 40
    assert {round(time, 3) for time in times} <= {round(time, 3) for time in probed(path)} | {0.8}
