#!/usr/bin/env bash
# People are marked in every 25th frame, or only some frames have people. Datumaro turns what CVAT exports, "CVAT for images",
# into the format of the MOT Challenge, in which the frame's number is the first column.
#
# Expected: people of the images frame_000000, frame_000025 and frame_000050 are in frames 1, 26 and 51, as MOT counts from
# 1; or in 0, 25 and 50.
# Seen (datumaro 1.13.12): in frames 1, 2 and 3. An image's name is taken for the number only if it is nothing but digits;
# else the images are counted, and those that are not in the file leave no gap. Nothing is said, and a tracker that is scored by
# this ground truth is wrong nearly everywhere. Images named 000000, 000025, 000050 are in frames 0, 25 and 50.
# What helps: names of digits alone.
set -euo pipefail
room=$(mktemp -d); trap 'rm -rf "$room"' EXIT
python3 -m venv "$room/venv"
"$room/venv/bin/pip" install --quiet --disable-pip-version-check datumaro==1.13.12
cd "$room"
cat > show.py <<'PYTHON'
import logging
from pathlib import Path

from datumaro import Dataset
from PIL import Image

logging.disable(logging.CRITICAL)
ELEMENT = """<image id="{number}" name="{name}.png" width="100" height="80">
<box label="person" occluded="0" source="manual" xtl="10" ytl="20" xbr="40" ybr="60" z_order="0"></box></image>"""
HEAD = """<version>1.1</version><meta><task><size>51</size><mode>annotation</mode><start_frame>0</start_frame>
<stop_frame>50</stop_frame><labels><label><name>person</name><attributes></attributes></label></labels></task></meta>"""


def frames(pattern):
    """The frames' numbers in the MOT file that Datumaro makes of images of these names."""
    names = {number: pattern.format(number) for number in (0, 25, 50)}
    folder = Path(names[0])
    (folder / "images").mkdir(parents=True)
    for name in names.values():
        Image.new("RGB", (100, 80)).save(folder / f"images/{name}.png")
    elements = "".join(ELEMENT.format(number=number, name=name) for number, name in names.items())
    text = f"<?xml version='1.0' encoding='utf-8'?><annotations>{HEAD}{elements}</annotations>"
    (folder / "annotations.xml").write_text(text)
    read = Dataset.import_from(str(folder), "cvat")
    read.export(str(folder / "mot"), "mot_seq_gt")
    rows = (folder / "mot/gt/gt.txt").read_text().split()
    found = sorted(int(row.split(",")[0]) for row in rows)
    print(f"datumaro 1.13.12: images {sorted(item.id for item in read)} are frames {found}")
    return found


assert frames("frame_{:06}") == [1, 2, 3]
assert frames("{:06}") == [0, 25, 50]
PYTHON
"$room/venv/bin/python" -W ignore show.py 2>/dev/null
