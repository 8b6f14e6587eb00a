"""Measure the default search on sets of real pictures by constants that other sets choose.

    python bench/held_out.py DATA [DATA ...] [--compare FILE]

DATA and FILE are those of `bench/real.py`. Prints for each folder the mean average precision of the default with the
constants of `castsearch.search.links` as they are, with those that are best for the mean of the other folders, and with
those that are best for this one, which is the most that the choice can give. Folders that show the same people are one
if their names are the same up to the first hyphen.
"""

import itertools
from collections.abc import Iterable

import numpy as np
import pandas as pd
import real

from castsearch.evaluation.metrics import average_precision
from castsearch.search import links
from castsearch.search.fuse_stage import rank_gallery
from castsearch.search.gallery import Gallery, load_gallery
from castsearch.search.variant import Variant

NAMES = ("EVEN_FACE", "EVEN_BODY", "STEEPNESS")
VALUES = ((2.5, 3.0, 3.5, 4.0), (1.75, 2.0, 2.25, 2.5), (2.0, 3.0, 4.0))
USED = tuple(getattr(links, name) for name in NAMES)


def gallery_of(given: real.Described) -> Gallery:
    """What is searched of a movie by one engine and one network."""
    bodies = {} if given.bodies is None else {"body": [given.bodies]}
    return load_gallery([given.crops], {given.engine: [given.faces]}, bodies)


def precision(given: real.Described, gallery: Gallery) -> float:
    """Mean average precision of the default search."""
    default = Variant("default", given.engine, tuple(gallery.bodies), "diffusion")
    [table] = rank_gallery(gallery, {}, [default])
    found = {row["cast"]: row["ranking"] for row in table.to_pylist() if given.labels[row["cast"]]}
    return float(np.mean([average_precision(given.labels[cast], ranking) for cast, ranking in found.items()]))


def measure(movies: Iterable[real.Described]) -> pd.Series:
    """Mean over movies, engines and networks, by the constants."""
    scores: dict[tuple[float, ...], list[float]] = {constants: [] for constants in itertools.product(*VALUES)}
    for each in movies:
        gallery = gallery_of(each)
        for constants, found in scores.items():
            for name, value in zip(NAMES, constants, strict=True):
                setattr(links, name, value)
            found.append(precision(each, gallery))
    for name, value in zip(NAMES, USED, strict=True):
        setattr(links, name, value)
    return pd.Series({constants: float(np.mean(found)) for constants, found in scores.items()})


def held_out(scores: pd.DataFrame) -> pd.DataFrame:
    """What the constants that other sets choose give.

    Args:
        scores: a row for each choice of constants, a column for each set.
    """
    people = scores.columns.str.split("-").str[0]
    rows = []
    for name, own in zip(scores.columns, people, strict=True):
        others = scores.loc[:, people != own].T.groupby(people[people != own]).mean().mean()
        chosen = others.idxmax()
        given = {"as used": scores.at[USED, name], "held out": scores.at[chosen, name], "best": scores[name].max()}
        rows.append({"set": name, "the others choose": ", ".join(map(str, chosen))} | given)
    return pd.DataFrame(rows)


def main() -> None:
    """Print the table."""
    folders, engines, networks = real.read_options(__doc__, "+")
    scores = pd.DataFrame({each.name: measure(real.described(each, engines, networks)) for each in folders})
    print(held_out(scores).to_markdown(index=False, floatfmt=".3f"))


if __name__ == "__main__":
    main()
