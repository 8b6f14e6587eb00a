#!/usr/bin/env bash
# A tracker of Roboflow's trackers takes the boxes of a frame and gives them back with an identity each.
#
# Expected: row by row, as update(detections) of other trackers does: row 0 of the answer is row 0 of what was asked, so that
# identities can be put beside what else is known of the boxes; and each box of a tracked person has an identity.
# Seen (trackers 2.6.1): the rows are in another order, boxes that are not sure come last whatever their place was, and a
# box that begins a track has the identity -1 in its first frames. Nothing else in the answer says which row is which.
# What helps: give `data={"row": np.arange(n)}`, which goes along with its row.
set -euo pipefail
room=$(mktemp -d); trap 'rm -rf "$room"' EXIT
python3 -m venv "$room/venv"
"$room/venv/bin/pip" install --quiet --disable-pip-version-check trackers==2.6.1
"$room/venv/bin/python" - <<'PYTHON'
from importlib.metadata import version

import numpy as np
import supervision as sv
from trackers import ByteTrackTracker

tracker = ByteTrackTracker(frame_rate=25)
for frame in range(4):
    x = 2 * frame
    boxes = np.array([[300 + x, 10, 340 + x, 110], [x, 10, 40 + x, 110], [150 + x, 10, 190 + x, 110]], np.float32)
    asked = sv.Detections(xyxy=boxes, confidence=np.array([0.3, 0.9, 0.95]), class_id=np.zeros(3, int))
    answer = tracker.update(asked)
    rows = [int(np.flatnonzero((boxes == box).all(axis=1))[0]) for box in answer.xyxy]
    print(f"trackers {version('trackers')}, frame {frame}: asked for rows [0, 1, 2], "
          f"answered rows {rows} with identities {answer.tracker_id.tolist()}")
assert rows != [0, 1, 2]
PYTHON
