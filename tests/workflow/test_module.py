"""The workflow as a part of another one: a module, an included file, a link."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from runs import ROOT, TINY, finish, planned, result_files, run, with_changes

FACES = with_changes({"data.train": [], "data.search": ["val"], "reid.networks": []})
MODULE = """
module {name}:
    snakefile: "{snakefile}"
    config: config["{name}"]
    prefix: "{name}"

use rule * from {name} as {name}_*
"""
COUNT = """
rule count:
    default_target: True
    input: {everything}, submissions={submissions}
    output: "count.txt"
    shell: "cat {{input.submissions}} | wc -l > {{output}}"
"""


def snakemake(folder, snakefile, config, *arguments):
    """Run another workflow, of the text `snakefile`, in `folder`; return what was said."""
    folder.mkdir(exist_ok=True)
    (folder / "Snakefile").write_text(snakefile)
    (folder / "config.yaml").write_text(yaml.safe_dump(config))
    files = ["--snakefile", str(folder / "Snakefile"), "--configfile", str(folder / "config.yaml")]
    done = finish([*files, "--directory", str(folder), "--cores", "2", *arguments])
    assert done.returncode == 0, done.stdout
    return done.stdout


def imported(*names):
    """A workflow that has this one as a module, once by each name, and counts the lines of its submissions."""
    modules = [MODULE.format(name=name, snakefile=ROOT / "Snakefile") for name in names]
    everything = ", ".join(f"rules.{name}_all.input" for name in names)
    submissions = [f"{name}/results/submission/val.txt" for name in names]
    return "".join(modules) + COUNT.format(everything=everything, submissions=submissions)


def test_a_module_makes_the_bytes_of_a_direct_run(tmp_path):
    done = run(tmp_path / "direct", FACES)
    assert done.returncode == 0, done.stdout
    snakemake(tmp_path / "other", imported("cast"), {"cast": FACES})
    assert result_files(tmp_path / "other/cast") == result_files(tmp_path / "direct")
    assert (tmp_path / "other/count.txt").read_text().strip() == str(FACES["data"]["demo"]["cast"])


def test_jobs_use_the_library_of_their_workflow_whatever_castsearch_is_installed(tmp_path, monkeypatch):
    (tmp_path / "another/castsearch").mkdir(parents=True)
    (tmp_path / "another/castsearch/__init__.py").write_text("raise RuntimeError('another castsearch')\n")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path / "another"))
    done = run(tmp_path / "run", TINY, "--until", "demo_movie", "--", "results/demo/val.json")
    assert done.returncode == 0, done.stdout


def test_one_workflow_has_two_configurations_as_modules(tmp_path):
    configs = {"first": TINY, "second": with_changes({"search.method": "cascade"})}
    said = snakemake(tmp_path, imported("first", "second"), configs, "--dry-run")
    for name in configs:
        assert f"{name}_train_reid" in said
        assert f"{name}/results/submission/val.txt" in said


def test_users_files_are_found_in_the_working_folder_whatever_the_prefix(tmp_path):
    (tmp_path / "own").mkdir()
    (tmp_path / "own/val.json").write_text('{"tt1": {"cast": [], "candidates": []}}')
    files = {"val": {"annotations": "own/val.json", "images": "own"}}
    config = with_changes(
        {"data": {"source": "files", "files": files, "train": [], "search": ["val"]}, "reid.networks": []}
    )
    said = snakemake(tmp_path, imported("cast"), {"cast": config}, "--dry-run")
    assert "input: own/val.json" in said
    assert "output: cast/results/crops/val/tt1.arrow" in said


def test_a_rule_of_the_module_can_be_changed(tmp_path):
    changed = "\nuse rule fuse from cast as cast_fuse with:\n    threads: 2\n"
    said = snakemake(tmp_path, imported("cast") + changed, {"cast": FACES}, "--dry-run")
    assert "threads: 2" in said.partition("rule cast_fuse:")[2].partition("\n\n")[0]


def test_another_workflow_can_include_the_file(tmp_path):
    said = snakemake(tmp_path, f'include: "{ROOT}/Snakefile"\n', FACES, "--dry-run", "all")
    assert "results/submission/val.txt" in said


def test_the_file_can_be_reached_by_a_link(tmp_path):
    (tmp_path / "Snakefile").symlink_to(ROOT / "Snakefile")
    assert planned(tmp_path, FACES, project=tmp_path)["submission"] == 1


def test_the_catalogs_file_has_the_same_target(tmp_path):
    assert planned(tmp_path, FACES, project=ROOT / "workflow")["submission"] == 1


def test_snakedeploy_deploys_what_runs_from_a_clone_of_a_tag(tmp_path):
    deploy = pytest.importorskip("snakedeploy.deploy", reason="pip install snakedeploy")
    parts = (
        "Snakefile",
        "config.yaml",
        "LICENSE",
        "config",
        "workflow",
        "profiles",
        "rules",
        "schemas",
        "src",
        "envs",
        "docs",
    )
    published, clone = tmp_path / "published", tmp_path / "castsearch"
    published.mkdir()
    for part in map(Path, parts):
        copy = shutil.copytree if (ROOT / part).is_dir() else shutil.copy
        copy(ROOT / part, published / part)
    somebody = ("-c", "user.name=somebody", "-c", "user.email=somebody@example.org")
    for line in (("init", "-q"), ("add", "."), (*somebody, "commit", "-qm", "a release"), ("tag", "v1")):
        subprocess.run(["git", "-C", published, *line], check=True)
    subprocess.run(["git", "-c", "advice.detachedHead=false", "clone", "-qb", "v1", published, clone], check=True)
    deploy.deploy(str(clone), name="cast", tag="v1", branch=None, dest_path=tmp_path / "mine")
    snakefile = tmp_path / "mine/workflow/Snakefile"
    # Of a repository on this machine, snakedeploy writes a path that leads to the new file itself.
    snakefile.write_text(snakefile.read_text().replace('"workflow/Snakefile"', f'"{clone}/workflow/Snakefile"'))
    line = [sys.executable, "-m", "snakemake", "--dry-run", "--cores", "2"]
    done = subprocess.run(line, cwd=tmp_path / "mine", capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "results/submission/val.txt" in done.stdout
