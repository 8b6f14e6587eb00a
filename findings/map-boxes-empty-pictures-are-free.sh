#!/usr/bin/env bash
# Detectors are scored by average precision: boxes are taken best score first, each finds a person or is a false alarm. The
# package map-boxes does it for tables of all pictures' boxes, of people and of detections. Its option
# exclude_not_in_annotations, False unless asked for, is to leave out detections in pictures that have no people.
#
# Expected: such detections count as false alarms unless that is asked for; and the order of a table's rows means nothing.
# Seen (map-boxes 1.0.6): it looks only into pictures that have people, with either value of the option: a detector that sees
# ten people in an empty street is perfect. And within a picture it matches row by row: a poor box with a low score takes the
# person, if its row is above the good box's, which is a false alarm then. The same detections have 1.0 or 0.5.
# What helps: sort the detections by score; and give an empty picture a person of another class, of which the score is ignored.
set -euo pipefail
room=$(mktemp -d); trap 'rm -rf "$room"' EXIT
python3 -m venv "$room/venv"
"$room/venv/bin/pip" install --quiet --disable-pip-version-check numpy==2.4.6 pandas==3.1.1 map-boxes==1.0.6
cd "$room"
cat > show.py <<'PYTHON'
from map_boxes import mean_average_precision_for_boxes

ADA = ["street", "person", 0.1, 0.3, 0.1, 0.5]  # picture, class, x1, x2, y1, y2
GOOD = ["street", "person", 0.9, 0.1, 0.3, 0.1, 0.5]  # picture, class, score, x1, x2, y1, y2
POOR = ["street", "person", 0.2, 0.1, 0.3, 0.1, 0.4]
NOBODY = [["empty street", "person", 0.99, x / 20, x / 20 + 0.1, 0.2, 0.6] for x in range(10)]


def score(detections, people=(ADA,), **options):
    _, classes = mean_average_precision_for_boxes(list(people), detections, verbose=False, **options)
    return float(classes["person"][0])


seen = {
    "ten false alarms in an empty picture": score([GOOD, *NOBODY]),
    "the same, to be left out": score([GOOD, *NOBODY], exclude_not_in_annotations=True),
    "the same, and a dog in that picture": score([GOOD, *NOBODY], [ADA, ["empty street", "dog", 0.8, 0.9, 0.8, 0.9]]),
    "the good box above the poor one": score([GOOD, POOR]),
    "the poor box above the good one": score([POOR, GOOD]),
}
for name, value in seen.items():
    print(f"map-boxes 1.0.6, {name}: {value:.3f}")
assert [round(value, 3) for value in seen.values()] == [1.0, 1.0, 0.091, 1.0, 0.5]
PYTHON
"$room/venv/bin/python" -W ignore show.py
