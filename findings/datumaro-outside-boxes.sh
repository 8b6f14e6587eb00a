#!/usr/bin/env bash
# In "CVAT for video" a track ends with a box that is marked outside="1": from that frame on nobody is there. Boxes between
# key frames can be left out, and are then drawn by interpolation.
#
# Expected: Datumaro, by which CVAT converts to most formats, turns a track of frames 0 to 10 into boxes for the frames in
# which the person is there, and into none for the frame in which the track is over.
# Seen (datumaro 1.13.12): one box per key frame, none between them, and the end mark becomes a person: written as COCO it
# is an annotation like the others.
# What helps: write every frame of a track, and drop boxes whose attribute "outside" is true before converting.
set -euo pipefail
room=$(mktemp -d); trap 'rm -rf "$room"' EXIT
python3 -m venv "$room/venv"
"$room/venv/bin/pip" install --quiet --disable-pip-version-check numpy==2.4.6 datumaro==1.13.12
cd "$room"
cat > show.py <<'PYTHON'
import json
import pathlib

from datumaro.components.dataset import Dataset


def box(frame, left, outside):
    place = f'xtl="{left}" ytl="20" xbr="{left + 30}" ybr="60"'
    return f'<box frame="{frame}" outside="{outside}" occluded="0" keyframe="1" {place} z_order="0"></box>'


task = (
    "<task><id>1</id><name>film</name><size>11</size><mode>interpolation</mode><overlap>0</overlap>"
    "<start_frame>0</start_frame><stop_frame>10</stop_frame>"
    "<labels><label><name>ada</name><attributes></attributes></label></labels>"
    "<original_size><width>320</width><height>240</height></original_size></task>"
)
track = f'<track id="0" label="ada">{box(0, 10, 0)}{box(5, 60, 0)}{box(10, 70, 1)}</track>'
pathlib.Path("cvat").mkdir()
pathlib.Path("cvat/film.xml").write_text(
    f'<?xml version="1.0" encoding="utf-8"?><annotations><version>1.1</version><meta>{task}</meta>{track}</annotations>'
)
Dataset.import_from("cvat", "cvat").export("coco", "coco_instances")
[written] = pathlib.Path("coco/annotations").glob("*.json")
coco = json.loads(written.read_text())
frames = {image["id"]: int(image["file_name"][-6 - len(".png") : -len(".png")]) for image in coco["images"]}
boxes = [(frames[each["image_id"]], each["bbox"][0], each["attributes"]["outside"]) for each in coco["annotations"]]
print("(frame, left, outside):", boxes)
assert boxes == [(0, 10, False), (5, 60, False), (10, 70, True)]
PYTHON
echo "datumaro 1.13.12, a track with the key frames 0, 5 and, outside, 10, written as COCO:"
"$room/venv/bin/python" -W ignore show.py
