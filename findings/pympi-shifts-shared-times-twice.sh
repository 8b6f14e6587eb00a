#!/usr/bin/env bash
# In ELAN's files annotations name time slots, and two that adjoin may share one: the end of the first shot is the start of
# the second. pympi's shift_annotations moves all annotations, for a film that got a leader of half a second.
#
# Expected: every annotation is moved by as much; to the left, one that would begin before 0 is cut there.
# Seen (pympi-ling 1.71): a shared slot is moved once for each annotation that names it. Shots of 1 to 2 and 2 to 3 seconds,
# moved by 0.5, are 1.5 to 3 and 3 to 3.5 seconds. To the left, one that is cut at 0 keeps its old end: 0.1 to 0.5 seconds,
# moved by -0.2, is 0 to 0.5.
# What helps: add the shift to the values of `timeslots`, each once.
set -euo pipefail
room=$(mktemp -d); trap 'rm -rf "$room"' EXIT
python3 -m venv "$room/venv"
"$room/venv/bin/pip" install --quiet --disable-pip-version-check pympi-ling==1.71
cd "$room"
cat > shots.eaf <<'XML'
<?xml version="1.0" encoding="UTF-8"?>
<ANNOTATION_DOCUMENT AUTHOR="" DATE="2026-01-01T00:00:00+00:00" FORMAT="3.0" VERSION="3.0"
    xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"
    xsi:noNamespaceSchemaLocation="http://www.mpi.nl/tools/elan/EAFv3.0.xsd">
  <HEADER MEDIA_FILE="" TIME_UNITS="milliseconds"/>
  <TIME_ORDER>
    <TIME_SLOT TIME_SLOT_ID="ts1" TIME_VALUE="1000"/>
    <TIME_SLOT TIME_SLOT_ID="ts2" TIME_VALUE="2000"/>
    <TIME_SLOT TIME_SLOT_ID="ts3" TIME_VALUE="3000"/>
  </TIME_ORDER>
  <TIER LINGUISTIC_TYPE_REF="default-lt" TIER_ID="shots">
    <ANNOTATION><ALIGNABLE_ANNOTATION ANNOTATION_ID="a1" TIME_SLOT_REF1="ts1" TIME_SLOT_REF2="ts2">
      <ANNOTATION_VALUE>first</ANNOTATION_VALUE>
    </ALIGNABLE_ANNOTATION></ANNOTATION>
    <ANNOTATION><ALIGNABLE_ANNOTATION ANNOTATION_ID="a2" TIME_SLOT_REF1="ts2" TIME_SLOT_REF2="ts3">
      <ANNOTATION_VALUE>second</ANNOTATION_VALUE>
    </ALIGNABLE_ANNOTATION></ANNOTATION>
  </TIER>
  <LINGUISTIC_TYPE GRAPHIC_REFERENCES="false" LINGUISTIC_TYPE_ID="default-lt" TIME_ALIGNABLE="true"/>
</ANNOTATION_DOCUMENT>
XML
cat > show.py <<'PYTHON'
from pympi.Elan import Eaf

read = Eaf("shots.eaf")
read.shift_annotations(500)
shared = read.get_annotation_data_for_tier("shots")
made = Eaf()
made.add_annotation("default", 100, 500, "first")
made.shift_annotations(-200)
cut = made.get_annotation_data_for_tier("default")
print("pympi-ling 1.71: 1 to 2 s and 2 to 3 s, moved by 0.5 s, in milliseconds:", shared)
print("0.1 to 0.5 s, moved by -0.2 s:", cut)
assert shared == [(1500, 3000, "first"), (3000, 3500, "second")]
assert cut == [(0, 500, "first")]
PYTHON
"$room/venv/bin/python" -W ignore show.py
