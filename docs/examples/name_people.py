"""Say who is on screen when in a video, from one portrait a person and by their faces.

    python name_people.py clip.mp4 ada.jpg bo.jpg

A person has the name of the portrait's file. Needs `pip install .[film]` in a clone. The workflow does
more: bodies, corrections, groups of unknown people, exports.
"""

import sys
from pathlib import Path
from tempfile import TemporaryDirectory

import pandas as pd

from castsearch.data.crops import read_crops
from castsearch.faces import engines
from castsearch.faces.detection import detect_table
from castsearch.faces.embedding import embed_table
from castsearch.files import write_table, write_tables
from castsearch.film import detectors
from castsearch.film.decode import Film
from castsearch.film.follow import Followers
from castsearch.film.followed import join_boxes
from castsearch.film.persons import find_persons
from castsearch.film.shot_changes import find_changes
from castsearch.film.shots import join_changes
from castsearch.film.track_crops import cut_out, join_crops
from castsearch.film.tracks import track_table
from castsearch.search.fuse_stage import rank_gallery
from castsearch.search.gallery import load_gallery
from castsearch.search.naming import name_group
from castsearch.search.variant import Variant
from castsearch.timeline.appearances import of_film

ENGINE = "yunet_sface"
RATE = 5  # frames that are looked at in each second


def main(video: str, *portraits: str) -> None:
    """Print when each person is on screen."""
    cast = {Path(portrait).stem: [portrait] for portrait in portraits}
    engine = engines.load(ENGINE).make({})
    detector = detectors.make("faces", {"engine": ENGINE, "options": {}})
    with Film(video) as film:
        shots = join_changes([find_changes(film, "adaptive")])
    with Film(video) as film:
        tracks = track_table([find_persons(film, detector, RATE)], shots)
    with Film(video) as film:
        followers = Followers(tracks, shots)
        crops = join_crops("clip", cast, [cut_out(film, "clip", tracks, followers=followers)], on_bad_image="stop")
    variant = Variant(key="faces", engine=ENGINE, networks=(), method="diffusion")
    with TemporaryDirectory() as name:
        crop_file, face_file, ranking_file = (Path(name, f"{part}.arrow") for part in ("crops", "faces", "rankings"))
        write_table(crop_file, crops)
        people = read_crops(crop_file)
        write_table(face_file, embed_table(people, detect_table(people, engine), engine))
        write_tables(ranking_file, rank_gallery(load_gallery([crop_file], {ENGINE: [face_file]}, {}), {}, [variant]))
        names = name_group([crop_file], ranking_file, variant.key, least=0.5)
    spans = pd.DataFrame(shots).rename_axis("shot").reset_index()
    appearances = of_film(names, join_boxes(tracks, [followers.table()]), spans, step=1 / RATE)
    shown = appearances[["start", "end", "shot", "person", "confidence"]].astype({"confidence": float})
    print(shown.round(2).to_string())


if __name__ == "__main__":
    main(*sys.argv[1:])
