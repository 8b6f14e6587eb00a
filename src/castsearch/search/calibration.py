"""What a share of labels tells: how probably a candidate is no stranger, and how many of a movie's candidates are."""

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit, logit

BIAS = 2.0
STEEPNESS = 1.5
_SMALLEST = 1e-3  # share; smaller ones are as good as none, and are not kept exactly
_EVEN = 5  # candidates, half of them strangers, that are added to those of a movie, since few of them tell little
_ROUNDS = 50


def log_ratio(one: NDArray[np.floating], other: NDArray[np.floating]) -> NDArray[np.floating]:
    """Logarithm of the ratio of two shares, of which either may be 0, or below it by rounding."""
    return np.log((np.maximum(one, 0) + _SMALLEST) / (np.maximum(other, 0) + _SMALLEST))


def cast_odds(cast: NDArray[np.floating]) -> NDArray[np.floating]:
    """Log odds that candidates are no strangers: BIAS + STEEPNESS · log(cast's / strangers' share).

    Args:
        cast: (n,) shares of all of the cast together; the rest is the strangers'.
    """
    return BIAS + STEEPNESS * log_ratio(cast, 1 - cast)


def prior_odds(odds: NDArray[np.floating]) -> float:
    """Estimate how many of a movie's candidates are no strangers, by expectation maximisation.

    Saerens, Latinne and Decaestecker, "Adjusting the Outputs of a Classifier to New a Priori Probabilities: A Simple
    Procedure", Neural Computation 2002.

    Args:
        odds: (n,) log odds that each candidate is no stranger, if half of all were strangers; see `cast_odds`.

    Returns:
        Log odds that any candidate is no stranger.
    """
    prior = 0.0
    for _ in range(_ROUNDS):
        prior = float(logit((expit(odds + prior).sum() + _EVEN / 2) / (len(odds) + _EVEN)))
    return prior
