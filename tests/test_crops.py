import io

import numpy as np
import pytest
from PIL import Image

from castsearch import crops
from castsearch.errors import InputError

SOURCE = "val.json: movie tt1"


@pytest.fixture
def images(tmp_path):
    """A folder with a portrait and a 40×30 frame whose left half is red, its right half blue."""
    frame = np.zeros((30, 40, 3), np.uint8)
    frame[:, :20, 0] = frame[:, 20:, 2] = 255
    (tmp_path / "tt1").mkdir()
    Image.fromarray(frame).save(tmp_path / "tt1/frame.jpg", quality=95, subsampling=0)
    Image.new("RGB", (11, 13), "white").save(tmp_path / "tt1/portrait.jpg")
    return tmp_path


def entry(*candidates, cast=({"id": "nm1", "img": "tt1/portrait.jpg", "label": "nm1"},)):
    return {"cast": list(cast), "candidates": list(candidates)}


def candidate(name="a", bbox=(20, 0, 20, 30), img="tt1/frame.jpg"):
    return {"id": name, "img": img, "bbox": list(bbox), "label": "nm1"}


def cut(entry, images, on_bad_image="stop"):
    return crops.crop_movie(entry, SOURCE, images, on_bad_image).to_pylist()


def test_a_candidate_is_cut_out_and_a_portrait_kept_whole(images):
    portrait, person = cut(entry(candidate()), images)
    assert (portrait["role"], portrait["width"], portrait["height"]) == ("cast", 11, 13)
    assert [person[key] for key in ("x", "y", "width", "height")] == [20, 0, 20, 30]
    pixels = crops.decode_rgb(person["image"])
    assert pixels.shape == (30, 20, 3)
    assert pixels[:, 5:, 2].min() > 240
    assert pixels[:, 5:, 0].max() < 15


def test_rows_follow_the_annotation_though_frames_are_decoded_once(images):
    other = {"id": "b", "img": "tt1/portrait.jpg", "bbox": [0, 0, 5, 5]}
    rows = cut(entry(candidate("z"), other, candidate("a")), images)
    assert [row["id"] for row in rows] == ["nm1", "z", "b", "a"]


@pytest.mark.parametrize(
    ("bbox", "clipped"),
    [
        ((-5, -5, 10, 10), (0, 0, 5, 5)),
        ((35, 25, 10, 10), (35, 25, 40, 30)),
        ((1.5, 1.5, 2, 2), (1, 1, 4, 4)),
        ((-9, -9, 99, 99), (0, 0, 40, 30)),
        ((40, 0, 5, 5), None),
        ((-5, 0, 5, 5), None),
        ((3, 3, 0, 5), None),
        ((1e308, 0, 1e308, 5), None),
        ((-1e308, -1e308, 1.7e308, 1.7e308), (0, 0, 40, 30)),
        ((3, 3, 5, -5), None),
    ],
)
def test_a_box_is_clipped_to_its_frame(bbox, clipped):
    assert crops.clip(bbox, 40, 30) == clipped


def truncated(images):
    data = (images / "tt1/frame.jpg").read_bytes()
    (images / "tt1/cut.jpg").write_bytes(data[: len(data) // 2])
    return "tt1/cut.jpg"


BAD = {
    "missing frame": (lambda images: candidate(img="tt1/none.jpg"), "there is no such image"),
    "truncated frame": (lambda images: candidate(img=truncated(images)), "not a complete image"),
    "box of no size": (lambda images: candidate(bbox=(3, 3, 0, 9)), "no part of box"),
    "box outside": (lambda images: candidate(bbox=(90, 0, 9, 9)), "no part of box"),
    "absolute path": (lambda images: candidate(img="/etc/hostname"), "does not stay inside"),
    "climbing path": (lambda images: candidate(img="../a.jpg"), "does not stay inside"),
    "no path": (lambda images: candidate(img="\ud800"), "is not a path"),
    "no label": (lambda images: candidate() | {"label": ["nm1"]}, "neither a text nor null"),
    "huge box": (lambda images: candidate(bbox=(10**400, 0, 5, 5)), "not four finite numbers"),
}


@pytest.mark.parametrize("case", BAD)
def test_what_cannot_be_used_stops_with_one_line_naming_file_and_record(images, case):
    make, reason = BAD[case]
    with pytest.raises(InputError, match=f"val.json: movie tt1: candidate a: .*{reason}") as caught:
        cut(entry(make(images)), images)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("case", BAD)
def test_what_cannot_be_used_keeps_its_row_when_skipped(images, case):
    make, reason = BAD[case]
    table = crops.crop_movie(entry(make(images), candidate("good")), SOURCE, images, "skip")
    assert table["image"].is_null().to_pylist() == [False, True, False]
    [(name, why)] = crops.problems(table)
    assert name == "a"
    assert reason in why


def test_a_duplicate_is_dropped_and_listed_when_skipped(images):
    table = crops.crop_movie(entry(candidate(), candidate()), SOURCE, images, "skip")
    assert table["id"].to_pylist() == ["nm1", "a"]
    assert [name for name, _ in crops.problems(table)] == ["a"]


@pytest.mark.parametrize(
    ("bad", "reason"),
    [(candidate(img="tt1/none.jpg"), "candidate a: .*no such image"), ({"id": "a b"}, "candidate 0: has no id")],
)
def test_a_movie_of_which_no_candidate_can_be_used_stops_even_when_skipping(images, bad, reason):
    with pytest.raises(InputError, match=f"{images}: none of the movie's candidates can be used; .*{reason}") as caught:
        cut(entry(bad), images, "skip")
    assert "\n" not in str(caught.value)


def test_a_movie_without_anybody_gives_an_empty_table(images):
    assert crops.crop_movie(entry(cast=()), SOURCE, images, "stop").num_rows == 0


def test_a_portrait_that_the_camera_turned_is_turned_back(images):
    exif = Image.Exif()
    exif[0x0112] = 6  # rotate by 90 degrees to show
    Image.new("RGB", (11, 13)).save(images / "tt1/portrait.jpg", exif=exif)
    [portrait] = cut(entry(), images)
    assert (portrait["width"], portrait["height"]) == (13, 11)


def test_a_grey_image_becomes_rgb(images):
    Image.new("L", (11, 13), 128).save(images / "tt1/portrait.jpg")
    [portrait] = cut(entry(), images)
    assert Image.open(io.BytesIO(portrait["image"])).mode == "RGB"
