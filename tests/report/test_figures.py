import re
from xml.etree import ElementTree as ET

import pandas as pd
import pytest

from castsearch.report import figures

JOBS = {"crop": 2, "detect": 2, "embed": 2, "train": 1, "fuse": 1}
EDGES = [("crop", "detect"), ("detect", "embed"), ("crop", "train"), ("train", "fuse"), ("embed", "fuse")]


def parse(svg):
    return ET.fromstring(svg)  # noqa: S314 - text that this project has written


def boxes(svg):
    """Left, top, right, bottom of every rule's box."""
    found = {}
    for group in parse(svg).iter("g"):
        x, y, width, height = (float(group.find("rect").get(name)) for name in ("x", "y", "width", "height"))
        found[group.find("text").text] = (x, y, x + width, y + height)
    return found


def polylines(svg):
    return [node.get("points").split() for node in parse(svg).iter("polyline")]


def test_losses_accuracies_and_learning_rate_have_panels_of_their_own():
    log = pd.DataFrame(
        {"epoch": [1, 2], "learning_rate": [1e-3, 1e-4], "loss": [4.0, 2], "triplet_loss": [1.0, 1], "top1": [0, 1]}
    )
    loss, accuracy, rate = figures.training_curves(log)
    assert [len(polylines(panel)) for panel in (loss, accuracy, rate)] == [2, 1, 1]
    start, end = (float(point.split(",")[1]) for point in polylines(loss)[0])
    assert end > start  # a loss that falls goes down the page, where y grows


def test_the_columns_of_a_training_history_have_their_panels():
    nan = float("nan")
    log = pd.DataFrame({"cross_entropy": [2.0, 1], "triplet": [1.0, 1], "precision": [0, 0.5], "mAP": [nan, 0.5]})
    loss, accuracy, validation = figures.training_curves(log.assign(**{"CMC@1": nan}))
    assert [len(polylines(panel)) for panel in (loss, accuracy, validation)] == [2, 1, 1]


def test_columns_that_are_missing_or_not_numbers_are_left_out():
    (panel,) = figures.training_curves(pd.DataFrame({"loss": [1.0, 2.0], "note": ["a", "b"]}))
    assert len(polylines(panel)) == 1


def test_an_empty_log_has_no_panel():
    assert figures.training_curves(pd.DataFrame({"epoch": [], "loss": []})) == []


@pytest.mark.parametrize("losses", [[1.0], [2.0, 2.0], [float("nan"), 1.0], [float("inf"), 1.0], [0.0, 0.0]])
def test_flat_short_and_broken_logs_are_drawn(losses):
    (panel,) = figures.training_curves(pd.DataFrame({"loss": losses}))
    assert not re.search(r"\b(nan|inf)\b", panel)


def test_a_bar_is_as_long_as_its_score():
    svg = parse(figures.score_bars(["face", "face+body", "none"], [0.25, 0.5, float("nan")]))
    widths = [float(bar.get("width")) for bar in svg.iter("{http://www.w3.org/2000/svg}rect")]
    assert widths == [105.0, 210.0]
