from xml.etree import ElementTree as ET

import pandas as pd

from castsearch.evaluation.score_figures import score_bars

SVG = "{http://www.w3.org/2000/svg}"


def texts(svg):
    return [node.text for node in ET.fromstring(svg).iter(f"{SVG}text")]  # noqa: S314 - this project wrote it


def ablation(scores):
    return pd.DataFrame({"split": "val", "variant": scores.keys(), "mAP": scores.values()})


def test_every_variant_has_its_name_and_its_score():
    shown = texts(score_bars(ablation({"face": 0.25, "face+body[a_b]": 0.5})))
    assert {"val: face", "val: face+body[a_b]", "0.250", "0.500"} <= set(shown)


def test_a_variant_without_a_score_says_so():
    assert "no labels" in texts(score_bars(ablation({"face": float("nan")})))


def test_a_name_is_shown_as_it_is():
    assert "val: <b>$\\alpha$" in texts(score_bars(ablation({"<b>$\\alpha$": 0.5})))


def test_the_same_scores_give_the_same_bytes():
    assert score_bars(ablation({"face": 0.25})) == score_bars(ablation({"face": 0.25}))


def test_no_variant_at_all_is_drawn():
    assert texts(score_bars(ablation({})))
