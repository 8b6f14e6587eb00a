"""Runs whose files are in a storage, or whose jobs are in a container."""

import os
import shutil
import sys
from pathlib import Path

import pytest
from runs import TINY, run, with_changes

pytestmark = pytest.mark.slow
FACES = with_changes({"data.train": [], "data.search": ["val"], "reid.networks": []})
# Starts what it is given outside of any container, and says of which image it was.
APPTAINER = """#!/bin/bash
if [ "$1" = --version ]; then echo apptainer version 1.3.0; exit; fi
until [[ "$1" = *.sif ]]; do shift; done
echo "$1" >> asked
"${@:2}"
"""


@pytest.mark.skipif(not shutil.which("rsync"), reason="apt-get install rsync, by which the storage plugin copies")
def test_movies_are_cut_from_copies_of_a_storage(tmp_path, finished):
    pytest.importorskip("snakemake_storage_plugin_fs", reason="pip install snakemake-storage-plugin-fs")
    storage = ["--default-storage-provider", "fs", "--default-storage-prefix", str(tmp_path / "store")]
    shared = ["--shared-fs-usage", "persistence", "software-deployment", "sources", "source-cache"]
    done = run(tmp_path / "run", FACES, *storage, *shared, "--until", "crop")
    assert done.returncode == 0, done.stdout
    [crops] = (tmp_path / "store/results/crops/val").glob("*.arrow")
    assert crops.read_bytes() == (finished / "results/crops/val" / crops.name).read_bytes()
    assert not (tmp_path / "run/results").exists()


def test_jobs_start_in_the_image_of_the_working_folder(tmp_path, monkeypatch):
    command = tmp_path / "bin/apptainer"
    command.parent.mkdir()
    command.write_text(APPTAINER)
    command.chmod(0o755)
    monkeypatch.setenv("PATH", f"{command.parent}:{Path(sys.executable).parent}:{os.environ['PATH']}")
    wanted = ("--sdm", "apptainer", "--until", "demo_movie", "--", "results/demo/val.json")
    refused = run(tmp_path / "run", TINY, *wanted)
    assert "castsearch.sif: there is no such image" in refused.stdout
    (tmp_path / "run/castsearch.sif").touch()
    done = run(tmp_path / "run", TINY, *wanted)
    assert done.returncode == 0, done.stdout
    assert (tmp_path / "run/asked").read_text() == "castsearch.sif\n"
