#!/usr/bin/env bash
# People who walk through a door are counted by a line: supervision's LineZone counts a track whose box was on one side of the
# line, and is on the other. At the door they are hidden for a moment, and the tracker gives them the same number after it.
#
# Expected: one person has crossed the line, however long nobody saw them, since the number is the same.
# Seen (supervision 0.31.2): hidden for one frame, the person is counted; hidden for two or more, they never were there. A line
# forgets on which side a track was after minimum_crossing_threshold + 1 frames without it, by default 2.
# So a tracker that bridges a second does not help.
# What helps: a larger minimum_crossing_threshold, which in turn asks for as many frames on the other side; or the tracks' own
# positions, filled in where they are hidden.
set -euo pipefail
room=$(mktemp -d); trap 'rm -rf "$room"' EXIT
python3 -m venv "$room/venv"
"$room/venv/bin/pip" install --quiet --disable-pip-version-check numpy==2.4.6 supervision==0.31.2
cd "$room"
cat > show.py <<'PYTHON'
import numpy as np
import supervision as sv


def crossings(hidden, after=2, **options):
    """How often a line sees a person cross who walks down, and is hidden in some frames, `after` frames before the end."""
    line = sv.LineZone(start=sv.Point(0, 240), end=sv.Point(640, 240), **options)
    for feet in [150, 160, 170, *[None] * hidden, *[320 + 10 * frame for frame in range(after)]]:
        person = sv.Detections.empty()
        if feet is not None:
            person = sv.Detections(xyxy=np.array([[300, feet - 50, 340, feet]], float), tracker_id=np.array([1]))
        line.trigger(person)
    return line.in_count + line.out_count


seen = {hidden: crossings(hidden) for hidden in (0, 1, 2, 3, 10)}
for hidden, counted in seen.items():
    print(f"hidden for {hidden} frames: {counted} crossings")
assert seen == {0: 1, 1: 1, 2: 0, 3: 0, 10: 0}
slow = [crossings(3, after, minimum_crossing_threshold=3) for after in (2, 3)]
print(f"with a threshold of 3, hidden for 3 frames and then seen for 2 or 3: {slow} crossings")
assert slow == [0, 1]
PYTHON
"$room/venv/bin/python" -W ignore show.py
