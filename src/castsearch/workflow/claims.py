"""How much memory and time jobs claim, by what is known of their data when they are planned.

The numbers are those of `bench/memory.py`, with some room; `docs/scaling.md` has its table.
"""

from collections.abc import Iterable

from castsearch.search.methods import METHODS
from castsearch.search.variant import Variant

CROP_MB = 2000
"""The largest picture that is read, turned, takes 1.5 GB; crops are written one after the other."""

FILM_TRACKS = 5000
"""Candidates of a film, as long as nobody has counted its tracks."""

SNAKEMAKE_MB = 250
"""Of the Snakemake that starts the script in a cluster's job."""

_PYTHON_MB = 250
_IMAGE_MB = 0.045  # 4,500 numbers a network, some two times and a half
_PAIR_MB = 9e-6  # two matrices in single precision, and some of their rows
_SCORE_MB = 4e-5  # of a portrait and a candidate, while a variant is searched …
_RANK_MB = 8e-6  # … and in its ranking


def search_mb(images: int, portraits: int, networks: int, variants: Iterable[Variant]) -> int:
    """Return the megabytes that the search claims.

    Args:
        images: candidates that are searched together.
        portraits: that they are searched for.
        networks: whose body features are read.
        variants: the searches of the job.
    """
    variants = list(variants)
    in_pairs = any(each.body_rerank or not METHODS[each.method].across for each in variants)
    scores = portraits * images * (_SCORE_MB + _RANK_MB * len(variants))
    return round(SNAKEMAKE_MB + _PYTHON_MB + images * networks * _IMAGE_MB + in_pairs * images**2 * _PAIR_MB + scores)


def search_minutes(images: int, variants: int) -> int:
    """Return the minutes that the search of `variants` variants among `images` candidates claims."""
    return round(20 + 10 * variants * (images / 20_000) ** 2)
