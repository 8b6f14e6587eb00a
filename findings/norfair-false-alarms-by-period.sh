#!/usr/bin/env bash
# A detector that looks at every fifth frame is tracked by norfair with update(detections, period=5).
# A false alarm is a detection in one frame only, which initialization_delay=3 keeps out: an object must be seen more often.
#
# Expected: with a period, too, an object is there after more than three detections, and a lone false alarm never.
# Seen (norfair 2.3.0): in every frame, or in every third one, a lone false alarm is nobody. In every fourth frame and more
# rarely it is a person at once, for 5 looks with a period of 4, 6 with a period of 5, and 11 with a period of 10, which last
# 100 frames.
# A detection counts as twice its period, and initialization_delay is compared with that.
# What helps: initialization_delay times the period, and hit_counter_max, which must be larger, too.
set -euo pipefail
room=$(mktemp -d); trap 'rm -rf "$room"' EXIT
python3 -m venv "$room/venv"
"$room/venv/bin/pip" install --quiet --disable-pip-version-check numpy==1.26.4 norfair==2.3.0
cd "$room"
cat > show.py <<'PYTHON'
import numpy as np
from norfair import Detection, Tracker


def looks_with_somebody(period, seen, scale=1):
    """In how many looks of 60 the tracker has an object, of which the first ones have a detection."""
    tracker = Tracker(
        distance_function="euclidean",
        distance_threshold=50,
        initialization_delay=3 * scale,
        hit_counter_max=15 * scale,
    )
    alarm = Detection(np.array([[10.0, 10.0]]))
    objects = [tracker.update([alarm] if look < seen else [], period=period) for look in range(60)]
    return sum(bool(found) for found in objects)


alone = {period: looks_with_somebody(period, seen=1) for period in (1, 3, 4, 5, 10)}
scaled = {period: looks_with_somebody(period, seen=1, scale=period) for period in alone}
real = {period: looks_with_somebody(period, seen=6, scale=period) for period in alone}
for period in alone:
    print(
        f"every {period}. frame: a lone false alarm is there for {alone[period]} looks; with both limits times the "
        f"period, {scaled[period]}, and who is seen six times {real[period]}"
    )
assert alone == {1: 0, 3: 0, 4: 5, 5: 6, 10: 11}
assert set(scaled.values()) == {0} and min(real.values()) > 5
PYTHON
"$room/venv/bin/python" -W ignore show.py
