"""Which jobs a change in the code of a face engine runs again, by the digests of their code."""

from pathlib import Path

import pytest

from castsearch.workflow.code_digest import imported, reached

SCRIPTS = Path(__file__).parents[2] / "src/scripts"
ENGINES = ("insightface", "retinaface_arcface", "yunet_sface")
RULES = ("detect", "embed_faces", "embed_portraits")


def test_a_new_engine_runs_nothing_again(rerun_after):
    assert rerun_after("faces/engines/another.py", "", "LICENCE = 'free'\n") == set()


@pytest.mark.parametrize("engine", ENGINES)
def test_a_change_in_an_engine_runs_its_own_jobs_again_and_no_other(rerun_after, engine):
    assert rerun_after(f"faces/engines/{engine}.py", "", "\n_MORE = 1\n") == {f"{rule} {engine}" for rule in RULES}


@pytest.mark.parametrize("engine", ENGINES)
def test_licence_and_options_of_an_engine_run_none_of_its_jobs_again(rerun_after, engine):
    assert rerun_after(f"faces/engines/{engine}.py", 'LICENCE = "', 'LICENCE = "new: ') == set()
    assert rerun_after(f"faces/engines/{engine}.py", '"description": ', '"description": "new: " ') == set()


@pytest.mark.parametrize("engine", ENGINES)
def test_thresholds_of_the_search_run_none_of_an_engines_jobs_again(rerun_after, engine):
    assert rerun_after(f"faces/engines/{engine}.py", "THRESHOLDS = (0.", "THRESHOLDS = (0.9, 0.") == set()


def test_the_wording_of_an_error_runs_nothing_again(rerun_after):
    assert rerun_after("faces/engine_files.py", "the model file is missing", "there is no model file") == set()


def test_a_change_in_what_all_engines_share_runs_all_their_jobs_again(rerun_after):
    jobs = {f"{rule} {engine}" for rule in RULES for engine in ENGINES}
    assert rerun_after("faces/engine.py", '"engine": engine.name', '"engine": str(engine.name)') == jobs | {"persons"}


def test_a_change_in_the_import_from_mxnet_runs_imports_again_and_no_detection(rerun_after):
    assert rerun_after("faces/mxnet/importing.py", "_OPSET = 17", "_OPSET = 18") == {"import_mxnet"}


@pytest.mark.parametrize("rule", RULES)
def test_another_version_of_torch_runs_no_job_of_the_default_engine_again(rule):
    files = reached(SCRIPTS / f"{rule}.py", ["castsearch.faces.engines.yunet_sface"])
    assert "torch" not in imported(files)
    assert "onnxruntime" in imported(files)
