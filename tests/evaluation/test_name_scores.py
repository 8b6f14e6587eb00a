import json

import numpy as np
import pandas as pd
import pytest

from castsearch import files
from castsearch.data.crops import crop_table
from castsearch.data.name_tables import write_names
from castsearch.evaluation.name_scores import ALL, calibration_error, score_names
from castsearch.evaluation.score_figures import reliability_curves
from castsearch.timeline.appearances import of_boxes, write_appearances


def scored(tmp_path, named, confidence=0.9, labels=None):
    """Score a movie whose boxes 1 to 4 show ada, bo, bo and a stranger, or by other labels."""
    cast = [{"id": "m.ada", "role": "cast", "label": "ada", "frame": "p"}, {"id": "bo", "role": "cast", "frame": "q"}]
    boxes = [{"id": str(number), "role": "candidate", "frame": str(number)} for number in range(1, 5)]
    files.write_table(tmp_path / "crops.arrow", crop_table("val", "m", cast + boxes))
    (tmp_path / "labels.json").write_text(json.dumps({"m.ada": ["1"], "bo": ["2", "3"]} if labels is None else labels))
    rows = pd.DataFrame({"movie": "m", "box": list("1234"), "frame": list("1234"), "person": named})
    rows = rows.assign(time=pd.NA, shot=pd.NA, track=pd.NA, confidence=confidence, likeliest=rows["person"])
    write_names(tmp_path / "names.tsv", rows.replace({"likeliest": {"unknown": ""}}))
    labels, names = {"val": tmp_path / "labels.json"}, [("val", tmp_path / "names.tsv")]
    write_appearances(tmp_path / "m.tsv", of_boxes(rows))
    return score_names(labels, [tmp_path / "crops.arrow"], names, {("val", "m"): tmp_path / "m.tsv"}, "stop")


def test_names_are_scored_by_person_and_over_all(tmp_path):
    scores = scored(tmp_path, ["ada", "bo", "unknown", "ada"]).scores.set_index(["movie", "person"])
    assert scores.loc[("m", "ada"), ["precision", "recall"]].tolist() == [0.5, 1]
    assert scores.loc[("m", "bo"), ["precision", "recall"]].tolist() == [1, 0.5]
    assert scores.loc[("m", ALL), "F1"] == scores.loc[(ALL, ALL), "F1"] == pytest.approx(2 / 3)


def test_a_box_that_is_named_as_another_of_the_cast_is_not_right(tmp_path):
    scores = scored(tmp_path, ["bo", "ada", "unknown", "unknown"]).scores.set_index(["movie", "person"])
    assert scores.loc[("m", ALL), ["true", "named", "right"]].tolist() == [3, 2, 0]


def test_whom_only_a_correction_names_is_no_mistake(tmp_path):
    scores = scored(tmp_path, ["ada", "bo", "bo", "carl"]).scores.set_index(["movie", "person"])
    assert scores.loc[("m", ALL), ["true", "named", "right"]].tolist() == [3, 3, 3]


def test_who_has_no_labels_is_not_judged(tmp_path):
    found = scored(tmp_path, ["ada", "bo", "bo", "ada"], labels={"m.ada": ["1"]})
    scores = found.scores.set_index(["movie", "person"])
    assert scores.loc[("m", ALL), ["true", "named", "right"]].tolist() == [1, 2, 1]
    assert found.reliability["boxes"].sum() == 2


def test_a_movie_without_labels_is_left_out_of_the_scores_of_names(tmp_path):
    found = scored(tmp_path, ["ada", "bo", "bo", "ada"], labels={})
    assert found.scores[["movie", "named"]].values.tolist() == [[ALL, 0]]
    assert found.reliability["boxes"].sum() == 0


def test_screen_time_is_scored_by_person(tmp_path):
    scores = scored(tmp_path, ["ada", "ada", "bo", "unknown"]).scores.set_index("person")
    assert scores.loc["ada", ["time", "named_time", "time_error"]].tolist() == [1, 2, 1]
    assert scores.loc["bo", ["time", "named_time", "time_error"]].tolist() == [2, 1, -0.5]


def test_confidence_is_compared_with_the_share_of_right_names(tmp_path):
    found = scored(tmp_path, ["ada", "bo", "ada", "ada"], confidence=0.75)
    [bin_] = found.reliability[found.reliability["boxes"] > 0].to_dict("records")
    assert (bin_["low"], bin_["boxes"], bin_["confidence"], bin_["right"]) == (0.7, 4, 0.75, 0.5)
    assert found.scores["calibration_error"].iloc[-1] == 0.25
    assert "<svg" in reliability_curves(found.reliability)


def test_the_calibration_error_weighs_bins_by_what_is_in_them():
    right = np.array([True, True, False, False])
    assert calibration_error(np.array([1.0, 1.0, 0.5, 0.0]), right) == pytest.approx(0.125)
    assert calibration_error(np.empty(0), np.empty(0, bool)) == 0
