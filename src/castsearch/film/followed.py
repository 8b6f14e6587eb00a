"""The tables of people who were followed to where no detector found them: see `castsearch.film.follow`.

A table has a row per box: `time`, `box` (x1, y1, x2, y2 within the frame), `shot` and `track`, as a table of tracks has
them, and `backward`: whether the track begins later.
"""

from collections.abc import Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from castsearch.boxes import cover

SAME_PLACE = 0.5  # share of the smaller of two boxes from which on they are taken to show one person
SCHEMA = pa.schema(
    {"time": pa.float64(), "box": pa.list_(pa.float32(), 4), "shot": pa.int32(), "track": pa.int32()}
    | {"backward": pa.bool_()}
)
_COLUMNS = ["time", "box", "shot", "track"]


def join_boxes(tracks: pa.Table, parts: Sequence[pa.Table]) -> pa.Table:
    """Return all boxes of a film's tracks, by time, with a column `found`: whether a detector found them.

    Args:
        tracks: the film's table of tracks.
        parts: tables of those who were followed, of the film's parts.
    """
    followed = pa.concat_tables([SCHEMA.empty_table(), *parts])
    ahead, back = (followed.filter(pc.field("backward") == backward) for backward in (False, True))
    tables = [(tracks, True), (ahead, False), (_elsewhere(back, ahead), False)]
    joined = pa.concat_tables(
        table.select(_COLUMNS).append_column("found", pa.array([found] * len(table), pa.bool_()))
        for table, found in tables
    )
    return joined.take(np.lexsort((joined["track"].to_numpy(), joined["time"].to_numpy())))


def _elsewhere(back: pa.Table, ahead: pa.Table) -> pa.Table:
    """Those who were followed back, without those who were followed ahead to the same place from another track."""
    taken: dict[float, list[list[float]]] = {}
    for row in ahead.to_pylist():
        taken.setdefault(row["time"], []).append(row["box"])
    kept = [
        cover(np.array([row["box"]]), np.array(taken.get(row["time"], [])).reshape(-1, 4)).max(initial=0) < SAME_PLACE
        for row in back.to_pylist()
    ]
    return back.filter(pa.array(kept, pa.bool_()))
