import json

import pyarrow as pa

from castsearch.files import write_table
from castsearch.film.shots import Shot, write_shots
from castsearch.report.film_reading import read_films


def part(folder, film, number, frames, damaged, images):
    """What the stages changes and shot_pictures write of a part."""
    changes, pictures = folder / f"{film}{number}.json", folder / f"{film}{number}.arrow"
    changes.write_text(json.dumps({"times": [], "first": 0, "end": 1, "frames": frames, "damaged": damaged}))
    rows = [{"shot": shot, "image": image} for shot, image in images.items()]
    write_table(pictures, pa.Table.from_pylist(rows, pa.schema([("shot", pa.int32()), ("image", pa.binary())])))
    return changes, pictures


def test_the_parts_of_each_film_are_put_together(tmp_path):
    write_shots(tmp_path / "a.tsv", [Shot(0, 1.5), Shot(1.5, 61), Shot(61, 3600)])
    write_shots(tmp_path / "b.tsv", [Shot(0, 2)])
    parts = [
        part(tmp_path, "a", 0, 100, 1, {1: b"first"}),
        part(tmp_path, "a", 1, 50, 2, {3: b"third"}),
        part(tmp_path, "b", 0, 7, 0, {1: b"other"}),
    ]
    changes, pictures = zip(*parts, strict=True)
    first, second = read_films(
        {"a": 2, "b": 1}, [tmp_path / "a.tsv", tmp_path / "b.tsv"], changes, pictures, "a warning"
    )
    assert [(shot.number, shot.start, shot.end, shot.image and shot.image.read()) for shot in first.shots] == [
        (1, "0:00.0", "0:01.5", b"first"),
        (2, "0:01.5", "1:01.0", None),
        (3, "1:01.0", "1:00:00.0", b"third"),
    ]
    assert (first.frames, first.damaged, first.warning) == (150, 3, "a warning")
    assert [shot.image.read() for shot in second.shots] == [b"other"]
