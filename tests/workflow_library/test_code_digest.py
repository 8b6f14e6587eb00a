from pathlib import Path

import pytest

from castsearch.workflow import code_digest


@pytest.fixture
def package(tmp_path):
    """A package of three modules, of which a script reaches two."""
    folder = tmp_path / "castsearch"
    (folder / "deep").mkdir(parents=True)
    (folder / "__init__.py").write_text("")
    (folder / "deep/__init__.py").write_text("")
    (folder / "deep/near.py").write_text("from castsearch import far\n")
    (folder / "far.py").write_text("X = 1\n")
    (folder / "unused.py").write_text("X = 1\n")
    (tmp_path / "rule.py").write_text("def f():\n    from castsearch.deep import near\n")
    return tmp_path


def digest(package: Path) -> str:
    return code_digest.source_digest(package / "rule.py", package=package / "castsearch")


def digest_after(package: Path, file: str, added: str = "Y = 2\n") -> str:
    (package / file).write_text((package / file).read_text() + added)
    return digest(package)


@pytest.mark.parametrize("file", ["rule.py", "castsearch/deep/near.py", "castsearch/far.py", "castsearch/__init__.py"])
def test_a_change_in_code_that_a_script_reaches_changes_its_digest(package, file):
    if file == "castsearch/__init__.py":
        (package / "rule.py").write_text("import castsearch\n")
    before = digest(package)
    assert digest_after(package, file) != before


def test_a_change_in_other_code_does_not(package):
    before = digest(package)
    assert digest_after(package, "castsearch/unused.py") == before


def test_a_change_in_comments_does_not(package):
    before = digest(package)
    assert digest_after(package, "castsearch/far.py", "\n\n# why\n") == before


@pytest.mark.parametrize(("package_of", "changes"), [("numpy", True), ("scipy", False)])
def test_another_version_of_a_package_that_a_script_reaches_changes_its_digest(
    package, monkeypatch, tmp_path, package_of, changes
):
    before = digest_after(package, "castsearch/far.py", "import numpy.linalg\n")
    (tmp_path / f"{package_of}-99.dist-info").mkdir()
    (tmp_path / f"{package_of}-99.dist-info/METADATA").write_text(f"Name: {package_of}\nVersion: 99\n")
    monkeypatch.syspath_prepend(tmp_path)
    assert (digest(package) != before) is changes


def test_every_rule_script_reaches_library_code():
    scripts = sorted(Path(code_digest.__file__).parents[2].glob("scripts/*.py"))
    assert scripts
    for script in scripts:
        assert len(code_digest.reached(script)) > 1, script.name
