from xml.etree import ElementTree as ET

import pandas as pd
import pytest

from castsearch.reid.history import COLUMNS
from castsearch.report.training_figures import PANELS, training_curves

SVG = "{http://www.w3.org/2000/svg}"
NAN = float("nan")


def texts(svg):
    return [node.text for node in ET.fromstring(svg).iter(f"{SVG}text")]  # noqa: S314 - this project wrote it


def test_columns_that_belong_together_share_a_panel():
    history = pd.DataFrame(
        {"epoch": [1, 2], "learning_rate": [1e-3, 1e-4], "loss": [4.0, 2], "triplet": [1.0, 1], "mAP": [NAN, 0.5]}
    )
    panels = dict(training_curves(history))
    assert list(panels) == [
        "loss by epoch: loss, triplet",
        "validation by epoch: mAP",
        "learning rate by epoch: learning_rate",
    ]
    assert {"loss", "triplet"} <= set(texts(panels["loss by epoch: loss, triplet"]))


def test_a_column_without_values_is_not_drawn():
    history = pd.DataFrame({"epoch": [1], "loss": [1.0], "mAP": [NAN]})
    assert [words for words, _ in training_curves(history)] == ["loss by epoch: loss"]


def test_a_history_without_epochs_has_no_panel():
    assert list(training_curves(pd.DataFrame({"epoch": [], "loss": []}))) == []


@pytest.mark.parametrize("losses", [[1.0], [2.0, 2.0], [NAN, 1.0], [float("inf"), 1.0], [0.0, 0.0]])
def test_flat_short_and_broken_histories_are_drawn(losses):
    history = pd.DataFrame({"epoch": range(1, len(losses) + 1), "loss": losses})
    [(_, panel)] = training_curves(history)
    assert "epoch" in texts(panel)


def test_the_same_history_gives_the_same_bytes():
    history = pd.DataFrame({"epoch": [1, 2], "loss": [2.0, 1.0]})
    assert list(training_curves(history)) == list(training_curves(history))


def test_dark_pages_get_dark_colours():
    [(_, panel)] = training_curves(pd.DataFrame({"epoch": [1, 2], "loss": [2.0, 1.0]}))
    assert "@media (prefers-color-scheme: dark)" in panel


def test_every_column_of_a_history_has_a_panel():
    assert {name for names in PANELS.values() for name in names} == set(COLUMNS) - {"epoch"}
