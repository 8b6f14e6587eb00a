"""Make the labelled sets of real pictures, which the documents report on, from public repositories.

    git clone https://github.com/OWNER/NAME checkout
    python bench/real_sets.py SET checkout OUT
    python bench/real_sets.py                     list the sets, with the repository of each

`real_sets.json` beside this file has the boxes of every set, in pixels, and who is in each; every one was looked at. No
picture is there: they are not ours. OUT gets `val.json`, `val_label.json` and the pictures in `val/`, as the challenge
has them and as `bench/real.py` and `bench/calibration.py` read them.
"""

import argparse
import json
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from tqdm import tqdm

SETS = Path(__file__).with_suffix(".json")
LONGEST = 1000  # pixels of a portrait's longer side, and of pictures that a set calls `shrunk`
BORDER = (30, 130, 40, 40)  # pixels above, below, left and right of what a set calls `bordered`: faces that are cut out
QUALITY = [cv2.IMWRITE_JPEG_QUALITY, 95]


def read_picture(checkout: Path, name: str) -> np.ndarray:
    """A picture, or frame N of a video that is named `path@N`, as (height, width, 3) of blue, green, red.

    Raises:
        SystemExit: if it is missing or cannot be read.
    """
    path, _, frame = name.partition("@")
    if frame:
        video = cv2.VideoCapture(str(checkout / path))
        for _ in range(int(frame)):  # to seek is not exact in every file
            video.grab()
        picture = video.read()[1]
    else:
        picture = cv2.imread(str(checkout / path), cv2.IMREAD_COLOR | cv2.IMREAD_IGNORE_ORIENTATION)
    if picture is None:
        raise SystemExit(f"{checkout / path}: missing, or no picture {frame or 'that OpenCV reads'}")
    return picture


def prepare(picture: np.ndarray, name: str, bordered: str, shrunk: str) -> np.ndarray:
    """A picture with a border, or shrunk, where its name fits one of the two patterns."""
    if fnmatch(name, bordered):
        picture = cv2.copyMakeBorder(picture, *BORDER, cv2.BORDER_REPLICATE)
    scale = LONGEST / max(picture.shape[:2])
    if fnmatch(name, shrunk) and scale < 1:
        picture = cv2.resize(picture, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    return picture


def make(described: dict[str, Any], checkout: Path, out: Path) -> None:
    """Write one set, beside those that are in the folder already."""
    movie, bordered, shrunk = described["movie"], described.get("bordered", ""), described.get("shrunk", "")
    cast, candidates, labels = [], [], {}
    for person, name in described["cast"].items():
        portrait = prepare(prepare(read_picture(checkout, name), name, bordered, ""), name, "", "*")
        image = _write(out, f"{movie}/cast/{person}.jpg", portrait)
        cast.append({"id": f"{movie}_{person}", "img": image, "label": person})
        labels[f"{movie}_{person}"] = []
    for number, (name, boxes) in enumerate(tqdm(described["pictures"].items(), unit="picture")):
        picture = prepare(read_picture(checkout, name), name, bordered, shrunk)
        image = _write(out, f"{movie}/candidates/{number:04d}.jpg", picture)
        for person, *box in boxes:
            own = f"{movie}_{len(candidates):04d}"
            whole = [0, 0, picture.shape[1], picture.shape[0]]
            known = person if person in described["cast"] else "others"
            candidates.append({"id": own, "img": image, "bbox": box or whole, "label": known})
            if known != "others":
                labels[f"{movie}_{person}"].append(own)
    _add(out / "val.json", {movie: {"cast": cast, "candidates": candidates}})
    _add(out / "val_label.json", labels)


def _write(out: Path, name: str, picture: np.ndarray) -> str:
    path = out / "val" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    cv2.imwrite(str(path), picture, QUALITY)
    return name


def _add(path: Path, values: dict[str, Any]) -> None:
    before = json.loads(path.read_text()) if path.exists() else {}
    path.write_text(json.dumps(before | values))


def main() -> None:
    """Make the set that the command line names, or list all."""
    sets = json.loads(SETS.read_text())
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("set", nargs="?", choices=sets, help="name of the set")
    parser.add_argument("checkout", nargs="?", type=Path, help="clone of its repository")
    parser.add_argument("out", nargs="?", type=Path, help="folder to write to")
    options = parser.parse_args()
    if options.set is None:
        for name, described in sets.items():
            boxes = sum(map(len, described["pictures"].values()))
            print(f"{name:28} {boxes:4} boxes, {len(described['cast'])} cast   {described['repository']}")
        return
    if options.out is None:
        parser.error("a set needs a checkout and a folder to write to")
    make(sets[options.set], options.checkout, options.out)


if __name__ == "__main__":
    main()
