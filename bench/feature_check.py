"""How alike people are by features that are fed right and by features that are fed wrong.

    python bench/feature_check.py DATA --compare FILE

DATA and FILE are as for `bench/real.py`; an engine's `recogniser` and a network's `mean` and `std` say how it is fed.
Prints for each movie, engine and network the median cosine of people who are certainly different, a high quantile of
the cosine to whoever is most alike in another frame, and what `castsearch.data.feature_check` makes of them.
"""

import argparse
import tempfile
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import yaml
from real import make_bodies, make_faces

from castsearch import files
from castsearch.data.challenge import load_annotations
from castsearch.data.crops import read_crops
from castsearch.data.cutting import crop_movie
from castsearch.data.feature_check import BODIES, FACES, Limits, cannot_link_groups, doubt, resemblance
from castsearch.errors import InputError


def engine_features(folder: Path, options: Mapping[str, Any]) -> np.ndarray:
    """Features of a movie's faces; zeros where no face is selected."""
    table = files.read_table(make_faces(folder, options))
    size = table["feature"].type.list_size
    rows = zip(table["feature"].to_pylist(), table["selected"].to_pylist(), strict=True)
    return np.array([feature if own else [0] * size for feature, own in rows], np.float32)


def network_features(folder: Path, options: Mapping[str, Any]) -> np.ndarray:
    """Features of a movie's bodies."""
    return np.load(make_bodies(folder, options))


def verdict(make: Callable[[], np.ndarray], group: np.ndarray, limits: Limits) -> dict[str, object]:
    """What is measured of features, and whether the workflow would stop or warn."""
    try:
        features = make()
    except InputError as error:
        return {"verdict": "stops", "reason": str(error)}
    own = group[len(group) - len(features) :]
    found = resemblance(features, own)
    said = "warns" if doubt(features, own, limits) else "passes"
    return {"verdict": said} | ({} if found is None else found._asdict() | {"gap": found.same - found.different})


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument("--compare", type=Path, required=True)
    options = parser.parse_args()
    compared, rows = yaml.safe_load(options.compare.read_text()), []
    for movie, entry in load_annotations(options.data / "val.json").items():
        with tempfile.TemporaryDirectory() as temporary:
            folder = Path(temporary)
            images = options.data / "val"
            crop_movie(folder / "crops.arrow", "val", movie, entry, source=movie, images=images, on_bad_image="stop")
            crops = read_crops(folder / "crops.arrow")
            people = [(movie, label or name) for name, label in zip(crops.cast, crops.labels, strict=False)]
            group = cannot_link_groups(people, crops.frames[len(crops.cast) :])
            for engine in compared["engines"]:
                found = verdict(partial(engine_features, folder, engine), group, FACES)
                rows.append({"movie": movie, "of": str(engine), **found})
            for network in compared["networks"]:
                found = verdict(partial(network_features, folder, network), group, BODIES)
                rows.append({"movie": movie, "of": str(network), **found})
    print(pd.DataFrame(rows).to_markdown(index=False, floatfmt=".3f"))


if __name__ == "__main__":
    main()
