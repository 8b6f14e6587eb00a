import io

import numpy as np
import pytest
from PIL import Image

from castsearch import files
from castsearch.data.crops import (
    crop_table,
    decode_rgb,
    encode_rgb,
    movie_tables,
    read_crops,
    read_splits,
    write_crops,
)
from castsearch.errors import InputError

BOX = {"x": 0, "y": 0, "width": 4, "height": 8}
ROWS = [
    {"id": "c1", "role": "cast", "label": "ann", "frame": "c1.jpg", "image": b"1", **BOX},
    {"id": "c2", "role": "cast", "label": None, "frame": "c2.jpg", "problem": "c2: is broken", **BOX},
    {"id": "p1", "role": "candidate", "label": "others", "frame": "1.jpg", "image": b"3", **BOX, "width": 5},
]


@pytest.fixture
def crops(tmp_path):
    files.write_table(tmp_path / "m.arrow", crop_table("val", "tt1", ROWS, [("x", "x: has no box")]))
    return read_crops(tmp_path / "m.arrow")


def test_a_table_says_which_movie_it_is_wherever_it_lies(crops):
    assert (crops.split, crops.movie, crops.name) == ("val", "tt1", "val/tt1")


def test_the_cast_comes_before_the_candidates(crops):
    assert (crops.cast, crops.candidates, crops.ids) == (["c1", "c2"], ["p1"], ["c1", "c2", "p1"])
    assert crops.frames == ["c1.jpg", "c2.jpg", "1.jpg"]
    assert crops.labels == ["ann", None, "others"]
    assert crops.sizes.tolist() == [[4, 8], [4, 8], [5, 8]]


def test_what_has_no_image_is_not_readable(crops):
    assert crops.readable.tolist() == [True, False, True]


def test_problems_are_those_of_records_with_and_without_a_row(crops):
    assert crops.problems == [("x", "x: has no box"), ("c2", "c2: is broken")]


def test_images_of_the_candidates_come_with_their_ids(crops):
    assert crops.candidate_images().to_pylist() == [{"id": "p1", "image": b"3"}]


def test_movies_are_sorted_by_split(tmp_path):
    for split, movie in (("val", "a"), ("test", "a"), ("val", "b")):
        files.write_table(tmp_path / f"{split}_{movie}.arrow", crop_table(split, movie, ROWS))
    splits = read_splits(tmp_path / name for name in ("val_a.arrow", "test_a.arrow", "val_b.arrow"))
    assert {split: [crops.movie for crops in movies] for split, movies in splits.items()} == {
        "val": ["a", "b"],
        "test": ["a"],
    }


def test_a_folder_of_tables_stands_for_its_tables_by_name(tmp_path):
    for name in ("batch/b.arrow", "batch/a.arrow", "batch/.snakemake_timestamp", "single.arrow"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    tables = movie_tables([tmp_path / "single.arrow", str(tmp_path / "batch")])
    assert tables == [tmp_path / name for name in ("single.arrow", "batch/a.arrow", "batch/b.arrow")]


def test_a_movie_may_be_without_people(tmp_path):
    files.write_table(tmp_path / "m.arrow", crop_table("val", "tt1", []))
    crops = read_crops(tmp_path / "m.arrow")
    assert (crops.ids, len(crops.readable), len(crops.images)) == ([], 0, 0)


def test_a_table_of_other_columns_is_refused(tmp_path):
    files.write_table(tmp_path / "a.arrow", crop_table("val", "tt1", []).drop_columns("clothes"))
    with pytest.raises(InputError, match=r"a\.arrow: was written by another version, without the column clothes; "):
        read_crops(tmp_path / "a.arrow")


def test_pixels_come_back_from_an_encoded_crop():
    pixels = np.full((9, 7, 3), (200, 40, 90), np.uint8)
    for image in (pixels, Image.fromarray(pixels)):
        np.testing.assert_allclose(decode_rgb(encode_rgb(image)), pixels, atol=3)


def test_a_grey_crop_is_decoded_as_rgb():
    buffer = io.BytesIO()
    Image.new("L", (7, 9), 128).save(buffer, "JPEG")
    assert decode_rgb(buffer.getvalue()).shape == (9, 7, 3)


def test_rows_are_written_in_parts_of_which_none_has_many_images(tmp_path):
    rows = [{"id": str(number), "role": "candidate", "image": bytes([number]) * (1 << 25)} for number in range(5)]
    write_crops(tmp_path / "m.arrow", "val", "tt1", iter(rows))
    table = files.read_table(tmp_path / "m.arrow")
    assert table["id"].to_pylist() == list("01234")
    assert table["image"].num_chunks == 2
    assert read_crops(tmp_path / "m.arrow").images[4].as_py() == rows[4]["image"]
