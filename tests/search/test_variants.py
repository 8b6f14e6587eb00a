import pytest

from castsearch.errors import InputError
from castsearch.search.variants import METHODS, Variant, ablation, listed, reranked


def test_names_tell_all_variants_apart():
    names = [variant.name for variant in ablation("dlib", ["a", "b"])]
    assert len(set(names)) == len(names)


def test_each_method_has_faces_bodies_each_reranked_and_each_network_alone():
    names = [variant.name for variant in ablation("dlib", ["a", "b"])]
    assert names[:8] == [
        "face",
        "face*",
        "face+body[a,b]",
        "face+body*[a,b]",
        "face*+body[a,b]",
        "face*+body*[a,b]",
        "face+body[a]",
        "face+body[b]",
    ]
    assert names[-6:] == [
        "diffusion face",
        "diffusion face*",
        "diffusion face+body[a,b]",
        "diffusion face*+body[a,b]",
        "diffusion face+body[a]",
        "diffusion face+body[b]",
    ]


def test_without_networks_there_are_faces_alone():
    assert not any(variant.networks for variant in ablation("dlib", []))


@pytest.mark.parametrize("method", METHODS)
def test_faces_alone_are_there_to_compare_with(method):
    assert Variant("dlib", method=method) in ablation("dlib", ["a"])


def test_across_movies_there_is_the_diffusion_alone():
    assert {variant.method for variant in ablation("dlib", ["a", "b"], across=True)} == {"diffusion"}


def test_a_description_is_in_words():
    assert Variant("dlib", ("a", "b"), body_rerank=True).description == "faces; bodies, re-ranked, by a and b"
    assert Variant("dlib", face_rerank=True, method="diffusion").description == "faces, re-ranked alone; by diffusion"


MAIN = Variant("dlib", ("a", "b"), method="diffusion")


def test_a_list_comes_after_faces_alone_and_the_submissions_search():
    variants = listed([{"method": "cascade", "networks": ["b"], "body_rerank": True, "thresholds": [0.6, 0.5]}], MAIN)
    assert [variant.name for variant in variants] == [
        "diffusion face",
        "diffusion face+body[a,b]",
        "face+body*[b] at 0.6/0.5",
    ]


def test_another_engine_stands_in_the_name():
    assert listed([{"engine": "insightface"}], MAIN)[-1].name == "diffusion face+body[a,b] by insightface"


def test_what_is_listed_twice_is_one_variant():
    assert len(listed([{"networks": []}, {"method": "diffusion"}], MAIN)) == 2


@pytest.mark.parametrize(
    ("entries", "across", "message"),
    [
        ([{"networks": ["c"]}], False, r"variants\.0\.networks: not in reid\.networks: c"),
        ([{"thresholds": [0.5]}], False, r"variants\.0\.thresholds: the method diffusion has none"),
        ([{"body_rerank": True}], False, r"variants\.0\.body_rerank: the method diffusion"),
        ([{"method": "cascade", "networks": [], "body_rerank": True}], False, "no networks"),
        ([{"name": "x"}, {"name": "x", "networks": ["a"]}], False, "its name 'x' is another's"),
        ([{"method": "cascade"}], True, r"variants\.0\.method: search\.scope split"),
    ],
)
def test_a_list_that_cannot_be_searched_is_refused(entries, across, message):
    with pytest.raises(InputError, match=message):
        listed(entries, MAIN, across)


def test_reranking_does_not_depend_on_thresholds_names_and_methods():
    one = Variant("dlib", ("a",), True, True, thresholds=(0.5,), title="one")
    other = Variant("dlib", ("a",), True, True, "propagation")
    assert reranked([one, other, Variant("dlib")]) == [Variant("dlib", ("a",), True, True)]
