from dataclasses import replace

import numpy as np
import pyarrow as pa
import pytest
from factories import searches

from castsearch import files
from castsearch.data.rankings import read_alike, read_doubts
from castsearch.search import ranking_table
from castsearch.search.facts import Facts
from castsearch.search.fuse_stage import rank_gallery
from castsearch.search.gallery import load_gallery
from castsearch.search.methods import METHODS
from castsearch.search.rerank_stage import rerank_gallery
from castsearch.search.variant import reranked_similarities

EVERY_VARIANT = [
    searches.variant(name, bodies=bodies, face_rerank=face_rerank, body_rerank=body_rerank)
    for name, method in METHODS.items()
    for bodies in (False, True)
    for face_rerank in ((False, True) if method.face_rerank else (False,))
    for body_rerank in ((False, True) if bodies and method.body_rerank else (False,))
]


def rank(gallery, *variants):
    reranked = dict(rerank_gallery(gallery, reranked_similarities(variants)))
    return [row for table in rank_gallery(gallery, reranked, variants) for row in table.to_pylist()]


@pytest.mark.parametrize("variant", EVERY_VARIANT, ids=lambda variant: variant.key)
def test_every_variant_ranks_a_persons_candidates_first(tmp_path, variant):
    for row in rank(searches.gallery(tmp_path, n=24), variant):
        own = {f"p{number}" for number in range(2, 26) if number % 2 == int(row["cast"][1:])}
        found = 12 if variant.networks else 8  # every third has no face
        assert set(row["ranking"][:found]) <= own


@pytest.mark.parametrize("variant", EVERY_VARIANT, ids=lambda variant: variant.key)
def test_a_person_is_searched_by_the_best_of_several_portraits(tmp_path, variant):
    # The third portrait is the second person's, too, but unlike the movie.
    gallery = searches.gallery(tmp_path, num_cast=3, n=24, labels=["a", "b", "b"])
    (faces,) = gallery.faces.values()
    faces.feature[2] = np.eye(8)[7]
    bodies = np.eye(8)[np.arange(24) % 2]
    gallery = replace(gallery, bodies={"net": bodies})
    faces.feature[3:] = np.eye(8)[np.arange(24) % 2] + 0.1 * np.eye(8)[np.arange(24) % 7]
    by_cast = {row["cast"]: row["ranking"] for row in rank(gallery, variant)}
    assert by_cast["p1"] == by_cast["p2"]
    assert set(by_cast["p2"][:8]) <= {f"p{number}" for number in range(3, 27) if number % 2 == 0}


def test_candidates_that_could_not_be_read_come_last(tmp_path):
    for row in rank(searches.gallery(tmp_path, unreadable=(3, 5)), *EVERY_VARIANT):
        assert row["ranking"][-2:] == ["p3", "p5"]
        assert sorted(row["ranking"]) == [f"p{number}" for number in range(2, 8)]


def test_a_portrait_that_could_not_be_read_is_answered_in_annotation_order(tmp_path):
    rows = rank(searches.gallery(tmp_path, unreadable=(0,)), searches.variant())
    assert {row["cast"]: row["ranking"] for row in rows}["p0"] == [f"p{number}" for number in range(2, 8)]


@pytest.mark.parametrize("variant", EVERY_VARIANT, ids=lambda variant: variant.key)
def test_who_has_no_clear_portrait_is_not_searched(tmp_path, variant):
    options = {"num_cast": 3, "n": 24}
    rows = {row["cast"]: row for row in rank(searches.gallery(tmp_path / "a", unclear=(1,), **options), variant)}
    assert rows["p1"]["ranking"] == [f"p{number}" for number in range(3, 27)]
    assert rows["p1"]["person"] not in (rows["p0"]["person"], rows["p2"]["person"])
    assert not rows["p1"]["share"] or set(rows["p1"]["share"]) == {0}
    # The others are searched as if that portrait were not there.
    searches.write_gallery(tmp_path / "b", unreadable=(1,), **options)
    alone = {row["cast"]: row["ranking"] for row in rank(searches.load(tmp_path / "b"), variant)}
    assert [rows[name]["ranking"] for name in ("p0", "p2")] == [alone[name] for name in ("p0", "p2")]


def test_who_has_no_clear_portrait_is_where_somebody_said_so(tmp_path):
    gallery = searches.gallery(tmp_path, unclear=(1,))
    certain = np.zeros((3, 6), np.int8)
    certain[1, 4] = 1
    facts = Facts(certain, *np.empty((3, 0), int), [])
    [table] = rank_gallery(gallery, {}, [searches.variant("diffusion")], facts)
    rows = table.to_pylist()
    assert (rows[1]["ranking"][0], rows[1]["share"][:2]) == ("p6", [1, 0])


def test_an_unclear_portrait_is_searched_if_the_user_says_so(tmp_path):
    variant = searches.variant()
    asked = rank(searches.gallery(tmp_path / "a", unclear=(1,), on_unclear="search"), variant)
    assert asked == rank(searches.gallery(tmp_path / "a"), variant)


@pytest.mark.parametrize("on_unclear", ["skip", "search"])
def test_of_several_portraits_an_unclear_one_is_left_out(tmp_path, on_unclear):
    gallery = searches.gallery(tmp_path, num_cast=3, labels=["a", "b", "b"], unclear=(2,), on_unclear=on_unclear)
    assert gallery.faces["yunet_sface"].searched.tolist() == [True, True, False]
    rows = {row["cast"]: row for row in rank(gallery, searches.variant())}
    assert rows["p1"]["ranking"] == rows["p2"]["ranking"]
    assert rows["p1"]["person"] == rows["p2"]["person"]


@pytest.mark.parametrize("method", [name for name, method in METHODS.items() if method.across])
def test_a_search_of_two_movies_ranks_the_candidates_of_both(tmp_path, method):
    for name in ("a", "b"):
        searches.write_gallery(tmp_path / name, prefix=name)
    for row in rank(searches.load(tmp_path / "a", tmp_path / "b"), searches.variant(method, bodies=True)):
        assert sorted(row["ranking"]) == [f"{name}{number}" for name in "ab" for number in range(2, 8)]


@pytest.mark.parametrize("bodies", [False, True])
@pytest.mark.parametrize("face_rerank", [False, True])
@pytest.mark.parametrize("name", METHODS)
def test_a_method_goes_by_the_faces_of_its_mask_alone(tmp_path, name, face_rerank, bodies):
    gallery = searches.gallery(tmp_path, n=24)
    faces = gallery.faces["yunet_sface"]
    # What the feature shows is the middle of the crop, and happens to look like somebody.
    faces.feature[len(gallery.cast) :][~faces.selected] = faces.feature[1]
    neighbours = replace(gallery, faces={"yunet_sface": replace(faces, detected=np.ones_like(faces.detected))})
    variant = searches.variant(name, bodies=bodies, face_rerank=face_rerank)
    same = rank(neighbours, variant) == rank(gallery, variant)
    assert same == (METHODS[name].face_mask == "selected")


@pytest.mark.parametrize("size", [{"num_cast": 0}, {"n": 0}, {"n": 1}, {"num_cast": 0, "n": 0}])
def test_a_movie_without_cast_or_candidates_is_no_error(tmp_path, size):
    gallery = searches.gallery(tmp_path, **size)
    assert len(rank(gallery, *EVERY_VARIANT)) == len(gallery.cast) * len(EVERY_VARIANT)


def test_each_similarity_is_re_ranked_once_for_all_variants(tmp_path):
    wanted = reranked_similarities(EVERY_VARIANT)
    assert [each.key for each in wanted] == ["face+yunet_sface", "body+net"]
    assert set(dict(rerank_gallery(searches.gallery(tmp_path), wanted))) == {"face+yunet_sface", "body+net"}


def test_each_engine_ranks_by_its_own_faces(tmp_path):
    for name in ("a", "b"):
        searches.write_gallery(tmp_path / name)
    # The second engine takes each cast member for the other.
    table = files.read_table(tmp_path / "b/faces.arrow")
    files.write_table(tmp_path / "b/faces.arrow", table.take([1, 0, *range(2, 8)]))
    faces = {"yunet_sface": [tmp_path / "a/faces.arrow"], "insightface": [tmp_path / "b/faces.arrow"]}
    gallery = load_gallery([tmp_path / "a/crops.arrow"], faces, {})
    one, other = searches.variant(), searches.variant(engine="insightface")
    found = {(row["variant"], row["cast"]): row["ranking"][0] for row in rank(gallery, one, other)}
    assert found[one.key, "p0"] == found[other.key, "p1"]
    assert found[one.key, "p1"] == found[other.key, "p0"]


def test_a_variants_thresholds_decide_on_its_ranking(tmp_path):
    gallery = searches.gallery(tmp_path, n=24)
    strict, usual = searches.variant(thresholds=(0.99, 0.98)), searches.variant()
    rankings = [[row["ranking"] for row in rank(gallery, variant)] for variant in (strict, usual)]
    assert rankings[0] != rankings[1]


def test_the_rankings_are_written_and_read_again(tmp_path):
    gallery = searches.gallery(tmp_path)
    variants = EVERY_VARIANT[:2]
    tables = [*rank_gallery(gallery, dict(rerank_gallery(gallery, reranked_similarities(variants))), variants)]
    files.write_tables(tmp_path / "rankings.arrow", tables)
    assert files.read_table(tmp_path / "rankings.arrow").equals(pa.concat_tables(tables))


def test_rankings_of_many_candidates_are_written_in_parts(tmp_path, monkeypatch):
    gallery = searches.gallery(tmp_path, unreadable=(1, 3))
    variant = searches.variant("diffusion")
    [whole] = rank_gallery(gallery, {}, [variant])
    monkeypatch.setattr(ranking_table, "TOGETHER", 1)
    parts = [*rank_gallery(gallery, {}, [variant])]
    assert [len(part) for part in parts] == [1] * len(whole)
    files.write_tables(tmp_path / "rankings.arrow", parts)
    assert files.read_table(tmp_path / "rankings.arrow").to_pylist() == whole.to_pylist()


def test_the_boxes_of_a_track_are_ranked_together(tmp_path):
    gallery = searches.gallery(tmp_path)
    whole = [row["ranking"] for row in rank(gallery, searches.variant())]
    gallery.boxes.update(p3=["p3", "p3b"], p6=["p6", "p6b", "p6c"])
    expanded = [row["ranking"] for row in rank(gallery, searches.variant())]
    boxes = {"p3": ["p3", "p3b"], "p6": ["p6", "p6b", "p6c"]}
    assert expanded == [[box for name in ranking for box in boxes.get(name, [name])] for ranking in whole]


def test_scores_and_shares_are_kept_beside_the_ranking(tmp_path):
    gallery = searches.gallery(tmp_path, unreadable=(3,), labels=["a", "b"])
    row = rank(gallery, searches.variant("diffusion"))[0]
    assert row["score"] == sorted(row["score"], reverse=True)
    share = dict(zip(row["ranking"], row["share"], strict=True))
    assert share["p4"] > 0.5 > share["p7"]
    assert (row["ranking"][-1], row["score"][-1], row["share"][-1]) == ("p3", 0, 0)


def test_a_method_that_knows_of_no_strangers_has_no_shares(tmp_path):
    for row in rank(searches.gallery(tmp_path), *(each for each in EVERY_VARIANT if each.method == "propagation")):
        assert row["share"] is None
        assert len(row["score"]) == len(row["ranking"])


def test_features_that_may_be_wrong_are_named_in_the_table(tmp_path):
    gallery = searches.gallery(tmp_path, n=24)
    frames = [f"f{row % 2} {row // 8}" for row in range(24)]  # of which each has one person alone
    files.write_tables(tmp_path / "tt1.arrow", rank_gallery(replace(gallery, frames=frames), {}, [searches.variant()]))
    found = read_doubts([tmp_path / "tt1.arrow"])
    assert [(movie, reason.partition(" of ")[0]) for movie, reason in found] == [
        ("val/tt1", "yunet_sface: the faces"),
        ("val/tt1", "net: the bodies"),
    ]


def test_portraits_of_two_names_that_look_alike_are_named_in_log_and_table(tmp_path, caplog):
    gallery = searches.gallery(tmp_path, num_cast=4, n=24, labels=["a", "b", "b", "c"])
    face = gallery.faces["yunet_sface"]
    face.feature[3] = face.feature[2] = face.feature[1]  # of which the first two are one person's
    files.write_tables(tmp_path / "tt1.arrow", rank_gallery(gallery, {}, [searches.variant()]))
    assert read_alike([tmp_path / "tt1.arrow"]) == {"p1": ["p3"], "p3": ["p1", "p2"], "p2": ["p3"]}
    assert caplog.messages == [
        f"{own} and p3: by yunet_sface, these portraits of two names show one person" for own in ("p1", "p2")
    ]


def test_portraits_of_one_person_have_one_number(tmp_path):
    rows = rank(searches.gallery(tmp_path, num_cast=3, labels=["a", "b", "b"]), *EVERY_VARIANT)
    assert {(row["cast"], row["person"]) for row in rows} == {("p0", 0), ("p1", 1), ("p2", 1)}
