#!/usr/bin/env bash
# Who appears when lies in a TextGrid, a tier for each person. praatio cuts the scene from it that somebody looks at:
# tier.crop(start, end, mode, rebaseToZero=True), so that the scene begins at 0.
#
# Expected: of a person who is not in the scene, an empty tier from 0 to the scene's length, as without rebaseToZero it is an
# empty tier from start to end.
# Seen (praatio 6.2.2): IndexError: list index out of range. So it is for a whole TextGrid in which one person of several is
# absent.
# editTimestamps does not move an empty tier either: ValueError: min() arg is an empty sequence.
# What helps: IntervalTier(name, [], 0, end - start) where the crop without rebaseToZero has no entries.
set -euo pipefail
room=$(mktemp -d); trap 'rm -rf "$room"' EXIT
python3 -m venv "$room/venv"
"$room/venv/bin/pip" install --quiet --disable-pip-version-check praatio==6.2.2
cd "$room"
cat > show.py <<'PYTHON'
from praatio import textgrid

ADA = textgrid.IntervalTier("ada", [(0.8, 1.5, "ada"), (3.6, 7.9, "ada")], 0, 10)
BO = textgrid.IntervalTier("bo", [(2.0, 3.0, "bo")], 0, 10)
film = textgrid.Textgrid()
film.addTier(ADA)
film.addTier(BO)


def cropped(what, start, end, rebase):
    try:
        return what.crop(start, end, "truncated", rebase)
    except IndexError as error:
        return f"IndexError: {error}"


for start, end in ((1, 5), (2, 3)):
    for rebase in (False, True):
        tier = cropped(ADA, start, end, rebase)
        shown = tier if isinstance(tier, str) else (tier.minTimestamp, tier.maxTimestamp, len(tier.entries))
        print(f"ada from {start} to {end}, rebaseToZero={rebase}: {shown}")
assert (cropped(ADA, 1, 5, True).minTimestamp, cropped(ADA, 1, 5, True).maxTimestamp) == (0, 4)
empty = cropped(ADA, 2, 3, False)
assert (empty.minTimestamp, empty.maxTimestamp, empty.entries) == (2, 3, ())
assert cropped(ADA, 2, 3, True) == cropped(film, 2, 3, True) == "IndexError: list index out of range"
assert len(cropped(BO, 2, 3, True).entries) == 1
try:
    empty.editTimestamps(-2)
except ValueError as error:
    print(f"the empty tier, moved: ValueError: {error}")
else:
    raise AssertionError("an empty tier can be moved")
PYTHON
"$room/venv/bin/python" -W ignore show.py
