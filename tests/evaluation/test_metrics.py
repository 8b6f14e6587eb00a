import json
import math

import pytest

from castsearch.data.submission import read_submission
from castsearch.evaluation.metrics import (
    average_precision,
    average_precision_at,
    hit_ranks,
    matched_within,
    mean_average_precision,
)


def test_precision_is_taken_at_the_rank_of_each_relevant_candidate():
    assert average_precision({"a", "c"}, ["a", "b", "c"]) == pytest.approx((1 + 2 / 3) / 2)


def test_a_relevant_candidate_that_is_not_listed_counts_zero():
    assert average_precision({"a", "b"}, ["a"]) == 0.5
    assert average_precision_at([1], 2) == 0.5


def test_ranks_run_over_distinct_candidates():
    assert hit_ranks(["a", "c"], ["b", "b", "a", "a", "c"]) == [2, 3]
    assert average_precision(["a"], ["b", "b", "b", "a", "a"]) == 0.5


def test_nothing_relevant_has_no_average_precision():
    assert math.isnan(average_precision([], ["a"]))


@pytest.mark.parametrize(("rank", "score"), [(1, 1.0), (5, 1.0), (6, 0.0), (None, 0.0)])
def test_a_query_is_matched_within_k_if_its_first_hit_is_early_enough(rank, score):
    assert matched_within(rank, 5) == score


def test_an_unanswered_query_scores_zero():
    assert mean_average_precision({"m_1": ["a"], "m_2": ["a"]}, {"m_1": ["a"]}) == 0.5


def test_a_query_without_relevant_candidates_is_left_out_of_the_mean():
    assert mean_average_precision({"m_1": ["a"], "m_2": []}, {"m_1": ["b", "a"], "m_2": ["a"]}) == 0.5


def test_without_a_query_to_score_the_mean_is_undefined():
    assert math.isnan(mean_average_precision({}, {}))
    assert math.isnan(mean_average_precision({"m_1": []}, {"m_1": ["a"]}))


def test_every_query_agrees_with_the_reference(golden):
    labels = json.loads((golden / "evaluate_labels.json").read_text())
    submission = read_submission(golden / "evaluate_submission.txt")
    expected = json.loads((golden / "evaluate_expected.json").read_text())
    found = {cast: average_precision(relevant, submission.get(cast, ())) for cast, relevant in labels.items()}
    assert found == pytest.approx(expected["AP"], rel=0, abs=1e-12)
    assert mean_average_precision(labels, submission) == pytest.approx(expected["mAP"], rel=0, abs=1e-12)
