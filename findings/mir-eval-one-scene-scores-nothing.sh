#!/usr/bin/env bash
# How well a film was divided into scenes, with a name for each, is measured as for songs: mir_eval compares two lists
# of intervals with their labels, by boundaries and by groups of moments.
#
# Expected: an annotation that is compared with itself has the best value of each measure, as it has for three scenes.
# Seen (mir_eval 0.8.2): a film of one scene has 1.0 by pairs, by Rand's index and by its adjusted form, and 0.0 by
# v-measure and by conditional entropy (nce). scikit-learn 1.9.1 says 1.0 for the v-measure. Where the ends of the
# film are left out (trim=True) detection of boundaries is 0.0 as well. A mean over films counts such a film as a
# failure; some warnings speak of empty estimates, none of the v-measure.
# What helps: films of one scene get 1.0 by hand, where both annotations have one.
set -euo pipefail
room=$(mktemp -d); trap 'rm -rf "$room"' EXIT
python3 -m venv "$room/venv"
"$room/venv/bin/pip" install --quiet --disable-pip-version-check numpy==2.4.6 scipy==1.17.1 scikit-learn==1.9.1 mir_eval==0.8.2
cd "$room"
cat > show.py <<'PYTHON'
import numpy as np
from mir_eval import segment
from sklearn.metrics import v_measure_score

FILMS = {"three scenes": ([[0, 10], [10, 20], [20, 30]], ["room", "street", "room"]), "one scene": ([[0, 30]], ["room"])}


def measures(intervals, names):
    """Each measure of an annotation that is compared with itself: F, or the index."""
    same = (np.array(intervals, float), names) * 2
    bounds = same[::2]
    return {
        "pairs": segment.pairwise(*same)[2],
        "Rand": segment.rand_index(*same),
        "adjusted Rand": segment.ari(*same),
        "v-measure": segment.vmeasure(*same)[2],
        "entropy": segment.nce(*same)[2],
        "boundaries": segment.detection(*bounds)[2],
        "boundaries without ends": segment.detection(*bounds, trim=True)[2],
    }


seen = {}
for film, (intervals, names) in FILMS.items():
    seen[film] = {name: round(float(value), 3) for name, value in measures(intervals, names).items()}
    print(f"{film}, compared with itself: {seen[film]}")
assert set(seen["three scenes"].values()) == {1.0}
nothing = [name for name, value in seen["one scene"].items() if value == 0]
assert nothing == ["v-measure", "entropy", "boundaries without ends"]
assert set(seen["one scene"].values()) == {0.0, 1.0} and v_measure_score([0] * 300, [0] * 300) == 1
PYTHON
"$room/venv/bin/python" -W ignore show.py
