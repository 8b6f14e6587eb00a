"""Which jobs a change in the code of the ReID networks runs again."""

import pytest


def test_the_wording_of_an_error_of_the_losses_runs_nothing_again(rerun_after):
    assert rerun_after("reid/losses.py", "is none of hard, uniform, adaptive", "is unknown") == set()


@pytest.mark.parametrize(
    ("file", "jobs"),
    [
        ("reid/losses.py", {"train_reid"}),
        ("reid/trainer.py", {"train_reid"}),
        ("reid/backbones.py", {"train_reid", "import_reid", "pretrained_reid", "embed_bodies torch_features"}),
        ("reid/features.py", {"train_reid", "embed_bodies torch_features", "embed_bodies onnx_features"}),
        ("reid/onnx_features.py", {"embed_bodies onnx_features"}),
        ("reid/identities.py", {"train_reid"}),
        ("reid/labelled.py", {"validation_set"}),
    ],
)
def test_a_change_runs_the_jobs_again_that_depend_on_it(file, jobs, rerun_after):
    assert rerun_after(file, "", "\n_MORE = 1\n") == jobs
