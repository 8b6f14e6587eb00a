import pytest
from factories.crops import people_rows, rows_of, write_crops

from castsearch.errors import InputError
from castsearch.reid.identities import read_identities


def test_a_person_is_a_label_within_a_movie(tmp_path):
    for split in ("train", "val"):
        (tmp_path / split).mkdir()
    one = write_crops(tmp_path / "train/one.arrow", people_rows(["b", "a"], 2))
    two = write_crops(tmp_path / "val/one.arrow", people_rows(["a"], 3))

    people = read_identities([two, one])

    assert people.names == [("train/one", "a"), ("train/one", "b"), ("val/one", "a")]
    assert [rows.tolist() for rows in people.members] == [[5, 6], [3, 4], [0, 1, 2]]
    assert people.image(5, (64, 32)).shape == (64, 32, 3)


def test_portraits_others_unlabelled_and_missing_crops_are_left_out(tmp_path):
    rows = [
        *rows_of("a", [b"portrait"], role="cast"),
        *rows_of("a", [b"image", None, b"image"]),
        *rows_of("others", [b"image"]),
        *rows_of(None, [b"image"]),
        *rows_of("b", [None]),
    ]
    people = read_identities([write_crops(tmp_path / "movie.arrow", rows)])
    assert people.names == [(f"{tmp_path.name}/movie", "a")]
    assert [rows.tolist() for rows in people.members] == [[0, 2]]  # rows of the candidates


def test_labels_that_may_be_names_are_said_to_be_left_out(tmp_path, caplog):
    caplog.set_level("INFO")
    rows = [row for label in ("others", "coen_brothers", "others_2") for row in rows_of(label, [b"image"] * 2)]
    assert read_identities([write_crops(tmp_path / "movie.arrow", rows)]).names == []
    [record] = caplog.records
    assert record.getMessage().endswith("left out: 'coen_brothers' (2), 'others_2' (2)")


def test_no_tables_are_nobody():
    assert read_identities([]).names == []


def test_a_crop_that_is_no_image_is_named(tmp_path):
    path = write_crops(tmp_path / "movie.arrow", rows_of("a", [b"\xff\xd8 cut off"]))
    with pytest.raises(InputError, match=f"^{path}: a_candidate_0: the crop is not an image"):
        read_identities([path]).image(0, (64, 32))
