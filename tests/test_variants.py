from castsearch.variants import Variant, ablation


def test_names_tell_all_variants_apart():
    names = [variant.name for variant in ablation(["a", "b"])]
    assert len(set(names)) == len(names)


def test_the_ablation_has_faces_bodies_each_reranked_each_method_and_each_network_alone():
    assert [variant.name for variant in ablation(["a", "b"])] == [
        "face",
        "face*",
        "face+body[a,b]",
        "face+body*[a,b]",
        "face*+body[a,b]",
        "face*+body*[a,b]",
        "propagation face+body[a,b]",
        "propagation face+body*[a,b]",
        "propagation face*+body[a,b]",
        "propagation face*+body*[a,b]",
        "diffusion face+body[a,b]",
        "diffusion face*+body[a,b]",
        "face+body[a]",
        "face+body[b]",
    ]


def test_across_movies_there_is_the_diffusion_alone():
    assert [variant.name for variant in ablation(["a", "b"], across=True)] == [
        "diffusion face",
        "diffusion face*",
        "diffusion face+body[a,b]",
        "diffusion face*+body[a,b]",
        "diffusion face+body[a]",
        "diffusion face+body[b]",
    ]
    assert ablation([], across=True) == [Variant((), rerank, method="diffusion") for rerank in (False, True)]


def test_without_networks_there_are_faces_alone():
    names = ["face", "face*", "propagation face", "propagation face*", "diffusion face", "diffusion face*"]
    assert [variant.name for variant in ablation([])] == names


def test_a_description_is_in_words():
    assert Variant(("a", "b"), body_rerank=True).description == "faces; bodies, re-ranked, by a and b"
    assert Variant(face_rerank=True, method="diffusion").description == "faces, re-ranked alone; by diffusion"
