import json

import pyarrow as pa
import pytest

from castsearch import files
from castsearch.data.crops import crop_table
from castsearch.report.movie_results import Hit, portraits, read_movies, read_skipped
from castsearch.search.ranking_table import SCHEMA as RANKINGS


@pytest.fixture
def write(tmp_path):
    """Write a movie's tables and return their paths; people are (id, role, how many faces, whether one is selected).

    The pictures are turned by `turn` degrees.
    """

    def write(movie, people, rankings, split="val", unreadable=(), turn=0, labels=None, alike=()):
        rows = [
            {"id": name, "role": role, "image": None if name in unreadable else b"jpeg", "width": 1, "height": 1}
            | {"label": (labels or {}).get(name)}
            for name, role, *_ in people
        ]
        crops, faces, ranked = (tmp_path / kind / split / f"{movie}.arrow" for kind in ("crops", "faces", "rankings"))
        files.write_table(crops, crop_table(split, movie, rows))
        columns = {"num_faces": [row[2] for row in people], "selected": [row[3] for row in people]}
        files.write_table(faces, pa.table(columns | {"turn": [turn] * len(people)}))
        answers = [
            {"variant": variant, "cast": cast, "ranking": ranking}
            for variant, of_cast in rankings.items()
            for cast, ranking in of_cast.items()
        ]
        metadata = {"split": split, "alike": json.dumps(alike)}
        files.write_table(ranked, pa.Table.from_pylist(answers, RANKINGS.with_metadata(metadata)))
        return crops, faces, ranked

    return write


@pytest.fixture
def read(tmp_path):
    """Read what the report says of movies that were written, with `labels` per split."""

    def read(*written, labels=None, across=False, top=20, on_unclear="skip"):
        crops, faces, rankings = zip(*written, strict=True)
        paths = {}
        for split, of_split in (labels or {}).items():
            paths[split] = tmp_path / f"{split}_label.json"
            paths[split].write_text(json.dumps(of_split))
        options = {"across": across, "on_unclear": on_unclear, "top": top}
        movies, left_out = read_movies(crops, faces, rankings, paths, variant="both", baseline="face", **options)
        return list(movies), left_out

    return read


PEOPLE = [
    ("ann", "cast", 1, True),
    ("1", "candidate", 1, True),
    ("2", "candidate", 0, False),
    ("3", "candidate", 2, False),
]
RANKINGS_OF_ANN = {"both": {"ann": ["1", "2", "3"]}, "face": {"ann": ["1", "3", "2"]}}


def test_each_hit_is_compared_with_the_baseline(write, read):
    [movie], _ = read(write("m", PEOPLE, RANKINGS_OF_ANN), labels={"val": {"ann": ["1", "2"]}})
    [query] = movie.queries
    assert [(hit.id, hit.rank, hit.rank_before, hit.right, hit.faceless) for hit in query.hits] == [
        ("1", 1, 1, True, False),
        ("2", 2, 3, True, True),
        ("3", 3, 2, False, False),
    ]
    assert (query.ap, query.ap_before) == (1.0, pytest.approx((1 + 2 / 3) / 2))
    assert (movie.scores["mAP"], movie.scores_before["mAP"]) == (query.ap, query.ap_before)
    assert (movie.num_candidates, movie.num_faceless) == (3, 1)


def test_right_candidates_are_listed_however_far_down(write, read):
    [movie], _ = read(write("m", PEOPLE, RANKINGS_OF_ANN), labels={"val": {"ann": ["3"]}}, top=1)
    assert [hit.id for hit in movie.queries[0].hits] == ["1", "3"]


def test_without_labels_nothing_is_right_or_wrong(write, read):
    [movie], _ = read(write("m", PEOPLE, RANKINGS_OF_ANN))
    assert {hit.right for hit in movie.queries[0].hits} == {None}
    assert not movie.queries[0].labelled


def test_labels_that_the_split_has_no_place_for_are_returned(write, read):
    _, left_out = read(write("m", PEOPLE, RANKINGS_OF_ANN), labels={"val": {"bob": ["1"]}})
    assert [name for name, _ in left_out] == ["bob"]


def test_splits_that_share_ids_are_shown_each_by_its_own(write, read):
    val = write("m", PEOPLE, RANKINGS_OF_ANN)
    test = write("m", PEOPLE, RANKINGS_OF_ANN | {"both": {"ann": ["3", "2", "1"]}}, split="test")
    (first, second), _ = read(val, test, labels={"val": {"ann": ["1"]}})
    assert [hit.id for hit in second.queries[0].hits] == ["3", "2", "1"]
    assert (first.queries[0].labelled, second.queries[0].labelled) == (True, False)


def test_a_search_of_all_movies_finds_people_of_others(write, read):
    rankings = {variant: {"ann": ["1", "4"]} for variant in ("both", "face")}
    nobody = {"both": {}, "face": {}}
    (movie, _), _ = read(write("m", PEOPLE, rankings), write("n", [("4", "candidate", 0, False)], nobody), across=True)
    assert [(hit.id, hit.faceless) for hit in movie.queries[0].hits] == [("1", False), ("4", True)]


ANN_ALONE = {"both": {"ann": []}, "face": {"ann": []}}


@pytest.mark.parametrize(
    ("num_faces", "selected", "on_unclear", "searched", "warning"),
    [
        (1, True, "skip", "its face", None),
        (0, False, "skip", "nothing", "no face found, so nothing is searched"),
        (3, True, "skip", "nothing", "3 faces found, so nothing is searched"),
        (0, False, "search", "the middle of the picture", "no face found, so the middle of the picture is searched"),
        (2, False, "search", "the middle of the picture", "2 faces found, so the middle of the picture is searched"),
        (3, True, "search", "the most prominent face", "3 faces found, so the most prominent face is searched"),
    ],
)
def test_a_portrait_without_one_clear_face_is_warned_of(
    write, read, num_faces, selected, on_unclear, searched, warning
):
    movies, _ = read(write("m", [("ann", "cast", num_faces, selected)], ANN_ALONE), on_unclear=on_unclear)
    assert movies[0].queries[0].warning == warning
    table = portraits(movies)
    assert (table["faces"].tolist(), table["searched"].tolist()) == ([num_faces], [searched])


def test_of_an_unclear_portrait_beside_a_clear_one_it_is_said_that_the_other_is_searched(write, read):
    people = [("ann", "cast", 1, True), ("ann2", "cast", 0, False)]
    movies, _ = read(write("m", people, {"both": {}, "face": {}}, labels={"ann": "Ann", "ann2": "Ann"}))
    assert portraits(movies)["searched"].tolist() == ["its face", "another portrait of the person"]


def test_a_portrait_on_its_side_is_warned_of(write, read):
    movies, _ = read(write("m", [("ann", "cast", 1, True)], ANN_ALONE, turn=90))
    assert movies[0].queries[0].warning == "it lies on its side, and is turned clockwise by 90 degrees"


def test_portraits_of_two_names_that_look_alike_are_warned_of(write, read):
    people = [("ann", "cast", 1, True), ("eve", "cast", 1, True), ("bob", "cast", 1, True)]
    [movie], _ = read(write("m", people, {}, alike=[["ann", "bob"]]))
    warning = "it shows the same person as {}, by another name"
    assert [query.warning for query in movie.queries] == [warning.format("bob"), None, warning.format("ann")]


def test_a_portrait_that_cannot_be_read_is_warned_of(write, read):
    rankings = {"both": {"ann": []}, "face": {"ann": []}}
    [movie], _ = read(write("m", [("ann", "cast", 0, False)], rankings, unreadable=["ann"]))
    assert movie.queries[0].warning == "cannot be read"


def hit(**changes):
    known = {"id": "1", "rank": 2, "rank_before": 5, "right": True, "num_relevant": 3, "faceless": True, "image": None}
    return Hit(**(known | changes))


def test_a_hit_is_found_if_it_is_among_as_many_as_are_relevant():
    assert (hit(rank=3).found, hit(rank=4).found) == (True, False)
    assert (hit().found_before, hit(rank_before=3).found_before) == (False, True)
    assert not hit(right=False).found


def test_a_hit_climbs_from_its_rank_in_the_baseline():
    assert (hit().climb, hit(rank_before=None).climb) == (3, 0)


def test_what_could_not_be_used_is_told_once_of_tables_and_folders(tmp_path):
    for movie in ("m", "n"):
        problem = [(f"{movie}1", "no image")]
        files.write_table(tmp_path / f"{movie}.arrow", crop_table("val", movie, [], problem))
    assert read_skipped([tmp_path / "n.arrow", tmp_path]) == [("n1", "no image"), ("m1", "no image")]
