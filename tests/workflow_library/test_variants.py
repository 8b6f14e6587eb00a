import pytest

from castsearch.errors import InputError
from castsearch.faces import engines
from castsearch.search.methods import METHODS
from castsearch.workflow import variants


def config(*entries, networks=("a", "b"), method="diffusion", scope="movie", **fusion):
    """The part of a configuration that decides on the searches."""
    return {
        "faces": {"engine": "yunet_sface"},
        "reid": {"networks": [{"name": name} for name in networks]},
        "rerank": {"method": "ecn", "ecn": {"face": {"t": 1, "q": 2}, "body": {"t": 3, "q": 4}}},
        "search": {"method": method, "scope": scope},
        "fusion": {"thresholds": [0.5, 0.4], "reranked_threshold": 0.7, "face_rerank": False, "body_rerank": False}
        | fusion,
        "variants": list(entries),
    }


def titles(*entries, **options):
    return [variant.title for variant in variants.compared(config(*entries, **options))]


def test_each_method_has_faces_bodies_each_reranked_and_each_network_alone():
    found = titles()
    assert found[:8] == [
        "cascade face",
        "cascade face*",
        "cascade face+body[a,b]",
        "cascade face+body*[a,b]",
        "cascade face*+body[a,b]",
        "cascade face*+body*[a,b]",
        "cascade face+body[a]",
        "cascade face+body[b]",
    ]
    assert found[-8:] == [
        "diffusion face",
        "diffusion face*",
        "diffusion face+body[a,b]",
        "diffusion face*+body[a,b]",
        "diffusion face+body[a]",
        "diffusion face+body[b]",
        "online face",
        "online face+body[a,b]",
    ]


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("networks", [(), ("a",), ("a", "b")])
@pytest.mark.parametrize("face_rerank", [False, True])
def test_the_default_comparison_has_the_submission_and_faces_alone(networks, method, face_rerank):
    given = config(networks=networks, method=method, face_rerank=face_rerank)
    compared = variants.compared(given)
    assert variants.submitted(given) in compared
    assert variants.baseline(given) in compared
    assert len({variant.key for variant in compared}) == len({variant.title for variant in compared}) == len(compared)


def test_across_movies_there_are_the_methods_that_have_the_memory():
    found = variants.compared(config(scope="split"))
    assert {variant.method for variant in found} == {name for name, method in METHODS.items() if method.across}
    assert any(variant.face_rerank for variant in found)  # among many strangers that gains


def test_a_description_is_in_words():
    entry = {"method": "cascade", "body_rerank": True}
    assert variants.compared(config(entry))[-1].description == "faces; bodies, re-ranked, by a and b; by cascade"
    assert variants.baseline(config()).description == "faces alone; by diffusion"


def test_a_list_comes_after_faces_alone_and_the_submissions_search():
    entry = {"method": "cascade", "networks": ["b"], "body_rerank": True, "thresholds": [0.6, 0.5]}
    assert titles(entry) == ["diffusion face", "diffusion face+body[a,b]", "cascade face+body*[b] at 0.6/0.5"]


def test_another_engine_stands_in_the_title():
    assert titles({"engine": "insightface"})[-1] == "diffusion face+body[a,b] by insightface"


def test_what_is_listed_twice_is_one_variant():
    assert len(titles({"networks": []}, {"method": "diffusion"})) == 2


def test_a_title_names_the_method_and_does_not_change_the_key():
    named, plain = (variants.compared(config({"method": "cascade"} | name))[-1] for name in ({"name": "x"}, {}))
    assert (named.title, named.key) == ("cascade x", plain.key)


@pytest.mark.parametrize(
    ("entry", "thresholds"),
    [
        ({}, (0.5, 0.4)),
        ({"face_rerank": True}, (0.7, 0.4)),
        ({"face_rerank": True, "thresholds": [0.9]}, (0.9,)),
        ({"method": "propagation"}, ()),
    ],
)
def test_thresholds_are_final(entry, thresholds):
    assert variants.compared(config({"networks": ["a"]} | entry, method="cascade"))[-1].thresholds == thresholds


@pytest.mark.parametrize("engine", ["yunet_sface", "retinaface_arcface"])
def test_without_thresholds_in_the_configuration_the_engines_own_are_taken(engine):
    variant = variants.compared(config({"engine": engine}, method="cascade", thresholds=None))[-1]
    assert variant.thresholds == engines.load(engine).THRESHOLDS


def test_a_re_ranking_has_its_method_and_parameters():
    variant = variants.submitted(config(method="cascade", face_rerank=True, body_rerank=True))
    assert variant.face_rerank == {"method": "ecn", "t": 1, "q": 2}
    assert variant.body_rerank == {"method": "ecn", "t": 3, "q": 4}


def test_bodies_are_re_ranked_only_where_there_are_bodies_that_the_method_can_use():
    given = config({"method": "diffusion"}, {"networks": []}, method="cascade", body_rerank=True)
    assert [variant.body_rerank is None for variant in variants.compared(given)] == [True, False, True]


@pytest.mark.parametrize(
    ("entries", "scope", "message"),
    [
        ([{"networks": ["c"]}], "movie", r"variants\.0\.networks: not in reid\.networks: c"),
        ([{"thresholds": [0.5]}], "movie", r"variants\.0\.thresholds: the method diffusion has none"),
        ([{"body_rerank": True}], "movie", r"variants\.0\.body_rerank: the method diffusion"),
        ([{"method": "cascade", "networks": [], "body_rerank": True}], "movie", "no networks"),
        ([{"name": "x", "networks": ["b"]}, {"name": "x", "networks": ["a"]}], "movie", "its name 'x' is another's"),
        ([{"method": "cascade"}], "split", r"variants\.0\.method: search\.scope split"),
    ],
)
def test_a_list_that_cannot_be_searched_is_refused(entries, scope, message):
    with pytest.raises(InputError, match=message):
        variants.compared(config(*entries, scope=scope))
