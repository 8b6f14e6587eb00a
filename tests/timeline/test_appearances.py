import networkx as nx
import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from castsearch import files
from castsearch.data.name_tables import write_names
from castsearch.film.followed import SCHEMA, join_boxes
from castsearch.timeline import appearances, summary
from castsearch.timeline.stage import film_tables, make_tables, write_tables

SHOTS = pd.DataFrame({"shot": [1, 2], "start": [0.5, 3.0], "end": [3.0, 5.0], "length": [2.5, 2.0]})


def named(*rows):
    """A table of names: of each row the box, frame, time, shot, track, and person."""
    columns = ["box", "frame", "time", "shot", "track", "person"]
    table = pd.DataFrame(rows, columns=columns).assign(movie="m", confidence=0.9)
    return table.assign(likeliest=table["person"].replace("unknown", "ada"))


def film():
    """Ada and Bo in the first shot, and Ada alone, then somebody unknown, in the second."""
    tracks = {
        "time": [0.5, 1.0, 1.5, 1.0, 1.5, 3.0, 4.5],
        "box": pa.array([[0, 0, 9, 9]] * 7, pa.list_(pa.float32(), 4)),
        "shot": pa.array([1, 1, 1, 1, 1, 2, 2], pa.int32()),
        "track": pa.array([1, 1, 1, 2, 2, 3, 4], pa.int32()),
    }
    names = named(
        ("a", "0.500", 0.5, 1, 1, "ada"),
        ("b", "1.000", 1.0, 1, 2, "bo"),
        ("c", "3.000", 3.0, 2, 3, "ada"),
        ("d", "4.500", 4.5, 2, 4, "unknown"),
    )
    return names, pa.table(tracks)


def boxes():
    """All boxes of this film; nobody was followed."""
    return join_boxes(film()[1], [])


def test_a_track_is_on_screen_until_a_sample_after_its_last_box_but_no_longer_than_its_shot():
    names, _ = film()
    table = appearances.of_film(names, boxes(), SHOTS, step=1.0)
    assert table["start"].tolist() == [0.5, 1.0, 3.0, 4.5]
    assert table["end"].tolist() == [2.5, 2.5, 4.0, 5.0]
    assert table["boxes"].tolist() == [3, 2, 1, 1]


def test_who_is_followed_is_on_screen():
    names, tracks = film()
    rows = [(2.0, 2, False), (2.5, 2, False)]
    followed = [
        {"time": time, "box": [20, 0, 29, 9], "shot": 1, "track": track, "backward": backward}
        for time, track, backward in rows
    ]
    table = appearances.of_film(names, join_boxes(tracks, [pa.Table.from_pylist(followed, SCHEMA)]), SHOTS, step=0.5)
    assert table.loc[table["track"] == "2", ["start", "end", "boxes"]].to_numpy().tolist() == [[1.0, 3.0, 2]]


def test_of_two_tracks_that_are_followed_to_one_place_the_first_has_it():
    _, tracks = film()
    box = {"time": 2.0, "shot": 1}
    rows = [
        box | {"box": [0, 0, 10, 10], "track": 3, "backward": True},
        box | {"box": [50, 0, 60, 10], "track": 4, "backward": True},
        box | {"box": [1, 0, 11, 10], "track": 1, "backward": False},
    ]
    joined = join_boxes(tracks, [pa.Table.from_pylist(rows, SCHEMA)])
    assert [row["track"] for row in joined.to_pylist() if not row["found"]] == [1, 4]


def test_frames_stand_for_time_where_boxes_have_none(tmp_path):
    table = appearances.of_boxes(named(("a", "f2", None, None, None, "ada"), ("b", "f1", None, None, None, "bo")))
    assert table[["start", "end", "track", "unit"]].to_numpy().tolist() == [
        [0, 1, "b", "frames"],
        [1, 2, "a", "frames"],
    ]
    appearances.write_appearances(tmp_path / "m.tsv", table)
    assert (tmp_path / "m.tsv").read_text().splitlines()[1] == "0\t1\tframes\t\tb\tbo\t0.9000\tbo\t1"


def test_appearances_are_written_with_milliseconds_and_read_again(tmp_path):
    names, _ = film()
    table = appearances.of_film(names, boxes(), SHOTS, step=1 / 3)
    appearances.write_appearances(tmp_path / "m.tsv", table)
    again = appearances.read_appearances(tmp_path / "m.tsv")
    assert again["end"].tolist() == [1.833, 1.833, 3.333, 4.833]
    assert again["person"].tolist() == table["person"].tolist()


def test_screen_time_counts_what_two_tracks_share_once():
    rows = appearances.of_boxes(named(("a", "1", None, None, None, "ada"), ("b", "1", None, None, None, "ada")))
    assert summary.screen_time("val", "m", rows, 4)["on_screen"].tolist() == [1]
    assert summary.screen_time("val", "m", rows, 4)["share"].tolist() == [0.25]


def test_the_interval_of_screen_time_grows_with_doubt_and_counts_who_was_too_unlikely_to_be_named():
    boxes = [(str(number), str(number), None, None, None, "ada") for number in range(50)]
    sure = appearances.of_boxes(named(*boxes).assign(confidence=1.0))
    torn = appearances.of_boxes(named(*boxes, ("x", "x", None, None, None, "unknown")).assign(confidence=0.6))
    [known], [doubted] = (summary.screen_time("val", "m", rows, 60).to_dict("records") for rows in (sure, torn))
    assert (known["low"], known["high"]) == (50, 50)
    assert doubted["low"] == pytest.approx(51 * 0.6 - 1.96 * np.sqrt(51 * 0.24))
    assert doubted["on_screen"] == doubted["high"] == 50


def test_what_is_exported_has_the_times_of_the_table(tmp_path):
    names, _ = film()
    rows = appearances.of_film(names, boxes(), SHOTS, step=1.001 / 3)
    appearances.write_appearances(tmp_path / "m.tsv", rows)
    read = appearances.read_appearances(tmp_path / "m.tsv")
    assert appearances.as_written(rows)[["start", "end"]].equals(read[["start", "end"]])


def seconds(*rows):
    """A table of appearances in one shot: of each row start, end, person, and confidence."""
    table = pd.DataFrame(rows, columns=["start", "end", "person", "confidence"])
    return table.assign(unit="seconds", shot=1, likeliest=table["person"])


def test_an_appearance_counts_in_the_interval_by_its_length():
    [ada] = summary.screen_time("val", "m", seconds((0, 10, "ada", 0.9), (20, 24, "ada", 0.5)), 60).to_dict("records")
    expected, deviation = 10 * 0.9 + 4 * 0.5, np.sqrt(0.9 * 0.1 * 10**2 + 0.5 * 0.5 * 4**2)
    assert (ada["low"], ada["high"]) == pytest.approx((expected - 1.96 * deviation, expected + 1.96 * deviation))


def test_nobody_is_on_screen_for_less_than_no_time():
    assert summary.screen_time("val", "m", seconds((0, 2, "ada", 0.5)), 60)["low"].tolist() == [0]


def test_of_a_movie_without_length_nobody_has_a_share():
    assert summary.screen_time("val", "m", seconds((0, 0, "ada", 0.9)), 0)["share"].tolist() == [0]


def test_two_who_share_a_shot_and_no_frame_are_together_in_the_shot_alone():
    rows = seconds((0, 1, "ada", 0.9), (1, 2, "bo", 0.9), (5, 6, "cy", 0.9))
    pairs = summary.together("films", "m", rows, {1: 6.0}).set_index(["person", "other"])
    assert pairs.index.tolist() == [("ada", "bo"), ("ada", "cy"), ("bo", "cy")]
    assert pairs["in_frame"].tolist() == [0, 0, 0]
    assert pairs["in_shot"].tolist() == [6, 6, 6]


def test_people_are_together_in_a_frame_and_in_a_shot():
    names, _ = film()
    rows = appearances.of_film(names, boxes(), SHOTS, step=0.5)
    [pair] = summary.together("films", "m", rows, {1: 2.5, 2: 2.0}).to_dict("records")
    assert (pair["person"], pair["other"], pair["in_frame"], pair["in_shot"]) == ("ada", "bo", 1.0, 2.5)
    assert summary.together("films", "m", rows.assign(end=rows["start"]), {1: 0.0, 2: 0.0}).empty


def test_the_stage_writes_the_tables_of_a_film_and_of_a_movie_of_boxes(tmp_path):
    names, tracks = film()
    untimed = named(("x", "f1", None, None, None, "ada"), ("y", "f1", None, None, None, "bo <&> co")).assign(movie="n")
    files.write_table(tmp_path / "tracks.arrow", tracks)
    files.write_table(tmp_path / "followed.arrow", SCHEMA.empty_table())
    SHOTS.to_csv(tmp_path / "shots.tsv", sep="\t", index=False)
    write_names(tmp_path / "names.tsv", pd.concat([names, untimed]))
    (tmp_path / "groups.tsv").write_text("movie\tbox\tgroup\nm\td\tunknown 1\n")
    paths = [[tmp_path / name] for name in ("tracks.arrow", "followed.arrow", "shots.tsv")]
    films = film_tables({"m": 1}, *paths, [0.5])
    tables = make_tables(
        [("val", tmp_path / "names.tsv", tmp_path / "groups.tsv")], [("val", "m"), ("val", "n")], films
    )
    outputs = [tmp_path / name for name in ("screen.tsv", "together.tsv", "graph.graphml")]
    write_tables(tables, [tmp_path / "m.tsv", tmp_path / "n.tsv"], *outputs)
    screen = pd.read_csv(outputs[0], sep="\t").set_index(["movie", "person"])
    assert screen.loc[("m", "ada"), "on_screen"] == 2.0
    assert screen.loc[("m", "unknown 1"), "on_screen"] == 0.5
    assert screen.loc[("m", "unknown 1"), ["low", "high"]].isna().all()
    assert screen.loc[("m", "ada"), "share"] == pytest.approx(2 / 4.5, abs=0.001)
    graph = nx.read_graphml(outputs[2])
    assert graph.nodes["val/n/bo <&> co"]["label"] == "bo <&> co"
    assert graph.edges["val/m/ada", "val/m/bo"] == {"in_frame": 1.0, "in_shot": 2.5}
    assert "in_shot" not in graph.edges["val/n/ada", "val/n/bo <&> co"]


def test_a_run_without_anybody_has_empty_tables(tmp_path):
    tables = make_tables([], [], {})
    outputs = [tmp_path / name for name in ("screen.tsv", "together.tsv", "graph.graphml")]
    write_tables(tables, [], *outputs)
    assert outputs[0].read_text() == "\t".join(summary.SCREEN_TIME) + "\n"
    assert len(nx.read_graphml(outputs[2])) == 0
