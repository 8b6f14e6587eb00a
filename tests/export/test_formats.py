"""Each format is read by a reader that is not ours."""

import csv
import json
from dataclasses import replace
from fractions import Fraction
from importlib import import_module
from xml.etree import ElementTree

import av
import motmetrics
import numpy as np
import opentimelineio as otio
import pandas as pd
import pyarrow as pa
import pympi
import pytest
import rdflib
import webvtt
from factories.clips import numbered, write

from castsearch import files
from castsearch.data.corrections import read_corrections
from castsearch.errors import InputError
from castsearch.export import cvat, edl
from castsearch.export.film_timeline import Appearance, Box, FilmTimeline, find_rate, load_timeline
from castsearch.export.formats import FORMATS, write_formats
from castsearch.export.otio import first_frame
from castsearch.film.followed import SCHEMA
from castsearch.timeline.appearances import COLUMNS

NTSC = Fraction(30000, 1001)


def timeline(tmp_path, rate=NTSC, constant=True):
    """Ada in two tracks, of which the second begins within the first, Bo at the same time, and somebody unknown."""
    people = [(61.0, 63.0, "ada & co"), (62.0, 64.5, "ada & co"), (61.5, 62.0, "bo"), (70.0, 71.0, "unknown")]
    appearances = [
        Appearance(
            start, end, track, person, 0.9, [Box(round(start * rate), 10, 20, 30, 80), Box(1880, 12, 20, 32, 80)]
        )
        for track, (start, end, person) in enumerate(people, start=1)
    ]
    times = np.arange(3000) / float(rate)
    return FilmTimeline("m", tmp_path / "my film.mp4", (640, 360), times, rate, constant, appearances)


def late(tmp_path, box):
    """Ada in one box, after an hour."""
    ada = Appearance(3723.045, 3725.5, 1, "ada", 0.9, [box])
    return FilmTimeline("m", tmp_path / "m.mp4", (640, 360), np.arange(100_000) / 25, Fraction(25), True, [ada])


def rendered(tmp_path, form, given):
    """Write a format's files, and return the path of the first."""
    write_formats(tmp_path, given, [form])
    return tmp_path / next(iter(import_module(FORMATS[form]).render(given)))


def test_elan_has_a_tier_for_each_person_in_which_nothing_overlaps(tmp_path):
    elan = pympi.Elan.Eaf(str(rendered(tmp_path, "elan", timeline(tmp_path))))
    assert sorted(elan.get_tier_names()) == ["ada & co", "bo"]
    assert elan.get_annotation_data_for_tier("ada & co") == [(61000, 63000, "ada & co"), (63000, 64500, "ada & co")]
    assert elan.get_linked_files()[0]["MEDIA_URL"].endswith("my%20film.mp4")


def test_webvtt_names_who_is_on_screen_where_they_stand(tmp_path):
    captions = webvtt.read(rendered(tmp_path, "webvtt", timeline(tmp_path)))
    assert [(each.start, each.end, each.text) for each in captions][:2] == [
        ("00:01:01.000", "00:01:03.000", "ada &amp; co"),  # the reader leaves characters escaped
        ("00:01:02.000", "00:01:04.500", "ada &amp; co"),
    ]
    assert "line:0 position:3.4%" in (tmp_path / "m.vtt").read_text()


@pytest.mark.parametrize(
    ("box", "place"),
    [
        (Box(0, 300, 180, 340, 300), "line:6 position:50.0%"),
        (Box(0, -80, -40, -20, 60), "line:0 position:0.0%"),
        (Box(0, 620, 355, 700, 400), "line:13 position:100.0%"),
    ],
    ids=["in the middle", "beyond the upper left", "beyond the lower right"],
)
def test_webvtt_has_names_above_the_head_and_within_the_picture(tmp_path, box, place):
    text = rendered(tmp_path, "webvtt", late(tmp_path, box)).read_text()
    assert f"01:02:03.045 --> 01:02:05.500 {place} align:center\nada\n" in text


@pytest.mark.parametrize(
    ("timecode", "first"), [("10:00:00:00", 900_000), ("10:00:00:99", 0), ("soon", 0), ("-1:00:00:00", 0)]
)
def test_editing_formats_count_from_the_time_code_of_the_film(tmp_path, timecode, first):
    given = replace(timeline(tmp_path, Fraction(25)), timecode=timecode)
    made = otio.adapters.read_from_file(str(rendered(tmp_path, "otio", given)))
    clip = made.tracks[0][1]
    assert clip.source_range.start_time.value == first + 61 * 25
    assert clip.media_reference.available_range.start_time.value == first
    assert made.tracks[0].range_of_child(clip).start_time.value == 61 * 25
    event = otio.adapters.read_from_file(str(rendered(tmp_path, "edl", given)), rate=25).tracks[0][0]
    assert event.source_range.start_time.value == first + 61 * 25


@pytest.mark.parametrize(
    ("timecode", "event"),
    [
        ("01:00:00:00", "01:01:00:28 01:01:02:28"),
        ("00:00:00:00", "00:01:00:28 00:01:02:28"),
        ("01:00:00;00", "01:01:01;00 01:01:03;00"),
        ("01:00:00.00", "01:01:01;00 01:01:03;00"),
        ("23:59:59:00", "00:00:59:28 00:01:01:28"),
    ],
)
def test_an_edit_decision_list_drops_numbers_as_the_time_code_of_the_film_does(tmp_path, timecode, event):
    given = replace(timeline(tmp_path), timecode=timecode)
    assert f" {event} " in rendered(tmp_path, "edl", given).read_text()


def test_a_time_code_that_does_not_fit_is_warned_of_once(tmp_path, caplog):
    edl.render(replace(timeline(tmp_path), timecode="01:00:00:30"))
    assert [record.getMessage() for record in caplog.records] == [
        "m: its time code '01:00:00:30' is not one of its rate, 29.970 frames a second, so frames are counted from 0"
    ]


@pytest.mark.parametrize("rate", [Fraction(24000, 1001), Fraction(25), NTSC])
def test_opentimelineio_has_the_frames_of_the_film(tmp_path, rate):
    made = otio.adapters.read_from_file(str(rendered(tmp_path, "otio", timeline(tmp_path, rate))))
    ada, bo = made.tracks
    clip = ada[1]
    assert clip.source_range.start_time.rate == float(rate)
    assert clip.source_range.start_time.value == round(61 * rate)
    assert ada.range_of_child(clip).start_time == clip.source_range.start_time  # it is where it is in the film
    assert bo.name == "bo"


def test_every_clip_of_opentimelineio_is_where_it_is_in_the_film(tmp_path):
    given = timeline(tmp_path, Fraction(25))
    alone = replace(given, appearances=[each._replace(person="ada") for each in given.appearances])
    [track] = otio.adapters.read_from_file(str(rendered(tmp_path, "otio", alone))).tracks
    times = [(track.range_of_child(clip).start_time.value, clip.duration().value) for clip in track.find_clips()]
    assert times == [(61 * 25, 50), (63 * 25, 37), (70 * 25, 25)]  # what begins within another, behind that
    assert {clip.source_range.start_time.value for clip in track.find_clips()} == {start for start, _ in times}
    assert track[1].media_reference.available_range.duration.value == 3000


def test_a_film_of_variable_rate_is_in_milliseconds(tmp_path):
    made = otio.adapters.read_from_file(str(rendered(tmp_path, "otio", timeline(tmp_path, constant=False))))
    assert made.tracks[0][1].source_range.start_time.value == 61000


@pytest.mark.parametrize("rate", [Fraction(24000, 1001), Fraction(25), NTSC, Fraction(30)])
def test_an_edit_decision_list_is_read_as_it_was_written(tmp_path, rate):
    path = rendered(tmp_path, "edl", timeline(tmp_path, rate))
    again = otio.adapters.read_from_file(str(path), "cmx_3600", rate=float(rate))
    clips = list(again.find_clips())
    assert [clip.name for clip in clips] == ["ada & co", "ada & co", "bo"]
    assert clips[0].source_range.start_time.value == pytest.approx(round(61 * rate))
    assert clips[0].metadata["cmx_3600"]["reel"] == "m"
    assert (";" in path.read_text()) == (rate == NTSC)  # drop-frame time codes


def test_mot_has_every_box(tmp_path):
    boxes = motmetrics.io.loadtxt(str(rendered(tmp_path, "mot", timeline(tmp_path))), fmt="mot16")
    assert len(boxes) == 8
    assert boxes.loc[(round(61 * NTSC) + 1, 1), ["X", "Y", "Width", "Height"]].tolist() == [9, 19, 20, 60]  # from 1
    assert (tmp_path / "m.mot/gt/labels.txt").read_text() == "ada & co\nbo\nunknown\n"


def test_the_labels_of_mot_are_numbered_as_in_their_list(tmp_path):
    path = rendered(tmp_path, "mot", timeline(tmp_path))
    rows = [line.split(",") for line in path.read_text().splitlines()]
    assert {row[1]: row[7] for row in rows} == {"1": "1", "2": "1", "3": "2", "4": "3"}  # by track


def test_web_annotations_are_linked_data(tmp_path):
    page = json.loads(rendered(tmp_path, "web_annotation", timeline(tmp_path)).read_text())
    # The context lies on a server; here is what of it the page uses.
    words = {"items": {"@id": "as:items", "@type": "@id"}, "id": "@id", "type": "@type", "as": "urn:as:"}
    graph = rdflib.Graph().parse(
        data=json.dumps(page | {"@context": words | {"@vocab": "http://www.w3.org/ns/oa#"}}), format="json-ld"
    )
    people = {str(value) for value in graph.objects(None, rdflib.URIRef("http://www.w3.org/ns/oa#value"))}
    assert {"ada & co", "bo", "t=61.000,63.000&xywh=10,20,22,60"} <= people


def test_a_track_of_cvat_ends_where_the_person_leaves_or_with_the_film(tmp_path):
    given = timeline(tmp_path, Fraction(25))  # with 3,000 frames, of which the last box of each track is in frame 1,880
    last = given.appearances[3]._replace(end=120.0, boxes=[Box(2990, 1, 2, 3, 4), Box(2999, 1, 2, 3, 4)])
    given = replace(given, appearances=[given.appearances[0]._replace(end=76.0), last])
    document = ElementTree.parse(rendered(tmp_path, "cvat", given))  # noqa: S314 (it is ours)
    ends = [(box.get("frame"), box.get("outside")) for box in document.iter("box")]
    assert ends == [("1525", "0"), ("1880", "0"), ("1900", "1"), ("2990", "0"), ("2999", "0")]
    assert [document.findtext(f"meta/task/{name}") for name in ("size", "stop_frame")] == ["3000", "2999"]


def test_cvat_gives_back_whom_tracks_show_though_it_numbers_them_anew(tmp_path):
    given = timeline(tmp_path)
    path = rendered(tmp_path, "cvat", given)
    path.write_text(path.read_text().replace('id="4" label="unknown"', 'id="99" label="bo"'))
    assert cvat.read_track_names(path, given) == {1: "ada & co", 2: "ada & co", 3: "bo", 4: "bo"}


def test_what_lies_where_no_track_does_is_left_out_with_a_warning(tmp_path, caplog):
    given = timeline(tmp_path)
    path = rendered(tmp_path, "cvat", given)
    moved = '<track id="7" label="bo"><box frame="3" outside="0" xtl="300" ytl="20" xbr="320" ybr="80"/></track>'
    path.write_text(path.read_text().replace("</annotations>", f"{moved}</annotations>"))
    assert len(cvat.read_track_names(path, given)) == 4
    assert f"{path}: track 7, bo: lies where no track of m does, so it is left out" in caplog.text


def test_of_two_labels_for_one_track_the_first_is_taken_with_a_warning(tmp_path, caplog):
    given = timeline(tmp_path)
    path = rendered(tmp_path, "cvat", given)
    again = '<track id="7" label="bo"><box frame="1828" outside="0" xtl="10" ytl="20" xbr="30" ybr="80"/></track>'
    path.write_text(path.read_text().replace("</annotations>", f"{again}</annotations>"))
    assert cvat.read_track_names(path, given)[1] == "ada & co"
    assert f"{path}: track 1 of m is both ada & co and bo there; it is taken for ada & co" in caplog.text


def test_the_annotations_of_another_film_are_refused(tmp_path):
    given = timeline(tmp_path)
    path = rendered(tmp_path, "cvat", given)
    elsewhere = [each._replace(boxes=[box._replace(frame=5) for box in each.boxes]) for each in given.appearances]
    with pytest.raises(InputError, match=r"m\.cvat\.xml: none of its 4 tracks lies where one of m does"):
        cvat.read_track_names(path, replace(given, appearances=elsewhere))


def test_what_was_changed_in_cvat_is_a_file_of_corrections(tmp_path):
    given = timeline(tmp_path)
    path = rendered(tmp_path, "cvat", given)
    path.write_text(path.read_text().replace('id="4" label="unknown"', 'id="99" label="bo"'))
    (tmp_path / "c.tsv").write_text(cvat.corrections(path, given))
    [correction] = read_corrections(tmp_path / "c.tsv", {"m"})
    assert correction[1:] == ("m", "track 4", "bo", "yes")


@pytest.mark.parametrize(
    "text",
    [
        "<annotations",
        "<other/>",
        "<annotations><track><box/></track></annotations>",
        "<annotations><image/></annotations>",
        "<?xml version='1.0' encoding='utf-9'?><annotations/>",
        "<?xml version='1.0' encoding='shift_jis'?><annotations/>",
    ],
)
def test_a_file_that_is_not_of_cvat_is_refused(tmp_path, text):
    (tmp_path / "a.xml").write_text(text)
    with pytest.raises(InputError, match=r"a\.xml: "):
        cvat.read_track_names(tmp_path / "a.xml", timeline(tmp_path))


def test_a_table_of_tib_has_the_columns_that_it_writes_itself(tmp_path):
    given = timeline(tmp_path)
    table = pd.read_csv(rendered(tmp_path, "tib", given), sep="\t", quoting=csv.QUOTE_NONE)
    assert table["start in seconds"].tolist() == [61, 63]
    assert table["duration hh:mm:ss.ms"].tolist() == ["0:00:02.000", "0:00:01.500"]
    assert [json.loads(names) for names in table["annotations"]] == [["ada & co"]] * 2
    assert {path.name for path in (tmp_path / "m.tib").iterdir()} == {"01-ada___co.tsv", "02-bo.tsv"}


def test_a_table_of_tib_has_times_after_an_hour(tmp_path):
    table = pd.read_csv(rendered(tmp_path, "tib", late(tmp_path, Box(0, 1, 2, 3, 4))), sep="\t")
    assert table["start hh:mm:ss.ms"].tolist() == ["1:02:03.045"]
    assert table["duration hh:mm:ss.ms"].tolist() == ["0:00:02.455"]


def test_a_person_with_a_long_name_has_a_table_of_tib(tmp_path):
    given = timeline(tmp_path)
    long = [each._replace(person="ö" * 200) for each in given.appearances]
    write_formats(tmp_path, replace(given, appearances=long), ["tib"])
    [table] = (tmp_path / "m.tib").iterdir()
    assert table.name == f"01-{'ö' * 100}.tsv"


def test_the_preview_has_the_frames_of_the_film_and_boxes_where_people_are(tmp_path):
    times = [0, 0.1, 0.3, 0.4, 0.7, 0.9]
    write(tmp_path / "m.mkv", [numbered(0)] * 6, times=times)
    ada = Appearance(0.1, 0.5, 1, "unknown_lady", 0.9, [Box(1, 20, 40, 60, 90), Box(3, 40, 40, 80, 90)])
    given = FilmTimeline("m", tmp_path / "m.mkv", (128, 96), np.array(times), Fraction(10), False, [ada])
    write_formats(tmp_path, given, ["preview"])
    with av.open(str(tmp_path / "m.preview.mp4")) as opened:
        frames = list(opened.decode(video=0))
    assert [frame.time for frame in frames] == pytest.approx(times, abs=0.001)
    # The picture is black, and boxes of the cast are brighter than the grey of unknown people.
    left_edge = [frame.to_ndarray(format="rgb24")[70, (20, 30, 40), 0] > 180 for frame in frames]
    assert [row.tolist() for row in left_edge] == [
        [False] * 3,
        [True, False, False],
        [False, True, False],
        [False, False, True],
        [False] * 3,
        [False] * 3,
    ]


@pytest.mark.parametrize("form", sorted(FORMATS.keys() - {"preview"}))
def test_a_film_without_anybody_is_no_error(tmp_path, form):
    nobody = FilmTimeline("m", tmp_path / "m.mp4", (0, 0), np.empty(0), Fraction(25), True, [])
    assert rendered(tmp_path, form, nobody).exists()


def test_a_film_is_loaded_with_the_numbers_of_its_frames(tmp_path):
    write(tmp_path / "m.mkv", [numbered(number) for number in range(6)], times=[0, 0.1, 0.3, 0.4, 0.7, 0.9])
    box = {"width": [128], "height": [96], "box": [[1.0, 2.0, 3.0, 4.0]], "time": [0.4]}
    box |= {"box": pa.array(box["box"], pa.list_(pa.float32(), 4)), "shot": pa.array([1], pa.int32())}
    files.write_table(tmp_path / "t.arrow", pa.table(box | {"track": pa.array([7], pa.int32())}))
    followed = {"time": 0.7, "box": [2, 2, 4, 4], "shot": 1, "track": 7, "backward": False}
    files.write_table(tmp_path / "f.arrow", pa.Table.from_pylist([followed], SCHEMA))
    row = (0.4, 0.9, "seconds", 1, "7", "ada", 0.9, "ada", 1)
    rows = pd.DataFrame([row], columns=COLUMNS)
    loaded = load_timeline("m", tmp_path / "m.mkv", rows, tmp_path / "t.arrow", [tmp_path / "f.arrow"])
    assert loaded.times.tolist() == pytest.approx([0, 0.1, 0.3, 0.4, 0.7, 0.9], abs=0.001)
    assert not loaded.constant
    assert loaded.appearances[0].boxes == [Box(3, 1, 2, 3, 4), Box(4, 2, 2, 4, 4)]


def test_an_edit_decision_list_has_the_whole_rate_that_is_nearest(tmp_path):
    path = rendered(tmp_path, "edl", timeline(tmp_path, Fraction(40)))
    again = otio.adapters.read_from_file(str(path), "cmx_3600", rate=48)
    assert next(iter(again.find_clips())).source_range.start_time.value == 61 * 48


@pytest.mark.parametrize(
    ("timecode", "event"),
    [(None, "00:01:01:00 00:01:03:00"), ("10:00:00:08", "10:01:01:12 10:01:03:12")],
)
def test_an_edit_decision_list_of_a_silent_film_keeps_to_the_clock(tmp_path, timecode, event):
    path = rendered(tmp_path, "edl", replace(timeline(tmp_path, Fraction(16)), timecode=timecode))
    assert f" {event} " in path.read_text()


@pytest.mark.parametrize(
    ("rate", "timecode", "first"),
    [
        (Fraction(24000, 1001), "01:00:00:00", 86_400),
        (Fraction(100), "01:00:00:99", 360_099),
        (Fraction(120000, 1001), "01:00:00:119", 432_119),
        (Fraction(25, 2), "01:00:00:00", 0),
    ],
)
def test_a_time_code_counts_every_frame_at_any_rate_of_whole_codes(tmp_path, rate, timecode, first):
    assert first_frame(replace(timeline(tmp_path, rate), timecode=timecode), float(rate)) == first


SLOW = [Fraction(12), Fraction(25, 2), Fraction(15000, 1001), Fraction(16), Fraction(18)]


@pytest.mark.parametrize("rate", [*SLOW, Fraction(24000, 1001), Fraction(24), Fraction(25), NTSC, Fraction(60)])
def test_the_rate_of_frames_is_exact(rate):
    times = np.round(np.arange(500) / float(rate), 3) + 0.84  # as Matroska has them
    assert find_rate(times) == (rate, True)
