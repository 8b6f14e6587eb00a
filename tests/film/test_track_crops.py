import numpy as np
import pyarrow as pa
import pytest
from factories.clips import number_of, numbered, write
from PIL import Image

from castsearch.data.crop_parts import read_parts
from castsearch.data.crops import crops_of, decode_rgb
from castsearch.errors import InputError
from castsearch.files import write_table
from castsearch.film.decode import Film
from castsearch.film.track_crops import cut_out, join_crops


@pytest.fixture
def film(tmp_path):
    return write(tmp_path / "a.mp4", [numbered(number) for number in range(20)], rate=10)


def tracks(*rows):
    """A table of tracks from rows (time, box, track, chosen)."""
    times, boxes, numbers, chosen = zip(*rows, strict=True) if rows else [()] * 4
    return pa.table(
        {
            "time": pa.array(times, pa.float64()),
            "box": pa.array(boxes, pa.list_(pa.float32(), 4)),
            "shot": pa.array([1] * len(rows), pa.int32()),
            "track": pa.array(numbers, pa.int32()),
            "chosen": pa.array(chosen, pa.bool_()),
        }
    ).replace_schema_metadata({"rate": "10", "sees_backs": "0"})


WHOLE = [0, 0, 128, 96]
ROWS = [(0.3, [64.5, 10, 120.2, 90], 2, True), (0.3, WHOLE, 1, True), (0.5, WHOLE, 1, False), (1.2, WHOLE, 1, True)]


def test_the_chosen_boxes_are_cut_out_of_their_frames(film):
    with Film(film) as opened:
        rows = cut_out(opened, "f", tracks(*ROWS)).to_pylist()
    assert [row["id"] for row in rows] == ["f-00000300-1", "f-00000300-2", "f-00001200-1"]
    assert [(row["time"], row["shot"], row["track"], row["frame"]) for row in rows] == [
        (0.3, 1, 1, "0.300"),
        (0.3, 1, 2, "0.300"),
        (1.2, 1, 1, "1.200"),
    ]
    assert [number_of(decode_rgb(rows[place]["image"])) for place in (0, 2)] == [3, 12]
    assert [rows[1][name] for name in ("x", "y", "width", "height")] == [64, 10, 57, 80]
    assert decode_rgb(rows[1]["image"]).shape == (80, 57, 3)


def test_parts_have_the_rows_of_one_pass(film):
    with Film(film) as opened:
        whole = cut_out(opened, "f", tracks(*ROWS))
        parts = [cut_out(opened, "f", tracks(*ROWS), *part) for part in ((0, 1), (1, None))]
    assert pa.concat_tables(parts).equals(whole)


@pytest.mark.parametrize("bounds", [[(0, None)], [(0, 1), (1, None)]])
def test_the_boxes_of_all_parts_are_the_candidates_of_the_film(tmp_path, film, bounds):
    paths = [tmp_path / f"{number}.arrow" for number in range(len(bounds))]
    with Film(film) as opened:
        parts = [cut_out(opened, "f", tracks(*ROWS), *part) for part in bounds]
    for path, part in zip(paths, parts, strict=True):
        write_table(path, part)
    boxes, joined = read_parts(paths), crops_of(join_crops("f", {}, parts, "stop"))
    assert (boxes.name, boxes.cast) == ("films/f", [])
    assert boxes.ids == joined.ids
    assert [boxes.image(row) for row in range(3)] == [joined.image(row) for row in range(3)]


def test_a_frame_that_is_not_there_is_refused(film):
    with Film(film) as opened, pytest.raises(InputError, match=r"a\.mp4: has no frame at 0\.35 s"):
        cut_out(opened, "f", tracks((0.35, WHOLE, 1, True)))


def test_a_film_without_tracks_has_no_candidates(film):
    with Film(film) as opened:
        part = cut_out(opened, "f", tracks())
    assert crops_of(join_crops("f", {}, [part], "stop")).ids == []


def test_the_crop_table_has_the_portraits_first(tmp_path, film):
    for name in ("ada.png", "old.png", "young.png"):
        Image.new("RGB", (11, 13), "white").save(tmp_path / name)
    cast = {"ada": [str(tmp_path / "ada.png")], "bo": [str(tmp_path / "old.png"), str(tmp_path / "young.png")]}
    with Film(film) as opened:
        crops = crops_of(join_crops("f", cast, [cut_out(opened, "f", tracks(*ROWS))], "stop"))
    assert (crops.split, crops.movie) == ("films", "f")
    assert crops.cast == ["f.ada", "f.bo", "f.bo.2"]
    assert crops.labels[:3] == ["ada", "bo", "bo"]
    assert crops.sizes[0].tolist() == [11, 13]
    assert crops.tracks.tolist() == [-1, -1, -1, 1, 2, 1]
    assert np.array_equal(crops.times[3:], [0.3, 0.3, 1.2])


def test_a_portrait_that_cannot_be_read_stops_the_film_or_is_listed(tmp_path):
    (tmp_path / "ada.png").write_text("no picture")
    cast = {"ada": [str(tmp_path / "ada.png")]}
    with pytest.raises(InputError, match=r"film f: portrait f\.ada: .*ada\.png"):
        join_crops("f", cast, [], "stop")
    crops = crops_of(join_crops("f", cast, [], "skip"))
    assert crops.readable.tolist() == [False]
    assert [name for name, _ in crops.problems] == ["f.ada"]
