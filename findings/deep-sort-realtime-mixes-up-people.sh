#!/usr/bin/env bash
# deep-sort-realtime follows people by their boxes and by features, which a program may compute by itself and give along:
# update_tracks(boxes, embeds=features, others=names). A box that was cut to the picture can have no width.
#
# Expected: box, feature and name at one place of the three lists are of one person. A box without width is refused or left out
# together with its feature and name.
# Seen (deep-sort-realtime 1.3.2): the box is left out, its feature and name are not, so that all people behind it in the list
# have the feature and the name of the one before. From then on the track of Ben holds Ada's features. Nothing is said.
# What helps: leave out such boxes, with their features, before.
set -euo pipefail
room=$(mktemp -d); trap 'rm -rf "$room"' EXIT
python3 -m venv "$room/venv"
"$room/venv/bin/pip" install --quiet --disable-pip-version-check numpy==2.4.6 scipy==1.17.1 deep-sort-realtime==1.3.2 \
    opencv-python-headless==5.0.0.93
cd "$room"
cat > show.py <<'PYTHON'
import numpy as np
from deep_sort_realtime.deepsort_tracker import DeepSort

BOXES = {"cid": [0, 10, 20, 50], "ada": [100, 10, 20, 50], "ben": [200, 10, 20, 50]}  # left, top, width, height
FEATURES = dict(zip(BOXES, np.eye(3), strict=True))


def followed(width):
    """Name and owner of the newest feature of Ada's and Ben's tracks, after Cid came in with a box of this width."""
    tracker = DeepSort(embedder=None, n_init=1)
    for names in (["ada", "ben"], ["ada", "ben"], ["cid", "ada", "ben"]):
        boxes = [((BOXES[name][:2] + [width, 50]) if name == "cid" else BOXES[name], 0.9, "person") for name in names]
        tracks = tracker.update_tracks(boxes, embeds=[FEATURES[name] for name in names], others=names)
    found = {}
    for track in tracks[:2]:
        left = round(track.to_ltwh()[0])
        feature = tracker.tracker.metric.samples[track.track_id][-1]
        found[left] = (track.others, next(name for name in FEATURES if np.allclose(FEATURES[name], feature)))
    print(f"deep-sort-realtime 1.3.2, Cid's box is {width} wide: at 100 and 200 are {found[100]} and {found[200]}")
    return found


assert followed(20) == {100: ("ada", "ada"), 200: ("ben", "ben")}
assert followed(0) == {100: ("cid", "cid"), 200: ("ada", "ada")}
PYTHON
"$room/venv/bin/python" -W ignore show.py
