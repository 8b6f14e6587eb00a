from dataclasses import replace

import pytest

from castsearch.faces import engines
from castsearch.search.variant import Variant
from castsearch.workflow import claims

CASCADE, DIFFUSION = (Variant("v", "e", ("n",), method) for method in ("cascade", "diffusion"))


@pytest.mark.parametrize(
    ("images", "search", "peak"),  # MB, as bench/memory.py printed it
    [
        (60, DIFFUSION, 161),
        (1456, CASCADE, 197),
        (1456, DIFFUSION, 257),
        (20_000, CASCADE, 3730),
        (20_000, DIFFUSION, 869),
    ],
)
def test_a_claim_is_above_the_measured_peak_and_below_twice_it(images, search, peak):
    assert peak < claims.search_mb(images, 8, 1, [search]) - claims.SNAKEMAKE_MB < 2 * peak


@pytest.mark.parametrize(
    ("claim", "peak"),  # MB, as docs/scaling.md has them
    [
        (claims.FACES_MB["yunet_sface"][0], 349),
        (claims.FACES_MB["yunet_sface"][1], 455),
        (claims.FACES_MB["retinaface_arcface"][0], 1247),
        (claims.FACES_MB["retinaface_arcface"][1], 1084),
        (claims.bodies_mb(1456, 0), 1159),
        (claims.bodies_mb(16, 340), 2043),
        (claims.bodies_mb(16, 98), 1295),
        (claims.reid_weights_mb(0), 610),
        (claims.reid_weights_mb(340), 1288),
        (claims.training_mb(24, 256 * 128, 1), 2962),
        (claims.results_mb(127_206), 420),
        (claims.ranked_mb(1244 * 127_206), 884),
        (claims.search_mb(32_511, 373, 0, [DIFFUSION], threads=2), 706),
        (claims.search_mb(127_206, 1244, 0, [DIFFUSION], threads=2), 3496),
        (claims.rerank_mb(127_206, 1244, 0, [DIFFUSION], threads=2), 1432),
    ],
)
def test_a_claim_of_networks_and_results_covers_the_peak_and_snakemake_and_is_not_twice_that(claim, peak):
    assert peak + claims.SNAKEMAKE_MB < claim < 2 * (peak + claims.SNAKEMAKE_MB)


def test_each_face_engine_has_a_claim():
    assert claims.FACES_MB.keys() == {*engines.available()}


def test_only_what_compares_all_pairs_claims_for_them():
    small, large = (claims.search_mb(images, 8, 1, [DIFFUSION]) for images in (10_000, 20_000))
    assert large < 2 * small
    small, large = (claims.search_mb(images, 8, 1, [DIFFUSION, CASCADE]) for images in (10_000, 20_000))
    assert large > 2 * small


def test_only_bodies_that_are_reranked_make_reranking_claim_for_all_pairs():
    pairs = replace(CASCADE, body_rerank={"method": "k_reciprocal"})
    alone, compared = (claims.rerank_mb(20_000, 8, 1, [search]) for search in (CASCADE, pairs))
    assert compared > 2 * alone


def test_each_thread_claims_for_the_block_that_it_works_on():
    one, two, eight = (claims.search_mb(100_000, 8, 1, [DIFFUSION], threads) for threads in (1, 2, 8))
    assert eight - one == 7 * (two - one) >= 7 * 4e-6 * 512 * 100_000


def test_a_film_has_as_many_tracks_as_its_length_allows():
    assert [claims.film_tracks(duration) for duration in (None, 20, 70, 7200)] == [5000, 100, 200, 5000]


def test_time_is_claimed_by_searches_and_by_what_they_compare():
    assert claims.search_minutes(1000, 4 * [CASCADE]) == 20
    assert claims.search_minutes(20_000, 4 * [CASCADE]) == claims.search_minutes(20_000, 4 * [DIFFUSION]) == 60
    assert claims.search_minutes(40_000, 4 * [CASCADE]) == 180
    assert claims.search_minutes(40_000, 4 * [DIFFUSION]) == 100


def test_a_detector_of_persons_claims_for_its_network():
    small = claims.detector_mb("faces", "yunet_sface", 0)
    assert small == 0 == claims.detector_mb("torchvision", "yunet_sface", 170)
    assert claims.detector_mb("ssdlite", "insightface", 0) == 650
    assert claims.frames_mb("persons", 768 * 432, claims.detector_mb("detr", "yunet_sface", 162)) == 1285
