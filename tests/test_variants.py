from castsearch.variants import Variant, ablation


def test_names_tell_all_variants_apart():
    names = [variant.name for variant in ablation(["a", "b"])]
    assert len(set(names)) == len(names)


def test_the_ablation_has_faces_bodies_each_reranked_and_each_network_alone():
    assert [variant.name for variant in ablation(["a", "b"])] == [
        "face",
        "face*",
        "face+body[a,b]",
        "face+body*[a,b]",
        "face*+body[a,b]",
        "face*+body*[a,b]",
        "face+body[a]",
        "face+body[b]",
    ]


def test_without_networks_there_are_faces_alone():
    assert ablation([]) == [Variant(), Variant(face_rerank=True)]


def test_a_description_is_in_words():
    assert Variant(("a", "b"), body_rerank=True).description == "faces; bodies, re-ranked, by a and b"
