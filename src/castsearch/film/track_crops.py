"""Stages cut_tracks and crop_film: the crop table of a film, from its tracks and its cast's portraits.

In the same pass over the film, people are followed to where no box was found: see `castsearch.film.follow`.

The table is that of `castsearch.data.crops`. Its candidates are the boxes that stand for their tracks, by time and from
left to right; `frame` is their frame's time.

A candidate's id is made of the film's name, of its frame's time in milliseconds, and of its place in the frame among
the boxes that are cut out. It depends on nothing that comes later than the tracks.
"""

from collections.abc import Iterator, Mapping, Sequence
from math import ceil, floor
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from tqdm import tqdm

from castsearch import vectors
from castsearch.data import crops
from castsearch.data.images import read_rgb
from castsearch.data.portrait_ids import portraits_of
from castsearch.errors import InputError, one_line
from castsearch.film.colours import clothes
from castsearch.film.decode import Film, seconds
from castsearch.film.follow import Followers
from castsearch.film.frame import Frame
from castsearch.film.tracks import moments


def cut_out(
    film: Film,
    movie: str,
    tracks: pa.Table,
    start: float = 0,
    end: float | None = None,
    *,
    followers: Followers | None = None,
) -> pa.Table:
    """Cut the boxes that stand for their tracks out of the part [start, end) of a film.

    Args:
        film: the film.
        movie: the film's name; ids begin with it.
        tracks: the film's table of tracks.
        start: of the part, in seconds.
        end: of the part; None for the end of the film.
        followers: of the part, who see the film's samples in the same pass.

    Returns:
        The part's crop table, without portraits.

    Raises:
        InputError: the film cannot be read, or is not the one that the tracks are of.
    """
    own = tracks.filter(pc.field("chosen") & (pc.field("time") >= start))
    if end is not None:
        own = own.filter(pc.field("time") < end)
    order = np.lexsort((vectors.to_rows(own["box"])[:, 0], own["time"].to_numpy()))
    seen = moments(tracks["time"].to_numpy(), tracks["track"].to_numpy())
    by_time: dict[float, list[dict]] = {}
    for row in own.take(order).to_pylist():
        by_time.setdefault(row["time"], []).append(row | {"moments": seen[row["track"]]})
    rows = []
    progress = tqdm(total=len(order), desc=f"cut out {film.path.name}", unit="person", mininterval=2)
    for frame in _samples(film, tracks, list(by_time), followers.span if followers else None):
        if followers:
            followers.see(frame)
        time = seconds(frame.time)
        if time not in by_time:
            continue
        image = frame.rgb()
        for place, row in enumerate(by_time.pop(time), start=1):
            rows.append(_row(f"{movie}-{round(1000 * time):08d}-{place}", row, image))
            progress.update()
    progress.close()
    if by_time:
        raise InputError(f"{film.path}: has no frame at {min(by_time)} s, where there was one; has it been replaced?")
    return crops.crop_table("films", movie, rows)


def join_crops(movie: str, cast: Mapping[str, Sequence[str]], parts: Sequence[pa.Table], on_bad_image: str) -> pa.Table:
    """Make the crop table of a film.

    A portrait's id is that of `portraits_of`, and its label the person's name.

    Args:
        movie: the film's name.
        cast: files of the portraits of each person, by name.
        parts: what was cut out of the film's parts, in their order.
        on_bad_image: "stop" raises at the first portrait that cannot be used; "skip" keeps its row without an image.

    Raises:
        InputError: a portrait cannot be used and `on_bad_image` is "stop".
    """
    rows = []
    for portrait, name, path in portraits_of(movie, cast):
        row: dict[str, Any] = {"id": portrait, "role": "cast", "label": name, "frame": Path(path).name}
        row |= {"x": 0, "y": 0, "width": 0, "height": 0}
        try:
            image = read_rgb(Path(path))
            row |= {"width": image.width, "height": image.height, "image": crops.encode_rgb(image)}
        except InputError as error:
            if on_bad_image == "stop":
                raise InputError(f"film {movie}: portrait {portrait}: {error}") from None
            row["problem"] = one_line(f"film {movie}: portrait {portrait}: {error}")
        except OSError as error:  # which may pass, and then the picture is whole: it is not skipped
            raise InputError(f"{path}: cannot be read now: {error.strerror}; run it again") from None
        rows.append(row)
    return pa.concat_tables([crops.crop_table("films", movie, rows), *parts])


def _samples(film: Film, tracks: pa.Table, times: Sequence[float], span: tuple[float, float] | None) -> Iterator[Frame]:
    """Yield the samples of a film's tracks, from the first to the last of these times and of a span."""
    bounds = [*times, *(span or ())]
    if bounds:
        rate = float(tracks.schema.metadata[b"rate"])
        yield from film.samples(rate, max(0, min(bounds) - 1 / rate), max(bounds) + 1 / rate)


def _row(name: str, row: Mapping, image: np.ndarray) -> dict[str, object]:
    left, top, right, bottom = row["box"]
    x1, y1, x2, y2 = floor(left), floor(top), ceil(right), ceil(bottom)
    person = np.ascontiguousarray(image[y1:y2, x1:x2])
    return {
        "id": name,
        "role": "candidate",
        "frame": f"{row['time']:.3f}",
        "x": x1,
        "y": y1,
        "width": x2 - x1,
        "height": y2 - y1,
        "image": crops.encode_rgb(person),
        "time": row["time"],
        "shot": row["shot"],
        "track": row["track"],
        "moments": row["moments"],
        "clothes": clothes(person),
    }
