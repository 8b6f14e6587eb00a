import pandas as pd
import pytest

from castsearch.report.timeline import in_words, read_timeline
from castsearch.timeline.appearances import COLUMNS, write_appearances

ROWS = [
    (0.0, 2.0, "seconds", 1, "1", "bo", 0.99, "bo", 3),
    (1.0, 3.0, "seconds", 1, "2", "unknown", 0.3, "ada", 3),
    (2.0, 4.0, "seconds", 1, "3", "unknown", 0.0, "", 3),
    (4.0, 8.0, "seconds", 2, "4", "ada", 0.6, "ada", 5),
]


@pytest.fixture
def timeline(tmp_path):
    write_appearances(tmp_path / "m.tsv", pd.DataFrame(ROWS, columns=COLUMNS))
    return read_timeline(tmp_path / "m.tsv")


def test_lanes_are_by_time_on_screen_and_the_unknown_come_last(timeline):
    assert [(lane.person, lane.time) for lane in timeline.lanes] == [
        ("ada", "0:04.0"),
        ("bo", "0:02.0"),
        ("unknown", ""),
    ]


def test_spans_of_one_time_lie_below_each_other(timeline):
    unknown = timeline.lanes[2]
    assert ([span.row for span in unknown.spans], unknown.rows) == ([0, 1], 2)
    assert (unknown.spans[0].left, unknown.spans[0].width) == (12.5, 25)


def test_the_least_certain_are_proposed_for_review(timeline):
    assert [span.box for span in timeline.review] == ["track 4", "track 2"]


def test_times_are_read_as_people_say_them():
    assert [in_words(time, "seconds") for time in (3.44, 59.96, 3723.4)] == ["0:03.4", "1:00.0", "1:02:03.4"]
    assert in_words(7, "frames") == "7"


def test_a_movie_without_boxes_has_no_lanes(tmp_path):
    write_appearances(tmp_path / "m.tsv", pd.DataFrame([], columns=COLUMNS))
    assert read_timeline(tmp_path / "m.tsv").lanes == []
