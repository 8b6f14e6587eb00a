import os
import platform
import re
import shutil
import subprocess
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path

import numpy
import pytest

from castsearch.workflow import provenance


@pytest.fixture
def package(tmp_path):
    """A package with the digest's own code and three modules more, of which a script reaches two."""
    folder = tmp_path / "castsearch"
    (folder / "deep").mkdir(parents=True)
    (folder / "workflow").mkdir()
    shutil.copy(provenance.__file__, folder / "workflow")
    (folder / "__init__.py").write_text("")
    (folder / "deep/__init__.py").write_text("")
    (folder / "deep/near.py").write_text("from castsearch import far\n")
    (folder / "far.py").write_text("X = 1\n")
    (folder / "unused.py").write_text("X = 1\n")
    (tmp_path / "rule.py").write_text("def f():\n    from castsearch.deep import near\n")
    return tmp_path


def digest(package: Path) -> str:
    """The script's digest, by code that has read nothing yet."""
    spec = spec_from_file_location("provenance_of_the_package", package / "castsearch/workflow/provenance.py")
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.source_digest(package / "rule.py")


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
    scripts = sorted(Path(provenance.__file__).parents[2].glob("scripts/*.py"))
    assert scripts
    for script in scripts:
        assert len(provenance.reached(script)) > 1, script.name


@pytest.fixture
def clone(tmp_path):
    """A repository with one commit."""
    folder = tmp_path / "clone"
    subprocess.run(["git", "init", "--quiet", folder], check=True)
    (folder / "file").write_text("a")
    identity = ["-c", "user.name=a", "-c", "user.email=a@example.org"]
    for command in (["add", "file"], [*identity, "commit", "--quiet", "-m", "a"]):
        subprocess.run(["git", "-C", folder, *command], check=True)
    return folder


def test_the_commit_says_whether_files_differ_from_it(clone):
    assert re.fullmatch("[0-9a-f]{12}", provenance.commit(clone))
    (clone / "file").write_text("b")
    assert re.fullmatch(r"[0-9a-f]{12}\+changes", provenance.commit(clone))


def test_outside_of_git_the_commit_is_unknown(tmp_path):
    assert provenance.commit(tmp_path) == "unknown"


def test_where_git_is_not_installed_the_commit_is_unknown(clone, tmp_path, monkeypatch):
    (tmp_path / "empty").mkdir()
    monkeypatch.setenv("PATH", str(tmp_path / "empty"))
    assert provenance.commit(clone) == "unknown"


@pytest.mark.skipif(os.getuid() != 0, reason="needs root, to give files away")
def test_a_clone_of_another_user_has_its_commit(clone, monkeypatch, tmp_path):
    monkeypatch.setenv("HOME", str(tmp_path))  # whose configuration trusts no folder
    monkeypatch.setenv("GIT_CONFIG_NOSYSTEM", "1")
    for path in (clone, *clone.rglob("*")):
        os.chown(path, 12345, 12345)
    refused = subprocess.run(["git", "-C", clone, "describe", "--always"], capture_output=True, text=True, check=False)
    assert "dubious ownership" in refused.stderr
    assert re.fullmatch("[0-9a-f]{12}", provenance.commit(clone))


def test_versions_are_those_of_what_is_installed():
    found = provenance.versions(["numpy", "no-such-package"])
    assert found == {"Python": platform.python_version(), "numpy": numpy.__version__}
