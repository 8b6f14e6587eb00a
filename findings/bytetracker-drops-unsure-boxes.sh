#!/usr/bin/env bash
# ByteTrack's idea is in its title, "Associating Every Detection Box" (arXiv:2110.06864): a person who is half hidden
# has a box with a low score, and keeps the track by it.
#
# Expected: a person whose score falls from 0.9 to 0.3 for three frames is tracked in all frames, whoever else is in
# them.
# Seen (bytetracker 0.3.2, a package of ByteTrack): alone, the person is lost in these three frames. With somebody
# else in the picture whose score stays high, the person is kept. The classes of the sure boxes are paired with the
# unsure boxes, so that as many unsure boxes are looked at as there are sure ones: of two unsure persons beside one
# who is sure, one is lost. Nothing is said.
# What helps: another package. (With torch 2.14.1 the answers are the same as with the stand-in below.)
set -euo pipefail
room=$(mktemp -d); trap 'rm -rf "$room"' EXIT
python3 -m venv "$room/venv"
pip() { "$room/venv/bin/pip" install --quiet --disable-pip-version-check "$@"; }
pip numpy==2.4.6 scipy==1.17.1 lap==0.5.13
pip --no-deps bytetracker==0.3.2  # whose own pins are of 2022
cd "$room"
cat > torch.py <<'PYTHON'
"""bytetracker asks torch for arrays alone, which a stand-in has as well and without gigabytes."""

import numpy as np


class Tensor(np.ndarray):
    def numpy(self):
        return np.asarray(self)

    def clone(self):
        return self.copy()
PYTHON
cat > show.py <<'PYTHON'
import numpy as np
import torch
from bytetracker import BYTETracker

HIDDEN = (6, 7, 8)


def tracked(unsure, sure):
    """How many of `unsure` people have a track in each of twelve frames, beside `sure` people who are never hidden."""
    tracker, counts = BYTETracker(), []
    for frame in range(12):
        scores = [0.3 if frame in HIDDEN else 0.9] * unsure + [0.9] * sure
        boxes = [[200 * place, 100, 200 * place + 50, 250, score, 0] for place, score in enumerate(scores)]
        tracks = tracker.update(np.array(boxes, float).view(torch.Tensor), None)
        counts.append(len([left for left, *_ in tracks if left < 200 * unsure - 100]))
    return counts


seen = {(unsure, sure): tracked(unsure, sure) for unsure, sure in [(1, 0), (1, 1), (2, 1), (2, 2)]}
for (unsure, sure), counts in seen.items():
    print(f"{unsure} unsure in frames 6 to 8, {sure} sure: tracks of the unsure {counts}")
assert seen[1, 0] == [1] * 6 + [0] * 3 + [1] * 3 and seen[1, 1] == [1] * 12
assert seen[2, 1] == [2] * 6 + [1] * 3 + [2] * 3 and seen[2, 2] == [2] * 12
PYTHON
"$room/venv/bin/python" -W ignore show.py
