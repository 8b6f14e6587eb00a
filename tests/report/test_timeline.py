import io

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from PIL import Image

from castsearch import files
from castsearch.data.crops import crop_table
from castsearch.report.timeline import in_words, read_timelines
from castsearch.timeline.appearances import COLUMNS, write_appearances
from castsearch.timeline.summary import SCREEN_TIME, TOGETHER

ROWS = [
    (0.0, 2.0, "seconds", 1, "1", "bo", 0.99, "bo", 3),
    (1.0, 3.0, "seconds", 1, "2", "unknown", 0.3, "ada", 3),
    (2.0, 4.0, "seconds", 1, "3", "unknown", 0.0, "", 3),
    (4.0, 8.0, "seconds", 2, "4", "ada", 0.6, "ada", 5),
    (0.0, 8.0, "seconds", 2, "5", "unknown 1", 0.0, "", 5),
]


def image(value):
    buffer = io.BytesIO()
    Image.new("L", (8, 8), value).save(buffer, "JPEG")
    return buffer.getvalue()


def read(folder, rows):
    """The timeline of a film of five tracks of two boxes each, of which the second shows the larger face."""
    write_appearances(folder / "m.tsv", pd.DataFrame(rows, columns=COLUMNS))
    boxes = [{"id": f"b{number}", "role": "candidate", "track": number // 2 + 1} for number in range(10)]
    boxes = [row | {"frame": "f", "image": image(20 * number)} for number, row in enumerate(boxes)]
    files.write_table(folder / "crops.arrow", crop_table("films", "m", [{"id": "ada", "role": "cast"}, *boxes]))
    size = pa.array([None, *[10.0, 20.0] * 4, None, None], pa.float32())
    faces = {"id": ["ada", *(row["id"] for row in boxes)], "selected": size.is_valid(), "size": size, "score": size}
    files.write_table(folder / "faces.arrow", pa.table(faces))
    (folder / "review.tsv").write_text("movie\tbox\nm\tb6\nm\tb2\nother\tb0\n")
    (folder / "val.tsv").write_text("movie\tbox\nm\tb0\n")
    time = ("films", "m", "bo", "seconds", 2.0, 1.5, 2.5, 0.25, 0.0, 2.0, 1)
    group = ("films", "m", "unknown 1", "seconds", 8.0, np.nan, np.nan, 1.0, 0.0, 8.0, 1)
    pd.DataFrame([time, group], columns=SCREEN_TIME).to_csv(folder / "time.tsv", sep="\t", index=False)
    pair = ("films", "m", "ada", "bo", "seconds", 61.0, 120.0)
    pd.DataFrame([pair], columns=TOGETHER).to_csv(folder / "together.tsv", sep="\t", index=False)
    tables = [[folder / name] for name in ("m.tsv", "crops.arrow", "faces.arrow")]
    review = [("val", folder / "val.tsv"), ("films", folder / "review.tsv")]
    [timeline] = read_timelines(*tables, review, (folder / "time.tsv", folder / "together.tsv"))
    return timeline


@pytest.fixture
def timeline(tmp_path):
    return read(tmp_path, ROWS)


@pytest.mark.parametrize(
    ("person", "confidence", "doubtful"),
    [("ada", 0.6, True), ("ada", 0.05, True), ("ada", 0.95, False), ("unknown", 0.3, True), ("unknown", 0.05, False)],
)
def test_what_may_be_right_or_wrong_is_doubtful(tmp_path, person, confidence, doubtful):
    timeline = read(tmp_path, [(0.0, 2.0, "seconds", 1, "1", person, confidence, "ada", 3)])
    assert [span.is_doubtful for lane in timeline.lanes for span in lane.spans] == [doubtful]


def test_lanes_are_by_time_on_screen_and_the_unknown_come_last(timeline):
    assert [(lane.person, lane.time) for lane in timeline.lanes] == [
        ("ada", "0:04.0"),
        ("bo", "0:02.0"),
        ("unknown 1", "0:08.0"),
        ("unknown", ""),
    ]
    assert timeline.people == ["ada", "bo"]


def test_spans_of_one_time_lie_below_each_other(timeline):
    unknown = timeline.lanes[-1]
    assert ([span.row for span in unknown.spans], unknown.rows) == ([0, 1], 2)
    assert (unknown.spans[0].left, unknown.spans[0].width) == (12.5, 25)


def test_what_the_search_proposes_for_this_split_comes_in_its_order(timeline):
    assert [span.box for span in timeline.review] == ["track 4", "track 2"]


def test_an_appearance_is_shown_by_its_best_face(timeline):
    picture = timeline.lanes[0].spans[0].picture
    assert (picture.image.read(), picture.quality) == (image(140), 400)


def test_an_unknown_person_without_a_face_is_shown_all_the_same(timeline):
    [group] = timeline.groups
    assert [(span.box, span.picture.quality) for span in group.best] == [("track 5", 0)]


def test_the_tables_of_all_movies_are_read_in_words(timeline):
    assert [(row["person"], row["on_screen"], row["low"]) for row in timeline.screen_time] == [
        ("bo", "0:02.0", "0:01.5"),
        ("unknown 1", "0:08.0", ""),
    ]
    assert [(row["other"], row["in_frame"], row["in_shot"]) for row in timeline.together] == [
        ("bo", "1:01.0", "2:00.0")
    ]


def test_where_nobody_is_named_there_is_no_timeline():
    assert not [*read_timelines([], ["crops.arrow"], ["faces.arrow"], [], ())]


def test_times_are_read_as_people_say_them():
    assert [in_words(time, "seconds") for time in (3.44, 59.96, 3723.4)] == ["0:03.4", "1:00.0", "1:02:03.4"]
    assert in_words(7, "frames") == "7"


def test_a_movie_without_boxes_has_no_lanes(tmp_path):
    assert read(tmp_path, []).lanes == []
