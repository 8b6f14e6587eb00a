import numpy as np
from scipy.special import expit

from castsearch.search.calibration import cast_odds, prior_odds


def test_more_of_the_cast_makes_a_stranger_less_probable():
    few, half, most = expit(cast_odds(np.array([0.02, 0.5, 0.9])))
    assert few < 0.1 < 0.8 < half < most


def test_the_share_of_strangers_is_found():
    rng = np.random.default_rng(0)
    cast = np.arange(2000) < 400
    odds = rng.normal(np.where(cast, 2, -2), 2)  # the log odds of two normal distributions if both are as many
    assert abs(expit(prior_odds(odds)) - 0.2) < 0.03


def test_few_candidates_tell_little():
    assert prior_odds(np.empty(0)) == 0
    assert prior_odds(np.full(2, -9.0)) > prior_odds(np.full(200, -9.0))
