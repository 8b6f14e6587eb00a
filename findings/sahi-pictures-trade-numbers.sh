#!/usr/bin/env bash
# COCO numbers pictures as it likes, in any order, and a detector's results name pictures by these numbers. sahi reads such files,
# Coco.from_coco_dict_or_path, to merge, filter or cut data sets, and writes them again: coco.json.
#
# Expected: a file that is read and written says the same. With clip_bboxes_to_img_dims=True boxes are cut at the picture's edge,
# and those that lie within it stay.
# Seen (sahi 0.12.8): pictures get new numbers, by their order in the file: of two that come as 2 and 1 each has the other's
# number then, and results that were made with the old file are scored against the wrong picture. A crowd becomes one person,
# as iscrowd is 0. With clipping, all boxes are cut to whole pixels, those in the middle of the picture, too, and one that is
# narrower than a pixel is written as "bbox": [].
# What helps: match pictures by their file names, give results the new numbers, and clip by oneself.
set -euo pipefail
room=$(mktemp -d); trap 'rm -rf "$room"' EXIT
python3 -m venv "$room/venv"
"$room/venv/bin/pip" install --quiet --disable-pip-version-check numpy==2.3.3 sahi==0.12.8
cd "$room"
cat > show.py <<'PYTHON'
import json

from sahi.utils.coco import Coco

BOXES = [(2, [10.26, 20.74, 30.5, 40.5], 0), (2, [50.0, 10.0, 0.4, 30.0], 0), (1, [-5.0, 2.5, 20.0, 30.0], 1)]
GIVEN = {
    "images": [{"id": number, "file_name": f"{number}.jpg", "width": 100, "height": 80} for number in (2, 1)],
    "annotations": [
        {"id": n, "image_id": picture, "category_id": 1, "bbox": box, "area": box[2] * box[3], "iscrowd": crowd}
        for n, (picture, box, crowd) in enumerate(BOXES, 1)
    ],
    "categories": [{"id": 1, "name": "person"}],
}
with open("given.json", "w") as file:
    json.dump(GIVEN, file)


def written(**options):
    """Numbers of pictures by their files; and picture, box and whether it is a crowd, for each annotation."""
    coco = json.loads(json.dumps(Coco.from_coco_dict_or_path("given.json", image_dir=".", **options).json))
    boxes = [(each["image_id"], [round(x, 3) for x in each["bbox"]], each["iscrowd"]) for each in coco["annotations"]]
    return {each["file_name"]: each["id"] for each in coco["images"]}, boxes


print("given:", {each["file_name"]: each["id"] for each in GIVEN["images"]}, BOXES)
plain, clipped = written(), written(clip_bboxes_to_img_dims=True)
print("sahi 0.12.8 writes:", *plain)
print("sahi 0.12.8 writes, clipped:", *clipped)
assert plain[0] == clipped[0] == {"2.jpg": 1, "1.jpg": 2}
assert plain[1] == [(1, [10.26, 20.74, 30.5, 40.5], 0), (1, [50.0, 10.0, 0.4, 30.0], 0), (2, [-5.0, 2.5, 20.0, 30.0], 0)]
assert clipped[1] == [(1, [10.0, 20.0, 30.0, 40.0], 0), (1, [], 0), (2, [0.0, 2.0, 15.0, 30.0], 0)]
PYTHON
"$room/venv/bin/python" -W ignore show.py 2>/dev/null || { "$room/venv/bin/python" -W ignore show.py; exit 1; }
