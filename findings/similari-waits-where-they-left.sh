#!/usr/bin/env bash
# Trackers in the style of SORT know by a Kalman filter how fast somebody walks, and look for them where they must be by now. So
# they find somebody again who was hidden for a moment. Similari is such a tracker, with Python bindings.
#
# Expected: somebody who walks 5 pixels a frame, and is hidden for two to five frames, keeps the number, as tracks are kept
# for 10 frames here (max_idle_epochs).
# Seen (similari-trackers-rs 0.26.12): they get another number. The box that is compared does not move while they are hidden: it
# stays near the place where they were seen last. Somebody else who turns up there gets their number. The speed itself is known:
# predicted_bbox is right while they are seen.
# What helps: a lower threshold of overlap, wider boxes, or positions that are filled in before.
set -euo pipefail
room=$(mktemp -d); trap 'rm -rf "$room"' EXIT
python3 -m venv "$room/venv"
"$room/venv/bin/pip" install --quiet --disable-pip-version-check similari-trackers-rs==0.26.12
cd "$room"
cat > show.py <<'PYTHON'
from similari import BoundingBox, PositionalMetricType, Sort

SEEN, SPEED = 40, 5


def box(left):
    return BoundingBox.new_with_confidence(left, 10, 20, 50, 1.0).as_xyaah(), None


def number(hidden, left):
    """The number of who comes at `left`, after somebody walked for 40 frames and nobody was seen for `hidden` frames."""
    tracker = Sort(shards=1, bbox_history=10, max_idle_epochs=10, method=PositionalMetricType.iou(threshold=0.3))
    for frame in range(SEEN):
        [track] = tracker.predict([box(SPEED * frame)])
    assert track.id == 1 and abs(track.predicted_bbox.as_ltwh().left - SPEED * (SEEN - 1)) < 1
    for _ in range(hidden):
        assert tracker.predict([]) == []
    return tracker.predict([box(left)])[0].id


walking = [number(hidden, SPEED * (SEEN + hidden)) for hidden in range(6)]
waiting = [number(hidden, SPEED * (SEEN - 1)) for hidden in range(6)]
print(f"hidden for 0 to 5 frames, and walking on: number {walking}")
print(f"somebody where they were seen last: number {waiting}")
assert walking == [1, 1, 2, 2, 2, 2]
assert waiting == [1] * 6
PYTHON
"$room/venv/bin/python" show.py
