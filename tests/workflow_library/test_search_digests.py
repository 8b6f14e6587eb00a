"""Which jobs a change in the code of the search runs again, by the digests of their code."""

import pytest

from castsearch.search.methods import METHODS

FUSE = {f"fuse {name}" for name in METHODS}


@pytest.mark.parametrize("name", METHODS)
def test_a_constant_of_a_method_runs_the_fusion_by_it_again_and_nothing_else(rerun_after, name):
    file = METHODS[name].module.removeprefix("castsearch.").replace(".", "/") + ".py"
    assert rerun_after(file, "", "\n_MORE = 1\n") == {f"fuse {name}"}


def test_how_labels_spread_runs_the_diffusion_again_and_what_to_review(rerun_after):
    changed = rerun_after("search/label_spreading.py", "_PASSED_ON = 0.8", "_PASSED_ON = 0.7")
    assert changed == {"fuse diffusion", "names"}


def test_what_is_true_of_a_method_is_read_by_the_fusion_alone(rerun_after):
    assert rerun_after("search/methods.py", 'face_mask="detected"', 'face_mask="selected"') == FUSE


def test_a_re_ranking_runs_the_re_ranking_again_and_the_methods_that_reach_it(rerun_after):
    changed = rerun_after("search/k_reciprocal.py", "k2: int = 6", "k2: int = 7")
    assert {"rerank"} <= changed <= {"rerank", *FUSE}


def test_a_change_in_similarities_runs_the_search_again_and_nothing_else(rerun_after):
    assert rerun_after("search/similarity.py", "_SMOOTHING_NEIGHBORS = 9", "_SMOOTHING_NEIGHBORS = 8") == {
        "rerank",
        *FUSE,
        "names",
    }


def test_the_title_of_a_variant_runs_nothing_again(rerun_after):
    assert rerun_after("workflow/variants.py", "re-ranked", "reordered") == set()


def test_the_fusion_reaches_every_method_that_a_run_chooses(rerun_after):
    # The names in the table are strings, which no import shows.
    assert rerun_after("search/neighbors.py", "GPU_ROWS = 4000", "GPU_ROWS = 4001") >= {"rerank", *FUSE}
