#!/usr/bin/env bash
# ELAN divides an annotation into parts: a shot into what happens in it. The first part begins and the last one ends with it, and
# where nobody has said when one part ends and the next begins, the file has a time slot without a time. The format allows it:
# TIME_VALUE is optional in its schema, http://www.mpi.nl/tools/elan/EAFv3.0.xsd. ELAN shows such parts at equal lengths.
#
# Expected: a reader for ELAN gives these parts the times that ELAN shows, 0 to 1, 1 to 2 and 2 to 3 seconds, or says that they
# have none.
# Seen: speach 0.1a15.post1 says that the parts are 0, 0 and 3 seconds long: the last one is as long as the shot, as a missing
# start is the start of the film. pympi 1.71 gives None for what is missing, and its to_textgrid() writes the three parts as
# one without text, without a word; what asks for a time fails, get_annotation_data_at_time and shift_annotations.
# elan-data 1.7.3 does not read the file.
# What helps: have ELAN set the times; or compute equal lengths between the times that are there before anything else.
set -euo pipefail
room=$(mktemp -d); trap 'rm -rf "$room"' EXIT
python3 -m venv "$room/venv"
"$room/venv/bin/pip" install --quiet --disable-pip-version-check \
    numpy==2.4.6 pandas==3.1.1 pympi-ling==1.71 speach==0.1a15.post1 elan-data==1.7.3
cd "$room"
cat > show.py <<'PYTHON'
from pathlib import Path

from elan_data import ELAN_Data
from pympi import Eaf
from speach import elan


def annotation(number, start, end, text):
    times = f'TIME_SLOT_REF1="{start}" TIME_SLOT_REF2="{end}"'
    value = f"<ANNOTATION_VALUE>{text}</ANNOTATION_VALUE>"
    return f'<ANNOTATION><ALIGNABLE_ANNOTATION ANNOTATION_ID="a{number}" {times}>{value}</ALIGNABLE_ANNOTATION></ANNOTATION>'


SLOTS = {"ts1": 0, "ts2": 0, "ts3": None, "ts4": None, "ts5": 3000, "ts6": 3000}
slots = [f'<TIME_SLOT TIME_SLOT_ID="{name}"' + ("" if at is None else f' TIME_VALUE="{at}"') + "/>" for name, at in SLOTS.items()]
shot = annotation(1, "ts1", "ts5", "shot")
parts = annotation(2, "ts2", "ts3", "one") + annotation(3, "ts3", "ts4", "two") + annotation(4, "ts4", "ts6", "three")
RULE = "Time subdivision of parent annotation's time interval, no time gaps allowed within this interval"
Path("film.eaf").write_text(f"""<?xml version="1.0" encoding="UTF-8"?>
<ANNOTATION_DOCUMENT AUTHOR="" DATE="2026-01-01T00:00:00+00:00" FORMAT="3.0" VERSION="3.0"
  xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"
  xsi:noNamespaceSchemaLocation="http://www.mpi.nl/tools/elan/EAFv3.0.xsd">
<HEADER MEDIA_FILE="" TIME_UNITS="milliseconds"/><TIME_ORDER>{"".join(slots)}</TIME_ORDER>
<TIER LINGUISTIC_TYPE_REF="shots" TIER_ID="shot">{shot}</TIER>
<TIER LINGUISTIC_TYPE_REF="parts" PARENT_REF="shot" TIER_ID="parts">{parts}</TIER>
<LINGUISTIC_TYPE GRAPHIC_REFERENCES="false" LINGUISTIC_TYPE_ID="shots" TIME_ALIGNABLE="true"/>
<LINGUISTIC_TYPE CONSTRAINTS="Time_Subdivision" GRAPHIC_REFERENCES="false" LINGUISTIC_TYPE_ID="parts" TIME_ALIGNABLE="true"/>
<CONSTRAINT DESCRIPTION="{RULE}" STEREOTYPE="Time_Subdivision"/></ANNOTATION_DOCUMENT>
""")


def error(call, *arguments):
    try:
        return call(*arguments)
    except (TypeError, KeyError) as raised:
        return f"{type(raised).__name__}: {raised}"


lengths = [part.duration for part in elan.read_eaf("film.eaf")["parts"]]
print("speach 0.1a15.post1, lengths in seconds:", lengths)
film = Eaf("film.eaf")
data = film.get_annotation_data_for_tier("parts")
textgrid = film.to_textgrid().get_tier("parts").get_all_intervals()
at_time, shifted = error(film.get_annotation_data_at_time, "parts", 1500), error(film.shift_annotations, 1000)
print("pympi 1.71, in milliseconds:", data)
print("pympi 1.71, as TextGrid:", list(textgrid))
print("pympi 1.71, at a time:", at_time)
print("pympi 1.71, shifted:", shifted)
other = error(ELAN_Data.from_file, "film.eaf", True)
print("elan-data 1.7.3:", other)
assert lengths == [0, 0, 3.0]
assert data == [(0, None, "one"), (None, None, "two"), (None, 3000, "three")]
assert list(textgrid) == [(0, 3.0, "")]
assert all(text.startswith(("TypeError", "KeyError")) for text in (at_time, shifted, other))
PYTHON
"$room/venv/bin/python" -W ignore show.py
