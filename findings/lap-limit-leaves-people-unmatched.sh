#!/usr/bin/env bash
# Trackers in the style of ByteTrack give boxes to tracks by lap.lapjv(costs, extend_cost=True, cost_limit=limit). Its
# documentation calls cost_limit an upper limit for a cost of a single assignment.
#
# Expected: of the pairs within the limit as many as can be, and the cheapest of these: so does SciPy where the other pairs are
# made very dear.
# Seen (lap 0.5.13): two tracks, two boxes, costs 0.1 and 0.45 in the first row, 0.45 and 0.9 in the second, and a limit of
# 0.5. Both can be matched, at 0.45 each; lapjv matches one at 0.1, and leaves a track and a box alone. A row and a
# column without a pair cost half a limit each, so that a pair of 0.1 and two halves are cheaper than 0.9.
# In SciPy 1.17.1 without the limit, and the dear pairs dropped afterwards, it is the two pairs too.
# What helps: know which of both a tracker's paper means; scipy.optimize.linear_sum_assignment for the first.
set -euo pipefail
room=$(mktemp -d); trap 'rm -rf "$room"' EXIT
python3 -m venv "$room/venv"
"$room/venv/bin/pip" install --quiet --disable-pip-version-check numpy==2.4.6 scipy==1.17.1 lap==0.5.13
cd "$room"
cat > show.py <<'PYTHON'
import lap
import numpy as np
from scipy.optimize import linear_sum_assignment

COSTS, LIMIT = np.array([[0.1, 0.45], [0.45, 0.9]]), 0.5
_, boxes, _ = lap.lapjv(COSTS, extend_cost=True, cost_limit=LIMIT)
by_lap = [(track, int(box)) for track, box in enumerate(boxes) if box >= 0]
tracks, boxes = linear_sum_assignment(np.where(COSTS <= LIMIT, COSTS, 1e3))
by_scipy = [pair for pair in zip(tracks.tolist(), boxes.tolist()) if COSTS[pair] <= LIMIT]
print(f"lap, cost_limit {LIMIT}: {by_lap}; SciPy, other pairs made dear: {by_scipy}")
assert by_lap == [(0, 0)] and by_scipy == [(0, 1), (1, 0)]
PYTHON
"$room/venv/bin/python" show.py
