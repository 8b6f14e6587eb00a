#!/usr/bin/env bash
# labelformat converts annotations: COCO numbers categories as it likes, and nearly all files begin with 1; YOLO
# numbers them from 0 on without a gap. CVAT writes images with boxes, or films with tracks.
#
# Expected: people and cars with the numbers 1 and 3 become 0 and 1, and come back from YOLO. A film's tracks are read
# or refused.
# Seen (labelformat 0.1.17): the lines of YOLO begin with 1 and 3, beside "nc: 2" in data.yaml, and labelformat cannot
# read them again (KeyError: 0). With the numbers 0 and 1 all is right. A film of CVAT, with one person in two frames,
# is a data set of no images: it is written as an empty COCO file, without a word.
# What helps: numbers from 0 on before the conversion; CVAT's export "for images".
set -euo pipefail
room=$(mktemp -d); trap 'rm -rf "$room"' EXIT
python3 -m venv "$room/venv"
"$room/venv/bin/pip" install --quiet --disable-pip-version-check labelformat==0.1.17
cd "$room"
cat > show.py <<'PYTHON'
import json
from pathlib import Path

from labelformat.formats import COCOObjectDetectionInput, COCOObjectDetectionOutput, CVATObjectDetectionInput
from labelformat.formats import YOLOv8ObjectDetectionInput, YOLOv8ObjectDetectionOutput
from PIL import Image

Path("images").mkdir()
Image.new("RGB", (100, 80)).save("images/scene.jpg")


def by_yolo(person, car):
    """The lines of YOLO that are written for a person and a car, and the categories that come back."""
    images = [{"id": 1, "file_name": "scene.jpg", "width": 100, "height": 80}]
    boxes = {person: [10, 10, 20, 40], car: [50, 10, 40, 20]}
    annotations = [
        {"id": row, "image_id": 1, "category_id": number, "bbox": box, "area": 800, "iscrowd": 0}
        for row, (number, box) in enumerate(boxes.items(), start=1)
    ]
    categories = [{"id": person, "name": "person"}, {"id": car, "name": "car"}]
    Path("coco.json").write_text(json.dumps({"images": images, "annotations": annotations, "categories": categories}))
    YOLOv8ObjectDetectionOutput(output_file=Path("data.yaml"), output_split="train").save(
        COCOObjectDetectionInput(input_file=Path("coco.json"))
    )
    numbers = [int(line.split()[0]) for line in Path("labels/scene.txt").read_text().splitlines()]
    try:
        (image,) = YOLOv8ObjectDetectionInput(input_file=Path("data.yaml"), input_split="train").get_labels()
    except KeyError as error:
        return numbers, f"KeyError: {error}"
    return numbers, [found.category.name for found in image.objects]


seen = {}
for numbers in ((0, 1), (1, 2), (1, 3)):
    seen[numbers] = by_yolo(*numbers)
    written, read = seen[numbers]
    print(f"person and car are {numbers} in COCO: YOLO's lines begin with {written}, and are read as {read}")
assert seen == {
    (0, 1): ([0, 1], ["person", "car"]),
    (1, 2): ([1, 2], "KeyError: 0"),
    (1, 3): ([1, 3], "KeyError: 0"),
}

Path("film.xml").write_text("""<annotations><version>1.1</version>
<meta><task><size>2</size><mode>interpolation</mode><labels><label><name>person</name></label></labels></task></meta>
<track id="0" label="person">
  <box frame="0" keyframe="1" outside="0" occluded="0" xtl="10" ytl="10" xbr="30" ybr="50"/>
  <box frame="1" keyframe="1" outside="0" occluded="0" xtl="12" ytl="10" xbr="32" ybr="50"/>
</track></annotations>""")
film = CVATObjectDetectionInput(input_file=Path("film.xml"))
COCOObjectDetectionOutput(output_file=Path("film.json")).save(film)
written = json.loads(Path("film.json").read_text())
print(f"a film of CVAT with a track: {len(written['images'])} images and {len(written['annotations'])} boxes in COCO")
assert (written["images"], written["annotations"]) == ([], [])
PYTHON
"$room/venv/bin/python" -W ignore show.py
