import json
import re

import pytest

from castsearch.data import challenge
from castsearch.errors import InputError

SOURCE = "val.json: movie tt1"


def candidate(name, **changes):
    return {"id": name, "img": f"tt1/candidates/{name}.jpg", "bbox": [0, 0, 4, 8], "label": "others"} | changes


def test_people_come_cast_first_in_annotation_order():
    entry = {"cast": [{"id": "b", "img": "b.jpg", "label": "b"}], "candidates": [candidate("z"), candidate("a")]}
    found, dropped = challenge.parse_movie(entry, SOURCE)
    assert [(person.role, person.id) for person in found] == [("cast", "b"), ("candidate", "z"), ("candidate", "a")]
    assert dropped == []


def test_a_repeated_id_is_reported_with_file_and_record():
    _, dropped = challenge.parse_movie({"cast": [], "candidates": [candidate("a"), candidate("a")]}, SOURCE)
    assert dropped == [("a", "val.json: movie tt1: candidate a: this id occurs twice")]


@pytest.mark.parametrize("name", [None, 7, "", "a,b", "a b", "../a", ".hidden"])
def test_an_id_that_would_break_a_path_or_a_submission_line_is_left_out(name):
    found, dropped = challenge.parse_movie({"cast": [], "candidates": [candidate("x") | {"id": name}]}, SOURCE)
    assert found == []
    assert "candidate 0" in dropped[0][1]


@pytest.mark.parametrize(
    "bbox",
    [None, [1, 2, 3], [1, 2, 3, "4"], [1, 2, float("nan"), 4], {"x": 1}, [True, 2, 3, 4], [10**400, 0, 5, 5]],
)
def test_a_box_that_is_not_four_numbers_is_a_problem(bbox):
    found, _ = challenge.parse_movie({"cast": [], "candidates": [candidate("a", bbox=bbox)]}, SOURCE)
    assert found[0].problem == "'bbox' is not four finite numbers"


@pytest.mark.parametrize("label", [3, ["nm1"], True, "\ud800"])
def test_a_label_that_is_no_text_is_a_problem(label):
    found, _ = challenge.parse_movie({"cast": [], "candidates": [candidate("a", label=label)]}, SOURCE)
    assert (found[0].problem, found[0].label) == ("'label' is neither a text nor null", None)


@pytest.mark.parametrize("record", [{"label": None}, {}])
def test_a_record_may_have_no_label(record):
    found, _ = challenge.parse_movie({"cast": [{"id": "a", "img": "a.jpg"} | record], "candidates": []}, SOURCE)
    assert (found[0].problem, found[0].label) == (None, None)


@pytest.mark.parametrize("img", [None, 3, "\ud800.jpg"])
def test_an_image_path_that_is_no_text_is_a_problem(img):
    found, _ = challenge.parse_movie({"cast": [], "candidates": [candidate("a", img=img)]}, SOURCE)
    assert (found[0].problem, found[0].img) == ("'img' is not a path", "")


@pytest.mark.parametrize("img", ["", "/etc/passwd", "../other/a.jpg", "tt1/../../a.jpg", "a\0b"])
def test_an_image_path_that_leaves_its_folder_is_refused(tmp_path, img):
    with pytest.raises(InputError, match="does not stay inside its folder"):
        challenge.image_path(tmp_path, img)


def test_an_image_path_inside_its_folder_is_joined(tmp_path):
    assert challenge.image_path(tmp_path, "tt1/a.jpg") == tmp_path / "tt1/a.jpg"


def test_backslashes_in_an_image_path_are_named(tmp_path):
    with pytest.raises(InputError, match="has backslashes"):
        challenge.image_path(tmp_path, "tt1\\frame.jpg")


@pytest.mark.parametrize("spelling", ["m/f1.jpg", "./m//f1.jpg", "m/./f1.jpg", ".//m/f1.jpg"])
def test_all_spellings_of_a_path_are_one_frame(spelling):
    record = {"id": "a", "img": spelling, "bbox": [0, 0, 5, 5]}
    [person], _ = challenge.parse_movie({"cast": [], "candidates": [record]}, "val.json")
    assert person.img == "m/f1.jpg"


def test_json_that_is_cut_off_is_refused_with_its_line(tmp_path):
    path = tmp_path / "val.json"
    path.write_text('{"tt1": {"cast": [],\n "candidates": [')
    with pytest.raises(InputError, match=r"val\.json: is not complete JSON: .* at line 2"):
        challenge.load_annotations(path)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("[" * 100_000, "is nested too deeply"),
        (f'{{"tt1": {"1" * 5000}}}', "cannot be used: Exceeds the limit"),
        ('{"tt1": 1, "tt1": 2}', "the key 'tt1' occurs twice"),
        ('{"tt1": {"cast": [{"id": "a", "id": "b"}], "candidates": []}}', "the key 'id' occurs twice"),
    ],
)
def test_json_that_is_odd_is_refused_in_one_line(tmp_path, text, reason):
    path = tmp_path / "val.json"
    path.write_text(text)
    with pytest.raises(InputError, match=rf"val\.json: .*{reason}") as caught:
        challenge.load_annotations(path)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("content", "what"),
    [
        (b"", "is an empty file, not JSON"),
        (b"<html>404", "is a page of HTML, as servers send for what is missing, not JSON"),
        (
            b"version https://git-lfs.github.com/spec/v1\n",
            "is a pointer of Git LFS; `git lfs pull` fetches the file itself",
        ),
        ('{"nm1": []}'.encode("utf-16"), "is a text in UTF-16; save it as UTF-8"),
        (b"\xff\xd8\xff\xe0", "is a JPEG, not JSON"),
        (b"\x80\x04\x95\0", "is a Python pickle, not JSON"),
        (b"PK\3\4", "is a ZIP archive, not JSON"),
    ],
)
def test_what_is_no_json_is_named(tmp_path, content, what):
    (tmp_path / "labels.json").write_bytes(content)
    with pytest.raises(InputError, match=re.escape(f"labels.json: {what}")):
        challenge.load_labels(tmp_path / "labels.json")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ('{"images": [], "annotations": [], "categories": []}', "is COCO's format"),
        ('[{"image_id": 1, "bbox": [0, 0, 9, 9], "score": 0.9}]', "expected a JSON object, found list"),
    ],
)
def test_the_formats_of_coco_are_named(tmp_path, content, message):
    path = tmp_path / "coco.json"
    path.write_text(content)
    with pytest.raises(InputError, match=rf"coco\.json: {message}; docs/own-movies\.md"):
        challenge.load_annotations(path)


def test_a_byte_order_mark_is_read_over(tmp_path):
    (tmp_path / "val.json").write_text('{"tt1": {"cast": [], "candidates": []}}', encoding="utf-8-sig")
    assert list(challenge.load_annotations(tmp_path / "val.json")) == ["tt1"]


def test_a_cast_id_of_two_movies_is_refused_with_both(tmp_path):
    entry = {"cast": [{"id": "nm1", "img": "a.jpg"}], "candidates": []}
    (tmp_path / "val.json").write_text(json.dumps({"tt1": entry, "tt2": entry}))
    with pytest.raises(InputError, match=r"val\.json: cast id 'nm1' occurs in two movies, tt1 and tt2"):
        challenge.load_annotations(tmp_path / "val.json")


@pytest.mark.parametrize("member", [{"id": "unknown"}, {"id": "nm1", "label": "unknown 2"}])
def test_nobody_of_a_cast_may_be_called_as_those_without_a_name(tmp_path, member):
    (tmp_path / "val.json").write_text(json.dumps({"tt1": {"cast": [member], "candidates": []}}))
    with pytest.raises(InputError, match=r"val\.json: movie tt1: cast .*: 'unknown.*' stands for whoever has no name"):
        challenge.load_annotations(tmp_path / "val.json")


def test_a_cast_id_that_occurs_twice_in_one_movie_is_left_to_its_movie(tmp_path):
    member = {"id": "nm1", "img": "a.jpg"}
    (tmp_path / "val.json").write_text(json.dumps({"tt1": {"cast": [member, member], "candidates": []}}))
    assert list(challenge.load_annotations(tmp_path / "val.json")) == ["tt1"]


@pytest.mark.parametrize("labels", [{"nm\n1": []}, {"\ud800": []}, {"nm1": ["a\nb"]}, {"nm1": [3]}, {"nm1": "a"}])
def test_labels_that_are_no_ids_are_refused_in_one_line(tmp_path, labels):
    (tmp_path / "labels.json").write_text(json.dumps(labels))
    with pytest.raises(InputError, match=r"labels\.json: cast ") as caught:
        challenge.load_labels(tmp_path / "labels.json")
    assert str(caught.value).isprintable()


def test_a_missing_annotation_file_is_named(tmp_path):
    with pytest.raises(InputError, match=r"val\.json: cannot be read: No such file"):
        challenge.load_annotations(tmp_path / "val.json")


@pytest.mark.parametrize("entry", [[], {"cast": []}, {"cast": {}, "candidates": []}])
def test_a_movie_without_its_two_lists_is_named(tmp_path, entry):
    path = tmp_path / "val.json"
    path.write_text(json.dumps({"tt1": entry}))
    with pytest.raises(InputError, match="movie tt1: expected an object with the lists"):
        challenge.load_annotations(path)


@pytest.mark.parametrize("movie", ["../tt1", "t" * 201, "tt1\n", ""])
def test_a_movie_id_that_is_no_name_of_files_is_refused(tmp_path, movie):
    path = tmp_path / "val.json"
    path.write_text(json.dumps({movie: {"cast": [], "candidates": []}}))
    with pytest.raises(InputError, match=re.escape(f"movie {movie!r}: an id has up to 200 letters")):
        challenge.load_annotations(path)


def test_a_movie_digest_changes_with_the_movie_alone():
    entry = {"cast": [], "candidates": [candidate("a")]}
    assert challenge.movie_digest(entry) == challenge.movie_digest(json.loads(json.dumps(entry)))
    assert challenge.movie_digest(entry) != challenge.movie_digest({"cast": [], "candidates": [candidate("b")]})


CANDIDATES = {"tt1_nm1": {"tt1_1", "tt1_2"}}


@pytest.mark.parametrize(
    ("labels", "reason"),
    [
        ({"tt1_nm1": ["tt1_1"], "tt9_nm9": []}, "cast tt9_nm9: the split has no such cast id"),
        ({"tt1_nm1": ["tt9_1", "tt1_1"]}, "cast tt1_nm1: candidate tt9_1: the movie has no such candidate"),
    ],
)
def test_labels_with_an_id_that_the_split_lacks_stop_or_lose_it(labels, reason):
    with pytest.raises(InputError, match=rf"labels\.json: {reason}"):
        challenge.check_labels("labels.json", labels, CANDIDATES, "stop")
    kept, [(_, why)] = challenge.check_labels("labels.json", labels, CANDIDATES, "skip")
    assert kept == {"tt1_nm1": ["tt1_1"]}
    assert why == f"labels.json: {reason}"


@pytest.mark.parametrize(("label", "named"), [("nm1", True), ("others", False), ("tt1_others_3", False), (None, False)])
def test_a_label_of_the_others_or_none_names_nobody(label, named):
    assert challenge.is_cast_label(label) is named


@pytest.mark.parametrize(
    ("boxes", "pixels"),
    [
        ([], 0),
        ([[0, 90, 50, 10], [150.5, 0, 49.5, 20], [-5, -5, 5, 5]], 200 * 100),
        ([[0, 0, 1e308, 1e308]], 10**12),
        ([[0, 0, 50, 10], [1, 2, 3]], 0),
        ([[0, 0, 50, 10], [1, 2, "3", 4]], 0),
        ([[0, 0, 50, 10], None], 0),
        ([[float("nan")] * 4], 0),
        ([[10**400, 0, 0.5, 5]], 0),
    ],
)
def test_how_large_frames_are_is_seen_from_their_boxes(boxes, pixels):
    entry = {"cast": [], "candidates": [candidate(str(number), bbox=box) for number, box in enumerate(boxes)]}
    assert challenge.frame_pixels(entry) == pixels
