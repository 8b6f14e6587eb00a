import os
import re
import subprocess
import sys
from xml.etree import ElementTree as ET

import pandas as pd
import pytest

from castsearch import figures

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


def edges(svg):
    return [path.get("d") for path in parse(svg).iter("path") if path.get("class") == "edge"]


def test_a_rule_stands_below_those_it_depends_on():
    top = {rule: box[1] for rule, box in boxes(figures.workflow_graph(EDGES, JOBS)).items()}
    assert all(top[source] < top[target] for source, target in EDGES)


def test_boxes_do_not_overlap_and_lie_inside_the_picture():
    wide = [("crop", f"rule{i}") for i in range(9)] + [(f"rule{i}", "all") for i in range(0, 9, 2)]
    svg = figures.workflow_graph(wide, {})
    width, height = (float(parse(svg).get(name)) for name in ("width", "height"))
    places = list(boxes(svg).values())
    for i, (x1, y1, x2, y2) in enumerate(places):
        assert 0 <= x1 < x2 <= width
        assert 0 <= y1 < y2 <= height
        for left, top, right, bottom in places[:i]:
            assert x2 <= left or right <= x1 or y2 <= top or bottom <= y1


def test_an_edge_that_follows_from_others_is_not_drawn():
    drawn = edges(figures.workflow_graph([*EDGES, ("crop", "fuse"), ("crop", "crop")], JOBS))
    assert drawn == edges(figures.workflow_graph(EDGES, JOBS))
    assert len(drawn) == len(EDGES)


def test_an_edge_past_a_layer_goes_around_the_boxes_there():
    svg = figures.workflow_graph(EDGES, JOBS)
    left, top, right, _ = boxes(svg)["embed"]
    (past,) = [d for d in edges(svg) if "V" in d]  # train → fuse passes the layer of embed
    x, y = map(float, re.search(r"([\d.]+) ([\d.]+)V", past.replace("C", " ").replace("M", " ")).groups())
    assert y == top
    assert not left < x < right


def test_the_picture_is_the_same_in_every_process():
    program = f"from castsearch import figures; print(figures.workflow_graph({[*EDGES, ('crop', 'fuse')]}, {JOBS}))"
    pictures = {
        subprocess.run(
            [sys.executable, "-c", program],
            env={"PYTHONHASHSEED": seed, "PYTHONPATH": os.pathsep.join(sys.path)},
            capture_output=True,
            check=True,
        ).stdout
        for seed in ("1", "2", "3")
    }
    assert len(pictures) == 1


def test_edges_do_not_cross_without_need():
    nested = [
        ("a", "c"),
        ("b", "d"),
        ("a", "d2"),
        ("b", "c2"),
        ("d", "end"),
        ("c2", "end"),
        ("c", "all"),
        ("d2", "all"),
    ]
    lines = [tuple(map(float, re.findall(r"[\d.]+", d))) for d in edges(figures.workflow_graph(nested, {}))]
    for i, first in enumerate(lines):
        for second in lines[:i]:
            if first[1] == second[1]:  # both start in the same layer
                assert (first[0] - second[0]) * (first[-2] - second[-2]) >= 0


def test_a_workflow_without_rules_is_an_empty_picture():
    assert boxes(figures.workflow_graph([], {})) == {}


def polylines(panel):
    return [node.get("points").split() for node in parse(panel).iter("polyline")]


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
