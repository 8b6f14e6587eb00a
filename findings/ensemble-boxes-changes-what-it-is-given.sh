#!/usr/bin/env bash
# Boxes of several detectors become one list by ensemble-boxes: weighted_boxes_fusion, non_maximum_weighted, nms and soft_nms
# take the detectors' boxes, scores and labels, and weights that say how much each detector counts. Whoever looks for the best
# weights calls one of them again and again with the same lists.
#
# Expected: a function that returns new lists leaves its arguments alone, so that calling it twice gives the same twice.
# Seen (ensemble-boxes 1.0.9): with weights, nms and soft_nms write the weighted scores into the list that they were given. Each
# call multiplies them by the weights again, for itself and for whatever comes after it: of 0.9 and 0.8 by the weights 1 and 1
# the third call makes 0.11 and 0.1. Boxes get lost behind thresholds, and a search for weights finds what was tried first. The
# other two functions, in the same package and with the same arguments, leave the scores alone.
# What helps: give nms and soft_nms a copy, list(scores).
set -euo pipefail
room=$(mktemp -d); trap 'rm -rf "$room"' EXIT
python3 -m venv "$room/venv"
"$room/venv/bin/pip" install --quiet --disable-pip-version-check numpy==2.4.6 numba==0.68.1 ensemble-boxes==1.0.9
cd "$room"
cat > show.py <<'PYTHON'
import ensemble_boxes

BOXES = [[[0.1, 0.1, 0.3, 0.5]], [[0.6, 0.2, 0.9, 0.8]]]
LABELS = [[0], [0]]


def three_calls(name):
    """The scores of three calls with the same arguments, and whether the lists are what they were."""
    scores = [[0.9], [0.8]]
    method = getattr(ensemble_boxes, name)
    answers = [method(BOXES, scores, LABELS, iou_thr=0.5, weights=[1, 1])[1].astype(float).round(4).tolist() for _ in range(3)]
    return answers, [[float(score) for score in each] for each in scores] == [[0.9], [0.8]]


seen = {name: three_calls(name) for name in ("nms", "soft_nms", "weighted_boxes_fusion", "non_maximum_weighted")}
for name, (answers, kept) in seen.items():
    print(f"ensemble-boxes 1.0.9, {name}, three times the same: {answers}; the scores given {'stay' if kept else 'change'}")
for name in ("nms", "soft_nms"):
    assert seen[name] == ([[0.45, 0.4], [0.225, 0.2], [0.1125, 0.1]], False), name
for name in ("weighted_boxes_fusion", "non_maximum_weighted"):
    answers, kept = seen[name]
    assert answers[0] == answers[1] == answers[2] and kept, name
PYTHON
"$room/venv/bin/python" -W ignore show.py
