#!/usr/bin/env bash
# Of a film's frames many have nobody in them. They belong into a data set, since a detector learns from them what is no person.
# PyLabel reads annotations in COCO's format and writes COCO and YOLO.
#
# Expected: what was read is written, and a picture without people has no box: in COCO none names it, in YOLO its file is empty.
# Seen (pylabel 0.1.55): each such picture writes the box before it once more, so that a person stands there twice, with one
# number, which COCO does not allow. In YOLO its file has a line of four blanks, and if classes are numbered from 0 on, as
# YOLO asks for and cat_id_index=0 does, all files have "1.0000" for the class 1.
# What helps: drop the rows whose cat_id is empty before writing, dataset.df = df[df.cat_id != ""].reset_index(drop=True), and
# write the empty files oneself.
set -euo pipefail
room=$(mktemp -d); trap 'rm -rf "$room"' EXIT
python3 -m venv "$room/venv"
"$room/venv/bin/pip" install --quiet --disable-pip-version-check numpy==2.3.3 pandas==2.3.3 pylabel==0.1.55
cd "$room"
cat > show.py <<'PYTHON'
import json
from pathlib import Path

from pylabel import importer

WRITTEN = {
    "images": [{"id": n, "file_name": f"{n}.jpg", "width": 100, "height": 80} for n in (1, 2, 3)],
    "annotations": [
        {"id": 1, "image_id": 1, "category_id": 7, "bbox": [10, 20, 30, 40], "area": 1200, "iscrowd": 0},
        {"id": 2, "image_id": 3, "category_id": 8, "bbox": [50, 10, 20, 20], "area": 400, "iscrowd": 0},
    ],
    "categories": [{"id": 7, "name": "ada"}, {"id": 8, "name": "bo"}],
}
Path("in.json").write_text(json.dumps(WRITTEN))


def read(fix):
    """What PyLabel makes of it: the boxes of COCO as number, picture and box, and the files of YOLO."""
    dataset = importer.ImportCoco("in.json")
    if fix:
        dataset.df = dataset.df[dataset.df.cat_id != ""].reset_index(drop=True)
    dataset.export.ExportToCoco("out.json")
    coco = json.loads(Path("out.json").read_text())["annotations"]
    dataset.export.ExportToYoloV5(f"yolo{fix}/labels", cat_id_index=0)
    yolo = {path.name: path.read_text() for path in sorted(Path(f"yolo{fix}/labels").iterdir())}
    return [(each["id"], each["image_id"], each["bbox"]) for each in coco], yolo


seen, fixed = read(False), read(True)
print("pylabel 0.1.55, pictures 1 and 3 with one person each, picture 2 with nobody:")
print("COCO (number, picture, box):", *seen[0])
print("YOLO:", seen[1])
print("without the empty rows:", *fixed)
FIRST, LAST = [10.0, 20.0, 30.0, 40.0], [50.0, 10.0, 20.0, 20.0]
assert seen[0] == [(0, 1, FIRST), (0, 1, FIRST), (2, 3, LAST)]
assert seen[1] == {
    "1.txt": "0.0000 0.2500 0.5000 0.3000 0.5000\n",
    "2.txt": "    \n",
    "3.txt": "1.0000 0.6000 0.2500 0.2000 0.2500\n",
}
assert fixed[0] == [(0, 1, FIRST), (1, 3, LAST)]
assert fixed[1] == {"1.txt": "0 0.2500 0.5000 0.3000 0.5000\n", "3.txt": "1 0.6000 0.2500 0.2000 0.2500\n"}
PYTHON
"$room/venv/bin/python" -W ignore show.py 2>/dev/null || { "$room/venv/bin/python" -W ignore show.py; exit 1; }
