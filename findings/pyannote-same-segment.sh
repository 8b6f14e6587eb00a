#!/usr/bin/env bash
# pyannote.core holds who is there from when to when. A segment of time can have several tracks, but without a name of a
# track both of two people who come and go together are the track "_".
#
# Expected: after two labels were given to one segment, both are there, as with two segments that differ by a millisecond.
# Seen (pyannote.core 6.1.0): the second label takes the place of the first without a word. The first has 0 seconds.
# What helps: annotation[segment, person] = person.
set -euo pipefail
room=$(mktemp -d); trap 'rm -rf "$room"' EXIT
python3 -m venv "$room/venv"
"$room/venv/bin/pip" install --quiet --disable-pip-version-check numpy==2.4.6 pandas==3.1.1 pyannote.core==6.1.0
cd "$room"
cat > show.py <<'PYTHON'
from pyannote.core import Annotation, Segment


def seconds(end_of_second):
    people = Annotation()
    people[Segment(0, 10)] = "ada"
    people[Segment(0, end_of_second)] = "bo"
    return [(label, people.label_duration(label)) for label in ("ada", "bo")]


print("ends a millisecond apart:", seconds(10.001))
print("the same end:", seconds(10))
assert seconds(10.001) == [("ada", 10), ("bo", 10.001)]
assert seconds(10) == [("ada", 0), ("bo", 10)]
PYTHON
echo "pyannote.core 6.1.0:"
"$room/venv/bin/python" show.py
