import pytest

from castsearch.variants import METHODS, Variant, ablation


def test_names_tell_all_variants_apart():
    names = [variant.name for variant in ablation(["a", "b"])]
    assert len(set(names)) == len(names)


def test_each_method_has_faces_bodies_each_reranked_and_each_network_alone():
    names = [variant.name for variant in ablation(["a", "b"])]
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
    assert not any(variant.networks for variant in ablation([]))


@pytest.mark.parametrize("method", METHODS)
def test_faces_alone_are_there_to_compare_with(method):
    assert Variant(method=method) in ablation(["a"])


def test_across_movies_there_is_the_diffusion_alone():
    assert {variant.method for variant in ablation(["a", "b"], across=True)} == {"diffusion"}


def test_a_description_is_in_words():
    assert Variant(("a", "b"), body_rerank=True).description == "faces; bodies, re-ranked, by a and b"
    assert Variant(face_rerank=True, method="diffusion").description == "faces, re-ranked alone; by diffusion"
