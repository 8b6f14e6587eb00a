#!/usr/bin/env bash
# A ranking can be scored by trec_eval, the reference tool for mean average precision, through pytrec_eval. It takes scores,
# not an order. It keeps them as 32-bit numbers, and orders what is equal by the names of documents, last name first.
#
# Expected: a document whose score is higher by 1e-9 is ranked first, as NumPy, scikit-learn and ranx rank it.
# Seen (pytrec_eval-terrier 0.5.11): average precision 0.5 where ranx 0.3.21 says 1.0. Scores that have passed through a
# sigmoid or a cosine and lie near 1 are often that close. With equal scores ranx keeps the order of the input, pytrec_eval
# takes the name: 1.0 and 0.5 again.
# What helps: give ranks, counted down, in place of scores.
set -euo pipefail
room=$(mktemp -d); trap 'rm -rf "$room"' EXIT
python3 -m venv "$room/venv"
"$room/venv/bin/pip" install --quiet --disable-pip-version-check numpy==2.4.6 numba==0.68.1 pytrec_eval-terrier==0.5.11 \
    ranx==0.3.21
cd "$room"
cat > show.py <<'PYTHON'
import pytrec_eval
from ranx import Qrels, Run, evaluate

TRUTH = {"ada": {"box1": 1}}


def both(first, second):
    ranking = {"ada": {"box1": first, "box2": second}}
    by_trec = pytrec_eval.RelevanceEvaluator(TRUTH, {"map"}).evaluate(ranking)["ada"]["map"]
    return float(by_trec), float(evaluate(Qrels(TRUTH), Run(ranking), "map"))


for first, second in ((2, 1), (1 + 1e-9, 1), (1, 1)):
    print(f"scores {first}, {second}: average precision (pytrec_eval, ranx) {both(float(first), float(second))}")
assert both(2.0, 1.0) == (1, 1)
assert both(1 + 1e-9, 1.0) == (0.5, 1)
assert both(1.0, 1.0) == (0.5, 1)
PYTHON
echo "pytrec_eval-terrier 0.5.11 and ranx 0.3.21, box1 is right and given first:"
"$room/venv/bin/python" -W ignore show.py
