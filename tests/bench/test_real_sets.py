import json

import cv2
import numpy as np
import pytest
import real_sets
from factories.clips import number_of, numbered, write

from castsearch.data.challenge import load_annotations, load_labels


@pytest.fixture
def checkout(tmp_path):
    folder = tmp_path / "checkout"
    folder.mkdir()
    cv2.imwrite(str(folder / "ada.png"), np.full((100, 50, 3), 90, np.uint8))
    cv2.imwrite(str(folder / "wide.png"), np.full((100, 2000, 3), 90, np.uint8))
    write(folder / "clip.mp4", [numbered(number) for number in range(12)])
    return folder


def described(pictures, **options):
    return {"movie": "tt1", "cast": {"ada": "ada.png"}, "pictures": pictures} | options


def read(out):
    [movie] = load_annotations(out / "val.json").values()
    return movie["candidates"], load_labels(out / "val_label.json")


def test_a_frame_of_a_clip_is_the_one_of_its_number(checkout, tmp_path):
    real_sets.make(described({"clip.mp4@9": [["ada"]]}), checkout, tmp_path / "out")
    [box], _ = read(tmp_path / "out")
    assert number_of(cv2.imread(str(tmp_path / "out/val" / box["img"]))) == 9


def test_who_is_not_in_the_cast_is_somebody_else(checkout, tmp_path):
    real_sets.make(described({"ada.png": [["ada", 0, 0, 20, 50], ["bo", 20, 0, 30, 60]]}), checkout, tmp_path / "out")
    boxes, labels = read(tmp_path / "out")
    assert [(box["label"], box["bbox"]) for box in boxes] == [("ada", [0, 0, 20, 50]), ("others", [20, 0, 30, 60])]
    assert labels == {"tt1_ada": ["tt1_0000"]}


def test_a_box_without_numbers_is_the_whole_picture_as_it_is_written(checkout, tmp_path):
    real_sets.make(described({"wide.png": [["ada"]]}, shrunk="wide*"), checkout, tmp_path / "out")
    assert read(tmp_path / "out")[0][0]["bbox"] == [0, 0, 1000, 50]


def test_a_missing_picture_is_named(checkout, tmp_path):
    with pytest.raises(SystemExit, match=r"gone\.png: missing"):
        real_sets.make(described({"gone.png": [["ada"]]}), checkout, tmp_path / "out")


def test_all_sets_have_boxes_of_their_cast_and_names_of_their_own():
    sets = json.loads(real_sets.SETS.read_text())
    assert len({each["movie"] for each in sets.values()}) == len(sets)
    for each in sets.values():
        shown = {person for boxes in each["pictures"].values() for person, *_ in boxes}
        assert set(each["cast"]) <= shown
        assert all(len(box) in (1, 5) for boxes in each["pictures"].values() for box in boxes)
