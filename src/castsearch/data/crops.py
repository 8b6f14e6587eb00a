"""The crop table of a movie: every person, cut out of its frame.

This is its one reader and writer. The table has a row per person, cast first, then candidates, in annotation order:

    id, role ("cast" or "candidate"), label, frame      strings; label is null where the split has none
    x, y, width, height                                 int32, the box clipped to the frame (a portrait: all of it)
    image                                               JPEG bytes; null when it could not be had
    problem                                             the reason why not, one line; null when all is well
    time                                                float64, of the frame in its film, in seconds; null where the
    shot, track                                         int32, movie is no film, as its numbers of shot and track are,
    moments                                             list<int32>, and the numbers of those at which the track is
                                                        seen: tracks that have one in common are different people
    clothes                                             list<float16>, see `castsearch.film.colours.clothes`; null where
                                                        the movie is no film

Which movie it is stands in the table itself, and not in the path of its file.
"""

import io
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from PIL import Image

from castsearch import files
from castsearch.errors import InputError, one_line

SCHEMA = pa.schema(
    [
        ("id", pa.string()),
        ("role", pa.string()),
        ("label", pa.string()),
        ("frame", pa.string()),
        ("x", pa.int32()),
        ("y", pa.int32()),
        ("width", pa.int32()),
        ("height", pa.int32()),
        ("image", pa.binary()),
        ("problem", pa.string()),
        ("time", pa.float64()),
        ("shot", pa.int32()),
        ("track", pa.int32()),
        ("moments", pa.list_(pa.int32())),
        ("clothes", pa.list_(pa.float16())),
    ]
)
_FILM_COLUMNS = {"times": "time", "shots": "shot", "tracks": "track"}
_MOVIE = b"movie"  # metadata key: the movie's identity, as JSON [split, movie]
_DROPPED = b"dropped"  # metadata key: records that could not become a row, as JSON [[id, reason], ...]
_MOST_BYTES = 1 << 26  # of images that are held while they are written
_QUALITY = 95  # visually lossless; a face of 40 pixels must not lose what the detector looks for


@dataclass(frozen=True)
class Crops:
    """The people of one movie: c cast members, then n candidates.

    Attributes:
        split: the split that the movie belongs to.
        movie: the movie's id, unique in its split.
        cast: c ids.
        candidates: n ids.
        frames: c + n names of the frames that they are cut out of.
        labels: c + n labels, None where there is none: a cast member's name, and whom a candidate shows.
        sizes: (c + n, 2) int32, width and height in pixels.
        corners: (c + n, 2) int32, left and top in their frame, in pixels.
        readable: (c + n,) bool, whether there is an image.
        times: (c + n,) float64, of the frames in their film, in seconds,
        shots: (c + n,) int32, numbers of their shots,
        tracks: (c + n,) int32, and of the tracks that boxes stand for; these three are −1 where there is none.
        moments: c + n lists of the moments at which the tracks are seen; null where there is no track.
        clothes: c + n lists of numbers, the colours of clothes; null where there are none.
        images: c + n encoded images, which are read from the disk when they are looked at; null where not readable.
        problems: id and reason of every record that could not be used, those without a row among them.
    """

    split: str
    movie: str
    cast: list[str]
    candidates: list[str]
    frames: list[str]
    labels: list[str | None]
    sizes: NDArray[np.int32]
    corners: NDArray[np.int32]
    readable: NDArray[np.bool_]
    times: NDArray[np.float64]
    shots: NDArray[np.int32]
    tracks: NDArray[np.int32]
    moments: pa.ChunkedArray
    clothes: pa.ChunkedArray
    images: pa.ChunkedArray
    problems: list[tuple[str, str]]

    @property
    def ids(self) -> list[str]:
        """All ids, those of the cast first."""
        return self.cast + self.candidates

    @property
    def cast_names(self) -> list[str]:
        """What each of the cast is called: by the label, or else the id; unprintable characters are escaped."""
        return [one_line(label or name) for name, label in zip(self.cast, self.labels, strict=False)]

    @property
    def name(self) -> str:
        """The movie's name among all splits, `{split}/{movie}`."""
        return f"{self.split}/{self.movie}"

    def image(self, row: int) -> bytes:
        """The encoded image of a row."""
        return files.copy_out(self.images, row)

    def candidate_images(self) -> pa.Table:
        """The candidates' ids and encoded images, in the columns `id` and `image`."""
        return pa.table({"id": self.candidates, "image": self.images.slice(len(self.cast))})


def crop_table(
    split: str, movie: str, rows: Sequence[Mapping[str, Any]], dropped: Sequence[tuple[str, str]] = ()
) -> pa.Table:
    """Make the crop table of a movie.

    Args:
        split: the split that the movie belongs to.
        movie: the movie's id.
        rows: values of `SCHEMA`'s columns by person, cast first; a column that is left out is null.
        dropped: id and reason of records that could not become a row.
    """
    table = pa.Table.from_pylist(list(rows), schema=SCHEMA)
    identity = {_MOVIE: json.dumps([split, movie]), _DROPPED: json.dumps(list(dropped))}
    return table.replace_schema_metadata(identity)


def write_crops(
    path: str | Path, split: str, movie: str, rows: Iterable[Mapping[str, Any]], dropped: Sequence[tuple[str, str]] = ()
) -> None:
    """Write the crop table of a movie whose rows are made one after the other; few are held at a time.

    The arguments but the path are those of `crop_table`.
    """
    schema = crop_table(split, movie, [], dropped).schema
    with files.replacing(path) as temporary, pa.ipc.new_file(str(temporary), schema) as writer:
        for batch in _batches(rows):
            writer.write_batch(pa.RecordBatch.from_pylist(batch, schema=schema))


def read_crops(path: str | Path) -> Crops:
    """Read the crop table of a movie, its images excepted.

    Raises:
        InputError: another version of castsearch wrote it, with other columns.
    """
    table = files.read_table(path)
    if missing := [name for name in SCHEMA.names if name not in table.column_names]:
        raise InputError(
            f"{path}: was written by another version, without the column {missing[0]}; delete it and run again"
        )
    return crops_of(table)


def movie_tables(paths: Iterable[str | Path]) -> list[Path]:
    """List crop tables, each of which is given by its own path or that of a folder with more, which come by name."""
    return [table for path in map(Path, paths) for table in (sorted(path.glob("*.arrow")) if path.is_dir() else [path])]


def read_splits(paths: Iterable[str | Path]) -> dict[str, list[Crops]]:
    """Read the crop tables of several movies, by split."""
    splits: dict[str, list[Crops]] = {}
    for path in paths:
        crops = read_crops(path)
        splits.setdefault(crops.split, []).append(crops)
    return splits


def crops_of(table: pa.Table) -> Crops:
    """Return what a crop table holds."""
    split, movie = json.loads(table.schema.metadata[_MOVIE])
    ids, problems = table["id"].to_pylist(), table["problem"].to_pylist()
    num_cast = table["role"].to_pylist().count("cast")
    return Crops(
        split=split,
        movie=movie,
        cast=ids[:num_cast],
        candidates=ids[num_cast:],
        frames=table["frame"].to_pylist(),
        labels=table["label"].to_pylist(),
        sizes=np.column_stack([table["width"].to_numpy(), table["height"].to_numpy()]),
        corners=np.column_stack([table["x"].to_numpy(), table["y"].to_numpy()]),
        readable=table["image"].is_valid().to_numpy(),
        **{name: table[column].fill_null(-1).to_numpy() for name, column in _FILM_COLUMNS.items()},
        moments=table["moments"],
        clothes=table["clothes"],
        images=table["image"],
        problems=[(name, reason) for name, reason in json.loads(table.schema.metadata[_DROPPED])]
        + [(name, reason) for name, reason in zip(ids, problems, strict=True) if reason],
    )


def _batches(rows: Iterable[Mapping[str, Any]]) -> Iterator[list[Mapping[str, Any]]]:
    batch: list[Mapping[str, Any]] = []
    size = 0
    for row in rows:
        batch.append(row)
        size += len(row["image"] or b"")
        if size > _MOST_BYTES:
            yield batch
            batch, size = [], 0
    if batch:
        yield batch


def encode_rgb(image: Image.Image | NDArray[np.uint8]) -> bytes:
    """Encode an RGB image, or an H×W×3 uint8 RGB array, as the JPEG bytes of a crop."""
    if not isinstance(image, Image.Image):
        image = Image.fromarray(image)
    buffer = io.BytesIO()
    # The frame's comment would go along, and may be longer than JPEG allows.
    image.save(buffer, format="JPEG", quality=_QUALITY, subsampling=0, comment=b"")
    return buffer.getvalue()


def decode_rgb(image: bytes) -> NDArray[np.uint8]:
    """Decode a crop's JPEG bytes to an H×W×3 uint8 RGB array."""
    with Image.open(io.BytesIO(image)) as opened:
        return np.asarray(opened.convert("RGB"))
