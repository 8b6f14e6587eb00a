import pytest

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


def test_only_what_compares_all_pairs_claims_for_them():
    small, large = (claims.search_mb(images, 8, 1, [DIFFUSION]) for images in (10_000, 20_000))
    assert large < 2 * small
    small, large = (claims.search_mb(images, 8, 1, [DIFFUSION, CASCADE]) for images in (10_000, 20_000))
    assert large > 2 * small


def test_time_is_claimed_by_the_number_of_pairs_and_searches():
    assert claims.search_minutes(1000, 4) == 20
    assert claims.search_minutes(20_000, 4) == 60
