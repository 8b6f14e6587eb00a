import json

import motmetrics
import numpy as np
import pyarrow as pa
import pytest

from castsearch import files
from castsearch.boxes import overlap
from castsearch.data.crops import crop_table
from castsearch.errors import InputError
from castsearch.evaluation.film_scores import (
    TrackedBoxes,
    score_boxes,
    score_film,
    score_films,
    score_shots,
    score_tracks,
)
from castsearch.evaluation.film_truth import Truth, check_times, label_candidates, label_films, read_truth

ADA, BO = [0.0, 0, 10, 20], [50.0, 0, 60, 20]


def truth(frames, changes=()):
    """A film of a second a frame: {person: box} of each, all in one shot."""
    return Truth(
        np.array(changes, float).reshape(-1, 2),
        np.arange(len(frames), dtype=float),
        np.ones(len(frames), int),
        [np.array(list(frame.values()), float).reshape(-1, 4) for frame in frames],
        [list(frame) for frame in frames],
    )


def detections(*rows):
    """From rows (time, box, score, track)."""
    times, boxes, scores, tracks = zip(*rows, strict=True)
    return TrackedBoxes(
        np.array(times, float), np.array(boxes, np.float32), np.array(scores, np.float32), np.array(tracks)
    )


def test_a_change_may_be_anywhere_in_a_dissolve_and_a_little_off_a_cut():
    rates = score_shots([1.05, 5.5, 9], truth([{}], [[1, 1], [5, 6], [12, 12]]))
    assert rates == pytest.approx((2 / 3, 2 / 3, 2 / 3))


def test_a_change_is_found_once():
    assert score_shots([1.0, 1.05], truth([{}], [[1, 1]])) == pytest.approx((0.5, 1, 2 / 3))


def test_without_changes_nothing_is_found():
    assert score_shots([], truth([{}])) == (0, 0, 0)


def test_average_precision_of_boxes():
    known = truth([{"ada": ADA, "bo": BO}, {"ada": ADA}])
    found = detections((0, ADA, 0.9, 1), (0, [20, 0, 30, 20], 0.8, 2), (0, BO, 0.7, 3))
    # Precisions at the hits: 1 and 2/3; the third box of the truth was not found.
    assert score_boxes(found, known, 1) == pytest.approx(((1 + 2 / 3) / 3, 2 / 3))


def test_a_second_box_of_one_person_is_wrong():
    precision, recall = score_boxes(detections((0, ADA, 0.9, 1), (0, ADA, 0.95, 2)), truth([{"ada": ADA}]), 1)
    assert (precision, recall) == (1, 1)
    assert score_boxes(detections((0, ADA, 0.9, 1), (0, BO, 0.95, 2)), truth([{"ada": ADA}]), 1) == (0.5, 1)


def test_frames_that_are_not_sampled_do_not_count():
    known = truth([{"ada": ADA}, {"ada": ADA}])
    assert score_boxes(detections((0, ADA, 0.9, 1)), known, 0.5) == (1, 1)


def test_identities_that_were_exchanged_count_for_the_longer_part():
    known = truth([{"ada": ADA, "bo": BO}] * 3)
    rows = [(0, ADA, 1, 1), (0, BO, 1, 2), (1, ADA, 1, 1), (1, BO, 1, 2), (2, ADA, 1, 2), (2, BO, 1, 1)]
    assert score_tracks(detections(*rows), known, 1) == pytest.approx((2 / 3, 2 / 3, 2 / 3))


def test_a_track_that_breaks_counts_for_its_longer_part():
    known = truth([{"ada": ADA}] * 5)
    rows = [(n, ADA, 1, 1 if n < 2 else 2) for n in range(5)]
    assert score_tracks(detections(*rows), known, 1) == pytest.approx((0.6, 0.6, 0.6))


def test_the_identity_scores_are_those_of_motmetrics():
    """People who walk to and fro, boxes that are a little off or missing, and tracks that break and change."""
    rng = np.random.default_rng(0)
    frames, rows = [], []
    accumulator = motmetrics.MOTAccumulator()
    for time in range(60):
        left = 20 + 15 * np.sin(time / 9 + np.arange(4)) + 6 * np.arange(4)
        people = {f"p{number}": [x, 0, x + 10, 20] for number, x in enumerate(left)}
        seen = [number for number in range(4) if rng.random() < 0.8]
        boxes = [np.add(people[f"p{number}"], rng.normal(0, 1.5, 4)).astype(np.float32) for number in seen]
        tracks = [number + 4 * (time // (15 + 5 * number)) if rng.random() < 0.9 else number + 50 for number in seen]
        frames.append(people)
        rows += [(time, box, 1, track) for box, track in zip(boxes, tracks, strict=True)]
        overlaps = overlap(np.array([*people.values()]), np.array(boxes, float).reshape(-1, 4))
        # Its own overlaps need NumPy 1.
        accumulator.update([*range(4)], tracks, np.where(overlaps >= 0.5, 1 - overlaps, np.nan), frameid=time)
    names = ["idp", "idr", "idf1"]
    expected = motmetrics.metrics.create().compute(accumulator, metrics=names, name="film")
    assert 0.3 < expected["idf1"].item() < 0.9
    assert score_tracks(detections(*rows), truth(frames), 1) == pytest.approx([expected[name].item() for name in names])


def test_a_candidate_shows_whom_it_overlaps_most():
    rows = [{"id": f"f.{name}", "role": "cast", "label": name} for name in ("ada", "bo")]
    rows.append({"id": "f.bo.2", "role": "cast", "label": "bo"})
    for number, (left, time) in enumerate([(0, 0.0), (47, 0.0), (50, 1.0), (25, 0.0), (50, 0.5)]):
        box = {"x": left, "y": 0, "width": 10, "height": 20}
        rows.append({"id": str(number), "role": "candidate", "time": time} | box)
    labels = label_candidates(crop_table("films", "f", rows), truth([{"ada": ADA, "bo": BO}, {"bo": BO}]))
    assert labels == {"f.ada": ["0"], "f.bo": ["1", "2"], "f.bo.2": ["1", "2"]}


def test_a_film_has_all_scores():
    box = pa.array([ADA, ADA], pa.list_(pa.float32(), 4))
    score = pa.array([0.9, 0.8], pa.float32())
    persons = pa.table({"time": [0.0, 1.0], "box": box, "score": score})
    tracks = persons.append_column("track", pa.array([1, 1], pa.int32()))
    known = truth([{"ada": ADA}, {"ada": ADA}], [[1, 1]])
    scores = score_film([1.0], [persons.replace_schema_metadata({"rate": "1"})], tracks, known)
    assert set(scores.values()) == {1.0}


@pytest.fixture
def films(tmp_path):
    """The tables and truths of two films, by kind: ada is found in both frames of a, and in one of two of b."""

    def path(name):
        return tmp_path / name

    for name in ("a", "b"):
        seen = [{"person": "ada", "box": [0, 0, 10, 20]}]
        frames = [{"time": time, "shot": 1, "boxes": seen} for time in (0.0, 1.0)]
        files.write_json(path(f"{name}.json"), {"changes": [], "frames": frames})
        path(f"{name}.tsv").write_text("shot\tstart\tend\tlength\n1\t0\t2\t2\n")
        found = pa.table(
            {"time": [0.0, 1.0], "box": pa.array([ADA, ADA], pa.list_(pa.float32(), 4)), "score": [0.9, 0.8]}
        )
        found = found.slice(0, 2 if name == "a" else 1)
        files.write_table(path(f"{name}.tracks"), found.append_column("track", pa.array([1] * len(found), pa.int32())))
        files.write_table(path(f"{name}.0"), found.slice(0, 1).replace_schema_metadata({"rate": "1"}))
        files.write_table(path(f"{name}.1"), found.slice(1).replace_schema_metadata({"rate": "1"}))
        rows = [{"id": f"{name}.ada", "role": "cast", "label": "ada"}]
        rows += [{"id": f"{name}.1", "role": "candidate", "time": 0.0, "x": 0, "y": 0, "width": 10, "height": 20}]
        files.write_table(path(f"{name}.crops"), crop_table("films", name, rows))
    return path


def test_every_film_is_scored_by_its_own_tables(films):
    persons = [films(name) for name in ("a.0", "a.1", "b.0")]
    tables = ([films(f"{name}.{kind}") for name in "ab"] for kind in ("tsv", "tracks", "json"))
    shots, tracks, truths = tables
    scores = score_films({"a": 2, "b": 1}, shots, persons, tracks, truths)
    assert scores.set_index("film")["boxes_recall"].to_dict() == {"a": 1, "b": 0.5}
    assert scores.columns[:2].tolist() == ["film", "shots_F1"]


def test_the_candidates_of_all_films_are_labelled(films):
    crops, truths = ([films(f"{name}.{kind}") for name in "ab"] for kind in ("crops", "json"))
    assert label_films(crops, truths) == {"a.ada": ["a.1"], "b.ada": ["b.1"]}


FRAME = {"time": 0, "shot": 1, "boxes": []}


@pytest.mark.parametrize(
    ("content", "place"),
    [
        ({}, "changes"),
        ({"changes": 1, "frames": []}, "changes"),
        ({"changes": []}, "frames"),
        ({"changes": [], "frames": [FRAME, {"time": 0}]}, "frame 1"),
        ({"changes": [], "frames": [FRAME | {"time": float("nan")}]}, "frame 0"),
        ({"changes": [], "frames": [FRAME | {"shot": 10**30}]}, "frame 0"),
        ({"changes": [], "frames": [FRAME | {"shot": [1]}]}, "frame 0"),
        ({"changes": [], "frames": [FRAME | {"boxes": [{"person": "ada", "box": [0, 0, 1]}]}]}, "frame 0"),
    ],
)
def test_a_truth_of_another_form_is_refused_by_its_frame(tmp_path, content, place):
    (tmp_path / "truth.json").write_text(json.dumps(content))
    with pytest.raises(InputError, match=rf"truth\.json: not the truth of a film: {place} "):
        read_truth(tmp_path / "truth.json")


def test_a_truth_with_rounded_times_is_refused():
    film = 1001 / 30000 * np.arange(90)
    known = Truth(np.empty((0, 2)), film.round(3), np.ones(90, int), [np.empty((0, 4))] * 90, [[]] * 90)
    with pytest.raises(InputError, match=r"truth\.json: the frame at 0\.2002 s has the time 0\.2 there"):
        check_times("truth.json", known, film[::6].round(6))


def test_a_truth_may_know_some_frames_alone():
    frames = np.arange(0, 3, 0.2)
    known = Truth(np.empty((0, 2)), frames[:5], np.ones(5, int), [np.empty((0, 4))] * 5, [[]] * 5)
    check_times("truth.json", known, frames)
