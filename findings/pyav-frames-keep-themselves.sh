#!/usr/bin/env bash
# A film is decoded frame by frame, and each frame's `side_data` are looked at, which say how to turn the picture.
#
# Expected: a frame is freed as soon as nobody holds it.
# Seen (PyAV 18.1.0): the frame keeps its side data, and these keep the frame. All frames stay in memory until Python looks
# for reference cycles, which depends on the number of objects: some 150 frames, 2 GB in 4K.
# What helps: SideDataContainer(frame), which the frame does not keep, though the type stubs do not know it.
set -euo pipefail
room=$(mktemp -d); trap 'rm -rf "$room"' EXIT
python3 -m venv "$room/venv"
"$room/venv/bin/pip" install --quiet --disable-pip-version-check av==18.1.0 numpy==2.4.6

"$room/venv/bin/python" - "$room/film.mp4" <<'PYTHON'
import gc
import sys
from importlib.metadata import version

import av
import numpy as np
from av.sidedata.sidedata import SideDataContainer

print("av", version("av"))
gc.disable()  # so that the number of objects that Python happens to make does not matter
with av.open(sys.argv[1], "w") as container:
    stream = container.add_stream("libx264", rate=25)
    stream.width, stream.height, stream.pix_fmt = 640, 360, "yuv420p"
    for _ in range(100):
        container.mux(stream.encode(av.VideoFrame.from_ndarray(np.zeros((360, 640, 3), np.uint8), format="rgb24")))
    container.mux(stream.encode(None))
del container, stream


def decode(look) -> None:
    with av.open(sys.argv[1]) as container:
        for frame in container.decode(video=0):
            look(frame)


def left(look) -> int:
    """How many frames are in memory when all were decoded, looked at, and let go."""
    gc.collect()
    decode(look)
    return sum(isinstance(each, av.VideoFrame) for each in gc.get_objects())


found = {name: left(look) for name, look in {
    "not looked at": lambda frame: None,
    "frame.side_data": lambda frame: list(frame.side_data),
    "SideDataContainer(frame)": lambda frame: list(SideDataContainer(frame)),
}.items()}
print("expected in memory: 0 frames of 100")
for name, number in found.items():
    print(f"{name}: {number}")
assert found == {"not looked at": 0, "frame.side_data": 100, "SideDataContainer(frame)": 0}
PYTHON
