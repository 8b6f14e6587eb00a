import shutil
from pathlib import Path

import pytest

from castsearch.reid import kinds
from castsearch.search.methods import METHODS
from castsearch.workflow.code_digest import source_digest

ROOT = Path(__file__).parents[2]
ENGINES = ("insightface", "retinaface_arcface", "yunet_sface")


def digests(project):
    """Digest of every rule's code; of a rule that chooses a module, such as a face engine, with each."""
    engines = {engine: f"castsearch.faces.engines.{engine}" for engine in ENGINES}
    bodies = {module.rpartition(".")[2]: module for module in kinds.MODULES.values()}
    methods = {name: method.module for name, method in METHODS.items()}
    shots = {"": None, "transnetv2": "castsearch.film.transnetv2"}
    chosen = {"detect": engines, "embed_faces": engines, "embed_portraits": engines}
    chosen |= {"fuse": methods, "embed_bodies": bodies, "changes": shots}
    package = project / "src/castsearch"
    return {
        f"{script.stem} {name}".strip(): source_digest(script, [module] if module else [], package)
        for script in (project / "src/scripts").glob("*.py")
        for name, module in chosen.get(script.stem, {"": None}).items()
    }


@pytest.fixture(scope="session")
def before():
    """The digests of the code as it is."""
    return digests(ROOT)


@pytest.fixture
def rerun_after(tmp_path, before):
    """A function that edits a file of the library and returns what runs again after all edits so far.

    These are rules; `detect`, `embed_faces` and `embed_portraits` with the name of each engine, `fuse` with that of
    each method, and `embed_bodies` with each module that describes people.
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
