#!/usr/bin/env bash
# Trackers are compared by how often they lose people (fragments) and how many they mostly keep. TrackEval, the scorer of the
# MOT Challenge, and motmetrics count both.
#
# Expected: two people of ten frames, whom a tracker does not see in frames 5 and 6: two fragments, whatever else the
# tracker says in these frames. Both are kept for 80 % of their time, and count as mostly tracked (arXiv:1603.00831: "at least
# 80%").
# Seen: TrackEval 1.3.0 counts no fragment. With a false alarm far away in frames 5 and 6 it counts two: it leaves out frames
# for which the tracker says nothing, also when it remembers who was seen in the last one. It counts nobody as mostly tracked.
# motmetrics 1.4.0 counts two fragments and two people.
# What helps: compare numbers of one scorer alone, and read fragments beside the number of misses.
set -euo pipefail
room=$(mktemp -d); trap 'rm -rf "$room"' EXIT
python3 -m venv "$room/venv"
pip() { "$room/venv/bin/pip" install --quiet --disable-pip-version-check "$@"; }
pip numpy==2.4.6 scipy==1.17.1 motmetrics==1.4.0
pip --no-deps trackeval==1.3.0
cd "$room"
cat > show.py <<'PYTHON'
from pathlib import Path

import motmetrics
import numpy as np
from trackeval import Evaluator
from trackeval.datasets import MotChallenge2DBox
from trackeval.metrics import CLEAR

FRAMES, UNSEEN = range(1, 11), (5, 6)
PEOPLE = {1: 10, 2: 110}  # with the left edges of their boxes


def rows(frames, people, end):
    return [f"{frame},{number},{left},10,20,40,1,{end}\n" for frame in frames for number, left in people.items()]


def by_trackeval(tracked):
    files = {
        "truth/seqmaps/film-train.txt": ["name\n", "scene\n"],
        "truth/film-train/scene/seqinfo.ini": [f"[Sequence]\nname=scene\nseqLength={len(FRAMES)}\n"],
        "truth/film-train/scene/gt/gt.txt": rows(FRAMES, PEOPLE, "1,1"),
        "tracked/film-train/mine/data/scene.txt": tracked,
    }
    for name, lines in files.items():
        Path(name).parent.mkdir(parents=True, exist_ok=True)
        Path(name).write_text("".join(lines))
    quiet = {"PRINT_CONFIG": False, "PRINT_RESULTS": False, "TIME_PROGRESS": False, "OUTPUT_SUMMARY": False}
    quiet |= {"OUTPUT_DETAILED": False, "PLOT_CURVES": False, "BREAK_ON_ERROR": True}
    folders = {"GT_FOLDER": "truth", "TRACKERS_FOLDER": "tracked", "BENCHMARK": "film", "SPLIT_TO_EVAL": "train"}
    data = MotChallenge2DBox(folders | {"PRINT_CONFIG": False})
    scores, _ = Evaluator(quiet).evaluate([data], [CLEAR({"PRINT_CONFIG": False})])
    found = scores["MotChallenge2DBox"]["mine"]["scene"]["pedestrian"]["CLEAR"]
    return int(found["Frag"]), int(found["MT"])


def by_motmetrics():
    kept = motmetrics.MOTAccumulator()
    for frame in FRAMES:
        seen = [] if frame in UNSEEN else list(PEOPLE)
        kept.update(list(PEOPLE), seen, [[0, np.nan], [np.nan, 0]] if seen else [], frameid=frame)
    names = ["num_fragmentations", "mostly_tracked"]
    return tuple(map(int, motmetrics.metrics.create().compute(kept, metrics=names).iloc[0][names]))


seen = rows([frame for frame in FRAMES if frame not in UNSEEN], PEOPLE, "-1,-1,-1")
alarm = rows(UNSEEN, {9: 500}, "-1,-1,-1")
answers = {
    "TrackEval": by_trackeval(seen),
    "TrackEval, false alarms in the frames between": by_trackeval(seen + alarm),
    "motmetrics": by_motmetrics(),
}
for name, (fragments, mostly) in answers.items():
    print(f"{name}: {fragments} fragments, {mostly} people mostly tracked")
assert list(answers.values()) == [(0, 0), (2, 0), (2, 2)]
PYTHON
"$room/venv/bin/python" -W ignore show.py | grep people
