#!/usr/bin/env bash
# Crops of people, with the attributes person_id and camera_id, are written by Datumaro in the format of Market-1501, whose
# file names say person, camera, sequence, frame and box: 0001_c1s1_000000_00.jpg.
#
# Expected: a file for each crop. Datumaro numbers the frames where frame_id is missing, from 0 on for each person and camera.
# Seen (datumaro 1.13.12): all crops of a person by a camera get frame 0, and each takes the place of the one before: of five
# crops three are left, and the list of files has two names twice. Nothing is said.
# A folder of Market-1501 as it is published is written into bounding_box_test/bounding_box_test, where no other reader looks.
# What helps: the attribute frame_id, and items whose names are those of Market-1501 without a folder.
set -euo pipefail
room=$(mktemp -d); trap 'rm -rf "$room"' EXIT
python3 -m venv "$room/venv"
"$room/venv/bin/pip" install --quiet --disable-pip-version-check datumaro==1.13.12
cd "$room"
cat > show.py <<'PYTHON'
import logging
from pathlib import Path

import numpy as np
from datumaro import Dataset, DatasetItem
from datumaro.components.media import Image
from PIL import Image as Picture

logging.disable(logging.CRITICAL)
CROPS = [("ada-1", "0001", 0), ("ada-2", "0001", 0), ("ada-3", "0001", 1), ("ben-1", "0002", 0), ("ben-2", "0002", 0)]


def write(folder, frames=None):
    """Pictures, and names in the list of files, after five crops were written."""
    items = []
    for number, (name, person, camera) in enumerate(CROPS):
        attributes = {"person_id": person, "camera_id": camera} | ({"frame_id": frames[number]} if frames else {})
        picture = Image.from_numpy(np.full((8, 4, 3), number, np.uint8))
        items.append(DatasetItem(id=name, subset="test", media=picture, attributes=attributes))
    Dataset.from_iterable(items).export(folder, "market1501", save_media=True)
    pictures = sorted(path.name for path in Path(folder).rglob("*.jpg"))
    return pictures, Path(folder, "images_test.txt").read_text().split()


pictures, listed = write("without")
print(f"datumaro 1.13.12, five crops: pictures {pictures}, {len(listed)} names in the list, {len(set(listed))} different ones")
assert pictures == ["0001_c1s1_000000_00.jpg", "0001_c2s1_000000_00.jpg", "0002_c1s1_000000_00.jpg"]
assert (len(listed), len(set(listed))) == (5, 3)
assert len(write("with", frames=range(5))[0]) == 5
published = Path("published/bounding_box_test/0001_c1s1_001051_00.jpg")
published.parent.mkdir(parents=True)
Picture.new("RGB", (4, 8)).save(published)
Dataset.import_from("published", "market1501").export("again", "market1501", save_media=True)
again = [str(path) for path in Path("again").rglob("*.jpg")]
print("Market-1501 as it is published, written again:", again)
assert again == ["again/bounding_box_test/bounding_box_test/0001_c1s1_001051_00.jpg"]
PYTHON
"$room/venv/bin/python" -W ignore show.py 2>/dev/null
