#!/usr/bin/env bash
# In ELAN, annotations of one tier cannot overlap. pympi adds them to a tier, writes the file and reads it again, without a
# word.
#
# Expected: add_annotation refuses one that overlaps another of the tier, as it refuses one that ends before it begins.
# Seen (pympi-ling 1.71): no error when adding, writing or reading; both annotations are there.
# What helps: cut what overlaps before it is added.
set -euo pipefail
room=$(mktemp -d); trap 'rm -rf "$room"' EXIT
python3 -m venv "$room/venv"
"$room/venv/bin/pip" install --quiet --disable-pip-version-check pympi-ling==1.71
cd "$room"
cat > overlap.py <<'PYTHON'
from pympi.Elan import Eaf

written = Eaf(author="anybody")
written.add_tier("ada")
written.add_annotation("ada", 0, 2000, "one")
written.add_annotation("ada", 1000, 3000, "two")
written.to_file("overlap.eaf")
print(Eaf("overlap.eaf").get_annotation_data_for_tier("ada"))
PYTHON
seen=$("$room/venv/bin/python" overlap.py)
echo "pympi-ling 1.71: a tier with $seen"
[ "$seen" = "[(0, 2000, 'one'), (1000, 3000, 'two')]" ]
