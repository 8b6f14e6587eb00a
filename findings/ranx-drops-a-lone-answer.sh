#!/usr/bin/env bash
# Searches by faces and by bodies are fused by ranx: each list of scores is normalised, and the scores of one document are added.
#
# Expected: who is found by bodies alone as the only, and so the best, answer gains by it, and is not worse off than without.
# Seen (ranx 0.3.21): with the default norm, "min-max", the only answer of a list gets 0, like somebody who was not found at all:
# its least score is its best one. Ben, second by faces and the only one by bodies, stays second with the same 0.43. With a
# second, hopeless answer by bodies he is first, with 1.43. In a list of equal scores all have 0. Nothing is said.
# What helps: norm="max" or norm="rank", by which an only answer has 1.
set -euo pipefail
room=$(mktemp -d); trap 'rm -rf "$room"' EXIT
python3 -m venv "$room/venv"
"$room/venv/bin/pip" install --quiet --disable-pip-version-check numpy==2.4.6 ranx==0.3.21
cd "$room"
cat > show.py <<'PYTHON'
from ranx import Run, fuse

FACES = {"ada": 0.9, "ben": 0.5, "cy": 0.2}


def fused(bodies, **options):
    """Scores of both lists together, best first."""
    lists = [Run({"film": scores}) for scores in (FACES, bodies)]
    scores = {name: round(float(score), 2) for name, score in fuse(lists, method="sum", **options).run["film"].items()}
    print(f"bodies {bodies}, {options or 'default norm'}: {scores}")
    return scores


assert fused({"ben": 0.7}) == {"ada": 1.0, "ben": 0.43, "cy": 0.0}
assert fused({"ben": 0.7, "cy": 0.1}) == {"ben": 1.43, "ada": 1.0, "cy": 0.0}
assert fused({"ben": 0.7}, norm="max") == {"ben": 1.56, "ada": 1.0, "cy": 0.22}
PYTHON
"$room/venv/bin/python" -W ignore show.py
