import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
# Digests of an edited copy are made by that copy's own code, in a process of its own.
PROGRAM = """
import json
from pathlib import Path
from castsearch.search.methods import METHODS
from castsearch.workflow.provenance import source_digest
scripts = {path.stem: path for path in Path("src/scripts").glob("*.py")}
engines = {
    path.stem: [f"castsearch.faces.engines.{path.stem}"]
    for path in Path("src/castsearch/faces/engines").glob("[a-z]*.py")
    if path.stem != "another"
}
methods = {name: [method.module] for name, method in METHODS.items()}
chosen = {"detect": engines, "embed_faces": engines, "fuse": methods}
digests = {rule: source_digest(path) for rule, path in scripts.items() if rule not in chosen}
for rule, instances in chosen.items():
    for name, modules in instances.items():
        digests[f"{rule} {name}"] = source_digest(scripts[rule], modules)
print(json.dumps(digests))
"""


def digests(project):
    """Digest of every rule's code; of a rule that chooses a face engine or a method, with each."""
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM],
        cwd=project,
        env={"PYTHONPATH": str(project / "src")},
        capture_output=True,
        text=True,
        check=True,
    )
    return json.loads(done.stdout)


@pytest.fixture(scope="session")
def before():
    """The digests of the code as it is."""
    return digests(ROOT)


@pytest.fixture
def rerun_after(tmp_path, before):
    """A function that edits a file of the library and returns what runs again after all edits so far.

    These are rules; `detect` and `embed_faces` with the name of each engine, `fuse` with that of each method.
    """
    shutil.copytree(ROOT / "src", tmp_path / "src", ignore=shutil.ignore_patterns("__pycache__", "*.egg-info"))

    def rerun(file, old, new):
        path = tmp_path / "src/castsearch" / file
        text = path.read_text() if path.exists() else ""
        assert old in text
        path.write_text(text.replace(old, new, 1) if old else text + new)
        after = digests(tmp_path)
        assert after.keys() == before.keys()
        return {name for name in before if before[name] != after[name]}

    return rerun
