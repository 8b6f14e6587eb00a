import json

import pytest

from castsearch import dataset
from castsearch.errors import InputError

SOURCE = "val.json: movie tt1"


def candidate(name, **changes):
    return {"id": name, "img": f"tt1/candidates/{name}.jpg", "bbox": [0, 0, 4, 8], "label": "others"} | changes


def test_people_come_cast_first_in_annotation_order():
    entry = {"cast": [{"id": "b", "img": "b.jpg", "label": "b"}], "candidates": [candidate("z"), candidate("a")]}
    found, dropped = dataset.people(entry, SOURCE)
    assert [(person.role, person.id) for person in found] == [("cast", "b"), ("candidate", "z"), ("candidate", "a")]
    assert dropped == []


def test_a_repeated_id_is_reported_with_file_and_record():
    _, dropped = dataset.people({"cast": [], "candidates": [candidate("a"), candidate("a")]}, SOURCE)
    assert dropped == [("a", "val.json: movie tt1: candidate a: this id occurs twice")]


@pytest.mark.parametrize("name", [None, 7, "", "a,b", "a b", "../a", ".hidden"])
def test_an_id_that_would_break_a_path_or_a_submission_line_is_left_out(name):
    found, dropped = dataset.people({"cast": [], "candidates": [candidate("x") | {"id": name}]}, SOURCE)
    assert found == []
    assert "candidate 0" in dropped[0][1]


@pytest.mark.parametrize("bbox", [None, [1, 2, 3], [1, 2, 3, "4"], [1, 2, float("nan"), 4], {"x": 1}])
def test_a_box_that_is_not_four_numbers_has_no_size(bbox):
    found, _ = dataset.people({"cast": [], "candidates": [candidate("a", bbox=bbox)]}, SOURCE)
    assert found[0].bbox == (0, 0, 0, 0)


@pytest.mark.parametrize("img", ["", "/etc/passwd", "../other/a.jpg", "tt1/../../a.jpg", "tt1\\..\\a.jpg", "a\0b"])
def test_an_image_path_that_leaves_its_folder_is_refused(tmp_path, img):
    with pytest.raises(InputError, match="does not stay inside its folder"):
        dataset.image_path(tmp_path, img)


def test_an_image_path_inside_its_folder_is_joined(tmp_path):
    assert dataset.image_path(tmp_path, "tt1/a.jpg") == tmp_path / "tt1/a.jpg"


def test_json_that_is_cut_off_is_refused_with_its_line(tmp_path):
    path = tmp_path / "val.json"
    path.write_text('{"tt1": {"cast": [],\n "candidates": [')
    with pytest.raises(InputError, match=r"val\.json: is not complete JSON: .* at line 2"):
        dataset.load_annotations(path)


def test_a_missing_annotation_file_is_named(tmp_path):
    with pytest.raises(InputError, match=r"val\.json: cannot be read: No such file"):
        dataset.load_annotations(tmp_path / "val.json")


@pytest.mark.parametrize("entry", [[], {"cast": []}, {"cast": {}, "candidates": []}])
def test_a_movie_without_its_two_lists_is_named(tmp_path, entry):
    path = tmp_path / "val.json"
    path.write_text(json.dumps({"tt1": entry}))
    with pytest.raises(InputError, match="movie tt1: expected an object with the lists"):
        dataset.load_annotations(path)


def test_a_movie_id_that_climbs_is_refused(tmp_path):
    path = tmp_path / "val.json"
    path.write_text(json.dumps({"../tt1": {"cast": [], "candidates": []}}))
    with pytest.raises(InputError, match=r"movie '\.\./tt1'"):
        dataset.load_annotations(path)


def test_a_movie_digest_changes_with_the_movie_alone():
    entry = {"cast": [], "candidates": [candidate("a")]}
    assert dataset.movie_digest(entry) == dataset.movie_digest(json.loads(json.dumps(entry)))
    assert dataset.movie_digest(entry) != dataset.movie_digest({"cast": [], "candidates": [candidate("b")]})


def test_a_labelled_cast_id_that_the_split_lacks_stops_or_is_listed():
    labels = {"tt1_nm1": ["tt1_1"], "tt9_nm9": []}
    with pytest.raises(InputError, match=r"labels\.json: cast tt9_nm9: the split has no such cast id"):
        dataset.check_labels("labels.json", labels, {"tt1_nm1"}, "stop")
    unknown = dataset.check_labels("labels.json", labels, {"tt1_nm1"}, "skip")
    assert [name for name, _ in unknown] == ["tt9_nm9"]
