#!/usr/bin/env bash
# Who is on screen when is scored like who speaks when: pyannote.metrics has the identification error rate, the time that is
# missed, a false alarm or another person's, as a share of all time. A person may have two segments that overlap: two tracks of
# one, in a mirror or at a cut, or two files that were put together.
#
# Expected: a person is there or not. Whose answer says "ada" from 0 to 10 is right when ada is there from 0 to 6 and 4 to 10.
# Seen (pyannote.metrics 4.2.0): where two segments of one person overlap the person counts twice: the answer has missed 2
# of 12 seconds, and 17 % of it are wrong. The other way round there are false alarms, in a share that can be above 1. Annotation
# itself says that ada is there for 10 seconds, and so does the error rate of detection, which is 0.
# What helps: annotation.support() on both before they are scored, which joins what overlaps.
set -euo pipefail
room=$(mktemp -d); trap 'rm -rf "$room"' EXIT
python3 -m venv "$room/venv"
"$room/venv/bin/pip" install --quiet --disable-pip-version-check numpy==2.4.6 pyannote.core==6.1.0 pyannote.metrics==4.2.0
cd "$room"
cat > show.py <<'PYTHON'
from pyannote.core import Annotation, Segment
from pyannote.metrics.detection import DetectionErrorRate
from pyannote.metrics.diarization import DiarizationErrorRate
from pyannote.metrics.identification import IdentificationErrorRate


def ada(*times):
    annotation = Annotation()
    for track, (start, end) in enumerate(times):
        annotation[Segment(start, end), track] = "ada"
    return annotation


in_two, in_one = ada((0, 6), (4, 10)), ada((0, 10))
assert in_two.label_duration("ada") == in_one.label_duration("ada") == 10


def rates(reference, answer):
    metrics = (IdentificationErrorRate(), DiarizationErrorRate(), DetectionErrorRate())
    return [round(float(metric(reference, answer)), 3) for metric in metrics]


seen = {
    "ada in two segments, answered in one": rates(in_two, in_one),
    "ada in one segment, answered in two": rates(in_one, in_two),
    "ada in two segments, answered likewise": rates(in_two, in_two),
    "ada in two segments, answered in one, with support()": rates(in_two.support(), in_one.support()),
}
print("pyannote.metrics 4.2.0:")
for name, values in seen.items():
    print(f"{name}: errors of identification, diarization and detection {values}")
assert list(seen.values()) == [[0.167, 0.167, 0.0], [0.2, 0.2, 0.0], [0.0, 0.0, 0.0], [0.0, 0.0, 0.0]]
PYTHON
"$room/venv/bin/python" -W ignore show.py
