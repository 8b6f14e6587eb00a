"""Which part of the library may import which: an import decides on what runs again, so the directions are fixed."""

import ast
from pathlib import Path

import pytest

SRC = Path(__file__).parents[2] / "src"
LIBRARY = ("data", "demo", "evaluation", "faces", "film", "onnx", "reid", "report", "search", "timeline")


def imports(path: Path) -> set[str]:
    """Full names of the modules that a file imports, wherever in it."""
    names = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
    return names


def importing(folder: str, *prefixes: str) -> list[str]:
    """Files of the library below a folder that import a module whose name starts with one of the prefixes."""
    files = sorted((SRC / "castsearch" / folder).rglob("*.py"))
    assert files
    return [
        str(path.relative_to(SRC))
        for path in files
        if any(name == prefix or name.startswith(f"{prefix}.") for name in imports(path) for prefix in prefixes)
    ]


@pytest.mark.parametrize("folder", LIBRARY)
def test_the_library_knows_nothing_of_the_workflow_that_calls_it(folder):
    assert importing(folder, "castsearch.workflow", "snakemake") == []


@pytest.mark.parametrize("folder", ["faces", "reid", "search", "film", "evaluation"])
def test_what_makes_results_knows_nothing_of_the_report(folder):
    assert importing(folder, "castsearch.report") == []


@pytest.mark.parametrize("folder", ["data", "faces", "reid"])
def test_features_are_made_without_the_search(folder):
    assert importing(folder, "castsearch.search") == []


def test_running_onnx_networks_knows_nothing_of_what_they_are_for():
    assert importing("onnx", *(f"castsearch.{folder}" for folder in LIBRARY if folder != "onnx")) == []


def test_face_engines_do_not_import_each_other():
    engines = SRC / "castsearch/faces/engines"
    names = {f"castsearch.faces.engines.{path.stem}" for path in engines.glob("[a-z]*.py")}
    assert {path.stem: imports(path) & names for path in engines.glob("[a-z]*.py") if imports(path) & names} == {}
