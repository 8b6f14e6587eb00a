"""Find the people in photographs, and write their boxes and portraits as movies that the workflow searches.

    python find_people.py photos portraits my.json

Each folder in `photos` becomes a movie with all pictures in it and below it; pictures that lie in `photos` itself
become one, too. `portraits` has a picture of each person, `ada.jpg`. Both folders lie in the current one, to which the
paths in my.json are relative: docs/own-movies.md says how to go on. Needs `pip install .[film]` in a clone.
"""

import logging
import re
import sys
from pathlib import Path

import numpy as np
from tqdm import tqdm

from castsearch.data.films import IMAGES
from castsearch.data.images import read_rgb
from castsearch.errors import InputError
from castsearch.files import write_json
from castsearch.film import detectors

DETECTOR = "ssdlite"  # finds people by their faces, and large ones without; "faces" is faster, by faces alone


def main(photos: str, portraits: str, annotations: str) -> None:
    """Write the boxes of all people who are found."""
    detector = detectors.make(DETECTOR, {"engine": "yunet_sface", "options": {}})
    movies: dict[str, dict[str, list[dict]]] = {}
    for path in tqdm(pictures(Path(photos))):
        try:
            image = np.array(read_rgb(path))
        except InputError as error:
            logging.warning("%s; left out", error)
            continue
        [found] = detector.detect([image])
        if detector.look_again is not None:
            found = detector.look_again(image, found)
        movie = movie_of(path, Path(photos))
        boxes = movies.setdefault(movie, {"cast": cast_of(movie, Path(portraits)), "candidates": []})["candidates"]
        for x1, y1, x2, y2 in found.boxes[found.scores >= detector.certain_score].tolist():
            name = f"{movie}_{len(boxes):05d}"
            boxes.append({"id": name, "img": path.as_posix(), "bbox": [x1, y1, x2 - x1, y2 - y1]})
    write_json(annotations, movies)


def pictures(folder: Path) -> list[Path]:
    """All pictures in a folder and below it."""
    return [path for path in sorted(folder.rglob("*")) if path.suffix.lower() in IMAGES]


def movie_of(path: Path, photos: Path) -> str:
    """The movie of a picture, by the name of its folder in `photos`, of which what an id cannot have is left out."""
    folder, *below = path.relative_to(photos).parts
    return re.sub(r"[^A-Za-z0-9._-]+", "_", folder if below else photos.name).strip("._-") or "photos"


def cast_of(movie: str, portraits: Path) -> list[dict]:
    """The cast of a movie: a record for each portrait. A label stands for the same person in all movies."""
    return [{"id": f"{movie}_{path.stem}", "img": path.as_posix(), "label": path.stem} for path in pictures(portraits)]


if __name__ == "__main__":
    main(*sys.argv[1:])
