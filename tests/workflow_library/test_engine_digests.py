"""Which jobs a change in the code of a face engine runs again, by the digests of their code."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
ENGINES = ("dlib", "insightface", "retinaface_arcface")
PROGRAM = """
import json, sys
from pathlib import Path
from castsearch.workflow.provenance import source_digest
scripts = {path.stem: path for path in Path("src/scripts").glob("*.py")}
digests = {rule: source_digest(path) for rule, path in scripts.items() if rule not in ("detect", "embed_faces")}
for rule in ("detect", "embed_faces"):
    for engine in sys.argv[1:]:
        digests[f"{rule} {engine}"] = source_digest(scripts[rule], [f"castsearch.faces.engines.{engine}"])
print(json.dumps(digests))
"""


@pytest.fixture
def project(tmp_path):
    """A copy of the code, to be edited."""
    shutil.copytree(ROOT / "src", tmp_path / "src", ignore=shutil.ignore_patterns("__pycache__", "*.egg-info"))
    return tmp_path


def digests(project):
    command = [sys.executable, "-c", PROGRAM, *ENGINES]
    done = subprocess.run(
        command, cwd=project, env={"PYTHONPATH": str(project / "src")}, capture_output=True, text=True, check=True
    )
    return json.loads(done.stdout)


@pytest.fixture(scope="module")
def before():
    return digests(ROOT)


@pytest.fixture
def rerun_after(project, before):
    """A function that edits a file and returns what runs again then: rules, and the jobs of each engine."""

    def rerun(file, old, new):
        path = project / "src/castsearch" / file
        text = path.read_text() if path.exists() else ""
        assert old in text
        path.write_text(text.replace(old, new, 1) if old else text + new)
        after = digests(project)
        assert after.keys() == before.keys()
        return {name for name in before if before[name] != after[name]}

    return rerun


def test_a_new_engine_runs_nothing_again(rerun_after):
    assert rerun_after("faces/engines/another.py", "", "LICENCE = 'free'\n") == set()


@pytest.mark.parametrize("engine", ENGINES)
def test_a_change_in_an_engine_runs_its_own_jobs_again_and_no_other(rerun_after, engine):
    assert rerun_after(f"faces/engines/{engine}.py", "", "\n_MORE = 1\n") == {
        f"detect {engine}",
        f"embed_faces {engine}",
    }


@pytest.mark.parametrize("engine", ENGINES)
def test_licence_and_options_of_an_engine_run_none_of_its_jobs_again(rerun_after, engine):
    assert rerun_after(f"faces/engines/{engine}.py", 'LICENCE = "', 'LICENCE = "new: ') == set()
    assert rerun_after(f"faces/engines/{engine}.py", '"description": ', '"description": "new: " ') == set()


def test_the_wording_of_an_error_runs_nothing_again(rerun_after):
    assert rerun_after("faces/files.py", "the model file is missing", "there is no model file") == set()


def test_a_change_in_what_all_engines_share_runs_all_their_jobs_again(rerun_after):
    jobs = {f"{rule} {engine}" for rule in ("detect", "embed_faces") for engine in ENGINES}
    assert rerun_after("faces/engine.py", "depth: int = 4", "depth: int = 5") == jobs


def test_a_change_in_the_import_from_mxnet_runs_imports_again_and_no_detection(rerun_after):
    assert rerun_after("faces/mxnet/importing.py", "_OPSET = 17", "_OPSET = 18") == {"import_mxnet"}
