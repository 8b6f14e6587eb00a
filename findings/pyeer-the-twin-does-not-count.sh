#!/usr/bin/env bash
# Face verification is reported by ZeroFMR: how many genuine pairs are rejected at a threshold that lets no impostor
# pass. pyeer computes it, and defines it as "the lowest FNMR at which no false matches occur".
#
# Expected: one impostor of a hundred is more alike than every genuine pair, as a twin is. Who keeps the twin out
# rejects every genuine pair: ZeroFMR is 1.
# Seen (pyeer 0.5.6): ZeroFMR is 0, the best value there is. Only scores that occur are thresholds, so that none lies
# above the twin, and the value at the nearest false match rate is given, here 1 in 100. FMR1000 is 0 as well. The
# area under the curve lacks the same piece: where three of four genuine pairs and one of four impostors share the
# best score, it is 0.75 in place of 0.84, the share of pairs that are in the right order. Nothing is said.
# What helps: roc_curve of scikit-learn, and the lowest FNMR where the false match rate is at most the one that was
# asked for.
set -euo pipefail
room=$(mktemp -d); trap 'rm -rf "$room"' EXIT
python3 -m venv "$room/venv"
pip() { "$room/venv/bin/pip" install --quiet --disable-pip-version-check "$@"; }
pip numpy==2.4.6 matplotlib==3.11.2 setuptools==80.9.0
pip --no-deps pyeer==0.5.6
cd "$room"
cat > show.py <<'PYTHON'
from pyeer.eer_info import get_eer_stats


def zero_fmr(genuine, impostors):
    """The share of genuine pairs that are rejected by a threshold just above the best impostor."""
    return sum(score <= max(impostors) for score in genuine) / len(genuine)


def area(genuine, impostors):
    """The share of pairs, one genuine and one of an impostor, in the right order; equal ones count half."""
    points = [(one > other) + (one == other) / 2 for one in genuine for other in impostors]
    return sum(points) / len(points)


genuine, strangers, twin = [0.5, 0.6, 0.7, 0.8] * 25, [0.1, 0.2, 0.3] * 33, [0.9]
seen, truth = get_eer_stats(genuine, strangers + twin), zero_fmr(genuine, strangers + twin)
print(f"with a twin: ZeroFMR {seen.fmr0} and FMR1000 {seen.fmr1000} by pyeer, ZeroFMR is {truth}")
assert (seen.fmr0, seen.fmr1000, truth) == (0, 0, 1)
assert get_eer_stats(genuine, strangers).fmr0 == zero_fmr(genuine, strangers) == 0

genuine, impostors = [1, 1, 1, 0.5], [1, 0.4, 0.3, 0.2]
areas = float(get_eer_stats(genuine, impostors).auc), area(genuine, impostors)
print("area under the curve with a shared best score: {:.2f} by pyeer, it is {:.2f}".format(*areas))
assert areas == (0.75, 0.84375)
PYTHON
"$room/venv/bin/python" -W ignore show.py
