#!/usr/bin/env bash
# Shots and appearances adjoin: one ends where the next begins. pympi takes an annotation out of a tier of ELAN by a time:
# remove_annotation(tier, time), "remove an annotation in a tier".
#
# Expected: one annotation is taken out. By its start time it is the one that begins there, since that is the start of it and
# no longer in the one before.
# Seen (pympi-ling 1.71): a time belongs to each annotation that begins or ends there, and all of them go. Who takes out the
# annotation "two" by its start time loses the one before it, too. Nothing is said.
# What helps: a time in the middle of the annotation.
set -euo pipefail
room=$(mktemp -d); trap 'rm -rf "$room"' EXIT
python3 -m venv "$room/venv"
"$room/venv/bin/pip" install --quiet --disable-pip-version-check pympi-ling==1.71
cd "$room"
cat > show.py <<'PYTHON'
from pympi import Eaf


def left(time):
    """What was there at a time, and the texts that are left after that time was taken out."""
    film = Eaf(author="anybody")
    film.add_tier("ada")
    for start, text in [(0, "one"), (1000, "two"), (2000, "three")]:
        film.add_annotation("ada", start, start + 1000, text)
    asked = [text for _, _, text in film.get_annotation_data_at_time("ada", time)]
    film.remove_annotation("ada", time)
    return asked, [text for _, _, text in film.get_annotation_data_for_tier("ada")]


for time in (1000, 1500):
    asked, kept = left(time)
    print(f"pympi 1.71: at {time} ms there is {asked}; after it was removed, there are {kept}")
assert left(1000) == (["one", "two"], ["three"])
assert left(1500) == (["two"], ["one", "three"])
PYTHON
"$room/venv/bin/python" show.py
