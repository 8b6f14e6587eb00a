from dataclasses import replace

from factories import searches

from castsearch.search.variant import reranked_similarities, similarities_from_json, to_json, variants_from_json

VARIANTS = [
    searches.variant(bodies=True, face_rerank=True, body_rerank=True),
    searches.variant("diffusion"),
]


def test_variants_come_back_from_json():
    assert variants_from_json(to_json(VARIANTS)) == VARIANTS


def test_re_ranked_similarities_come_back_from_json():
    wanted = reranked_similarities(VARIANTS)
    assert similarities_from_json(to_json(wanted)) == wanted


def test_a_title_is_not_in_the_json_since_it_decides_on_no_ranking():
    assert to_json([replace(VARIANTS[0], title="mine", description="new")]) == to_json([VARIANTS[0]])


def test_re_ranking_depends_on_neither_method_nor_thresholds():
    other = replace(VARIANTS[0], key="other", method="propagation", thresholds=())
    assert reranked_similarities([VARIANTS[0], other]) == reranked_similarities([VARIANTS[0]])
