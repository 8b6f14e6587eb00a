"""What the profiles of other clusters than SLURM submit, by stand-ins for the clusters' commands."""

import os
import subprocess
import sys

import pytest
import yaml
from runs import ROOT

SNAKEFILE = """
rule embed_faces:
    output: "embed_faces.txt"
    threads: 2
    resources: gpu=1, mem_mb=3000, runtime=30
    shell: "touch {output}"
"""
OURS = {"qsub": "'-q {}'", "flux": "'--queue={}'", "lsf_project": "lab", "lsf_queue": "{}"}
SUBMITTED = {
    "gridengine": "-pe smp 2 -l h_rt=1800,mem_free=3000M -q gpu",
    "pbs": "-l select=1:ncpus=2:mem=3000mb:ngpus=1 -l walltime=1800 -q gpu",
    "flux": "--cores-per-slot=2 --gpus-per-slot=1 --time-limit=30m --output=/dev/null --queue=gpu",
    "lsf": "-P lab -q gpu -W 30 -n 2 -R rusage[mem=1500.0] -R span[hosts=1] -gpu num=1",
}


def filled_in(settings):
    """The settings of a profile with all that a user must set."""

    def claims(given, queue):
        return {name: OURS[name].format(queue) if value == "SET_ME" else value for name, value in given.items()}

    own = {rule: claims(given, "gpu") for rule, given in settings["set-resources"].items()}
    return settings | {"default-resources": claims(settings["default-resources"], "cpu"), "set-resources": own}


@pytest.mark.parametrize("name", SUBMITTED)
def test_a_profile_asks_for_what_the_rules_claim(tmp_path, name):
    settings = filled_in(yaml.safe_load((ROOT / f"profiles/{name}/config.yaml").read_text()))
    settings |= {"groups": {"embed_faces": "faces"}, "retries": 0}
    settings["set-resources"] = {"embed_faces": settings["set-resources"]["embed_faces"]}
    (tmp_path / "profile").mkdir()
    (tmp_path / "profile/config.yaml").write_text(yaml.safe_dump(settings))
    (tmp_path / "Snakefile").write_text(SNAKEFILE)
    asked = tmp_path / "asked"
    for command in ("qsub", "flux", "bsub"):
        stand_in(tmp_path / "bin" / command, f'echo "$@" >> {asked}; exit 1')
    stand_in(tmp_path / "bin/badmin", f"echo settings; echo LSB_SHAREDIR = {tmp_path}; echo LSF_CONFDIR = {tmp_path}")
    stand_in(tmp_path / "bin/lsclusters", "echo CLUSTER; echo ours")
    (tmp_path / "lsbatch/ours/configdir").mkdir(parents=True)
    (tmp_path / "lsbatch/ours/configdir/lsb.params").touch()
    line = [sys.executable, "-m", "snakemake", "--workflow-profile", str(tmp_path / "profile")]
    line += ["--seconds-between-status-checks", "1"]
    environment = os.environ | {"PATH": f"{tmp_path / 'bin'}:{os.environ['PATH']}"}
    done = subprocess.run(line, cwd=tmp_path, capture_output=True, text=True, check=False, env=environment)
    assert done.returncode != 0
    assert asked.exists(), done.stderr
    assert SUBMITTED[name] in asked.read_text()


def stand_in(path, body):
    """A command that records what it is asked for."""
    path.parent.mkdir(exist_ok=True)
    path.write_text(f"#!/bin/sh\n{body}\n")
    path.chmod(0o755)


@pytest.mark.parametrize("name", SUBMITTED)
def test_all_profiles_make_jobs_of_the_same_rules(name):
    slurm, other = (yaml.safe_load((ROOT / f"profiles/{each}/config.yaml").read_text()) for each in ("slurm", name))
    same = ("groups", "group-components", "cores", "jobs", "retries", "keep-going", "rerun-incomplete", "latency-wait")
    assert {key: other[key] for key in same} == {key: slurm[key] for key in same}
    assert set(other["set-resources"]) == set(slurm["set-resources"])
