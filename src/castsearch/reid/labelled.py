"""Who is in the movies that a training is validated on; without torch, whose import would take most of the time."""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import pyarrow as pa

from castsearch.data.crops import read_crops

SCHEMA = pa.schema(
    [(name, pa.string()) for name in ("id", "frame")]
    + [("image", pa.binary())]
    + [(name, pa.string()) for name in ("movie", "person")]
)

ENOUGH = 4000  # candidates: more take longer than they tell of a network


def collect_labelled(
    crop_tables: Iterable[str | Path], labels: Mapping[str, Mapping[str, Sequence[str]]], enough: int = ENOUGH
) -> pa.Table:
    """Gather the candidates of labelled movies, and whom they show.

    Movies are taken whole, until there are enough candidates. Which, goes by the checksums of their names: they come
    from everywhere in the list, and stay nearly the same where it grows.

    Args:
        crop_tables: the movies' crop tables.
        labels: split → cast id → ids of the candidates that show this person. What the movies do not have is left out,
            and so are movies of which nobody is labelled.
        enough: candidates, after which no further movie is taken.

    Returns:
        A row per candidate that has an image: `movie` ("{split}/{movie}"), `id`, `frame`, `image`, and `person`, the
        cast id of whom it shows; null for anybody else.
    """
    tables = [SCHEMA.empty_table()]
    for path in sorted(crop_tables, key=_checksum):
        if sum(map(len, tables)) >= enough:
            break
        crops = read_crops(path)
        # Of this movie's cast alone: a candidate's id is unique in its movie, not in the split.
        relevant = labels.get(crops.split, {})
        person_of = {name: person for person in crops.cast for name in relevant.get(person, ())}
        if not person_of:
            continue
        first = len(crops.cast)
        columns = {
            "id": crops.candidates,
            "frame": crops.frames[first:],
            "image": crops.images.slice(first),
            "movie": [crops.name] * len(crops.candidates),
            "person": [person_of.get(name) for name in crops.candidates],
        }
        table, readable = pa.table(columns, schema=SCHEMA), crops.readable[first:]
        tables.append(table if readable.all() else table.filter(pa.array(readable)))  # which copies the images
    return pa.concat_tables(tables)


def _checksum(path: str | Path) -> str:
    return hashlib.sha256(Path(path).stem.encode()).hexdigest()
