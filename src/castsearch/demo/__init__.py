"""A data set in the challenge's format, composed from photographed heads, whose labels are known by construction."""

SPLITS = ("train", "val", "test")


def movie_ids(split: str, count: int) -> list[str]:
    """Name the first `count` movies of a split, such as tt9100001; no two splits share a name."""
    return [f"tt9{SPLITS.index(split) + 1}{number:05d}" for number in range(1, count + 1)]
