#!/usr/bin/env bash
# Silent films, animations and surveillance have 8 to 18 frames a second. OpenTimelineIO tells which of the rates that
# have SMPTE time codes is nearest to such a rate.
#
# Expected: 23.976, the lowest of them, for all of these; and that 0 is no such rate.
# Seen (opentimelineio 0.18.1): 23.976 from 12 frames a second on, and 0.0 for 8 and 10: zero takes part as if it were
# a rate, and is nearer below 11.988. is_smpte_timecode_rate(0.0) is True, and is_smpte_timecode_rate(12) is False.
# What helps: min(rates, key=lambda other: abs(other - rate)) over the rates that there are.
set -euo pipefail
room=$(mktemp -d); trap 'rm -rf "$room"' EXIT
python3 -m venv "$room/venv"
"$room/venv/bin/pip" install --quiet --disable-pip-version-check opentimelineio==0.18.1
cat > "$room/show.py" <<'PYTHON'
from opentimelineio.opentime import RationalTime

nearest = {rate: round(RationalTime.nearest_smpte_timecode_rate(rate), 3) for rate in (8, 10, 11.9, 12, 16, 18, 100)}
print("nearest:", nearest)
assert nearest == {8: 0.0, 10: 0.0, 11.9: 0.0, 12: 23.976, 16: 23.976, 18: 23.976, 100: 60.0}
known = {rate: RationalTime.is_smpte_timecode_rate(rate) for rate in (0, 12, 24)}
print("rates with time codes:", known)
assert known == {0: True, 12: False, 24: True}
PYTHON
"$room/venv/bin/python" "$room/show.py"
