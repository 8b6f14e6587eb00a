import os
import platform
import re
import subprocess

import numpy
import pytest

from castsearch.workflow import provenance


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


def test_a_git_that_hangs_is_not_waited_for(clone, tmp_path, monkeypatch):
    (tmp_path / "git").write_text("#!/bin/sh\nexec sleep 60\n")
    (tmp_path / "git").chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=os.pathsep)
    monkeypatch.setattr(provenance, "SECONDS_FOR_GIT", 0.1)
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


def test_the_software_is_the_clone_and_the_packages(clone):
    found = provenance.software(clone, ["numpy"])
    assert found == {"castsearch": provenance.commit(clone), **provenance.versions(["numpy"])}


def test_versions_are_those_of_what_is_installed():
    found = provenance.versions(["numpy", "no-such-package"])
    assert found == {"Python": platform.python_version(), "numpy": numpy.__version__}
