"""What profiles/slurm would submit, by Snakemake's own plan; make test-slurm submits it."""

import json
import os
import re
import shutil
import subprocess
from collections import Counter

import pytest
import yaml
from runs import ROOT, TINY, command, planned, run, with_changes

MOVIES = {"train": 115, "val": 19, "test": 58}  # the challenge's


@pytest.fixture
def profile(tmp_path):
    """The profile with all that a user must set."""
    folder = shutil.copytree(ROOT / "profiles/slurm", tmp_path / "profile")
    text = (folder / "config.yaml").read_text()
    (folder / "config.yaml").write_text(text.replace("SET_ME", "ours"))
    return folder


def write_challenge(folder):
    """Annotations of as many movies as the challenge has, and empty files in place of what no dry run opens."""
    (folder / "data").mkdir(parents=True)
    for number, (split, movies) in enumerate(MOVIES.items()):
        (folder / "data" / split).mkdir()
        entries = {f"tt{number}{movie:06}": {"cast": [], "candidates": []} for movie in range(movies)}
        (folder / f"data/{split}.json").write_text(json.dumps(entries))
    config = yaml.safe_load((ROOT / "configs/challenge.yaml").read_text())
    mxnet = folder / yaml.safe_load((ROOT / "config.yaml").read_text())["faces"]["mxnet"]["python"]
    mxnet.parent.mkdir(parents=True)
    mxnet.touch(mode=0o755)
    models = [f"models/{name}" for name in ("R50-symbol.json", "R50-0000.params")]
    models += [f"models/{name}" for name in ("model-symbol.json", "model-0000.params")]
    for name in ["data/val_label.json", *models, *(network["imagenet"] for network in config["reid"]["networks"])]:
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).touch()
    return config


def submissions(plan):
    """The number of SLURM jobs per group, or per rule that has none."""
    found = Counter(re.findall(r"(?:^|\] )(?:Group job|rule) ([\w{}]+?):?(?= \(|$)", plan, re.MULTILINE))
    del found["all"]
    return found


def test_the_full_challenge_is_as_many_jobs_as_the_profile_says(tmp_path, profile):
    config = write_challenge(tmp_path / "run")
    done = run(tmp_path / "run", config, "--dry-run", "--workflow-profile", str(profile))
    assert done.returncode == 0, done.stdout
    jobs = submissions(done.stdout)
    bodies = [number for name, number in jobs.items() if name.startswith("bodies_")]
    assert bodies == [3] * len(config["reid"]["networks"])
    assert jobs.total() <= 150
    assert f"is {jobs.total()} jobs" in (profile / "config.yaml").read_text()


def refusal(folder, profile, config=TINY, *arguments):
    """What is said of a run that is refused, which is no traceback."""
    done = run(folder, config, "--dry-run", "--workflow-profile", str(profile), *arguments)
    assert done.returncode != 0
    assert "Traceback" not in done.stdout
    return done.stdout


CLAIMS = (
    "default-resources: slurm_account",
    "default-resources: slurm_partition",
    "set-resources: detect: slurm_partition",
)
LEFT = "is SET_ME: in your profile, put your cluster's there"


@pytest.mark.parametrize(
    ("place", "value", "reason"),
    [
        (0, "SET_ME", LEFT),
        (1, "SET_ME", LEFT),
        (2, "SET_ME", LEFT),
        (0, "12345", "is 12345, which Python takes for no name: in your profile, write \"'12345'\""),
        (2, "all", "is all, which Python takes for no name: in your profile, write \"'all'\""),
    ],
)
def test_a_claim_that_is_no_name_is_refused(tmp_path, profile, place, value, reason):
    parts = (profile / "config.yaml").read_text().split(": ours\n")
    assert len(parts) == len(CLAIMS) + 1
    parts[place] += f": {value}\n" + parts.pop(place + 1)
    (profile / "config.yaml").write_text(": ours\n".join(parts))
    assert f"{CLAIMS[place]} {reason}" in refusal(tmp_path / "run", profile)


def test_names_in_quotes_lists_and_no_names_are_taken(tmp_path, profile):
    text = (profile / "config.yaml").read_text()
    for value in ("\"'12345'\"", "null", "short,long"):
        text = text.replace(": ours\n", f": {value}\n", 1)
    (profile / "config.yaml").write_text(text)
    done = run(tmp_path / "run", TINY, "--dry-run", "--workflow-profile", str(profile))
    assert done.returncode == 0, done.stdout
    claims = set(re.findall(r"(slurm_\w+=.+?)(?:, (?=\w+=)|\n)", done.stdout))
    assert claims == {"slurm_account=12345", "slurm_partition=short,long"}


def test_a_training_on_more_gpus_than_a_job_may_have_is_refused(tmp_path, profile):
    config = with_changes({"reid.gpus": 2})
    said = refusal(tmp_path / "run", profile, config)
    assert "reid.gpus is 2, but your profile's resources allow a job 1: write gpu: 2 there, and cores: 16" in said
    text = (profile / "config.yaml").read_text()
    text = text.replace("gpu: 1,", "gpu: 2,").replace("cores: 8", "cores: 16")
    (profile / "config.yaml").write_text(text)
    line = command(tmp_path / "run", config, "--dry-run", "--workflow-profile", str(profile))
    del line[line.index("--cores") : line.index("--cores") + 2]  # of the tests, in the place of the profile's
    done = subprocess.run(line, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    [claim] = set(re.findall(r"threads: 16\n +resources: (.+)", done.stdout))
    assert "gpu=2" in claim


def submitted(folder, config, profile, *arguments):
    """Run on a cluster that refuses every job, and return what it was asked for: a command line of sbatch each."""
    asked = folder.parent / "asked"
    stand_ins = {"sbatch": f'echo "$@" >> {asked}; exit 1', "sacct": "exit 0", "squeue": "exit 0"}
    done = with_stand_ins(folder, config, profile, *arguments, **stand_ins)
    assert done.returncode != 0
    assert "Traceback" not in done.stdout  # of the thread that watches, say
    return asked.read_text().splitlines()


def with_stand_ins(folder, config, profile, *arguments, **commands):
    """Run with these bodies in the place of SLURM's commands; the finished process has all output in `stdout`.

    The plugin takes sacct for its status command only where sinfo is there, too.
    """
    programs = folder.parent / "bin"
    programs.mkdir()
    for name, body in {"sacctmgr": "echo ours", "sinfo": "exit 0", **commands}.items():
        (programs / name).write_text(f"#!/bin/sh\n{body}\n")
        (programs / name).chmod(0o755)
    line = command(folder, config, "--workflow-profile", str(profile), "--retries", "0", *arguments)
    line += ["--slurm-init-seconds-before-status-checks", "1"]
    del line[line.index("--cores") : line.index("--cores") + 2]  # of the tests, in the place of the profile's
    environment = os.environ | {"PATH": f"{programs}:{os.environ['PATH']}"}
    output = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT}
    return subprocess.run(line, **output, text=True, check=False, env=environment)


def test_a_status_command_that_cannot_answer_is_refused_before_anything_is_submitted(tmp_path, profile):
    sbatch = f"touch {tmp_path}/asked; exit 1"
    sacct = "echo Slurm accounting storage is disabled; exit 1"
    done = with_stand_ins(tmp_path / "run", TINY, profile, sbatch=sbatch, sacct=sacct, squeue="exit 0")
    assert done.returncode != 0
    assert "write `slurm-status-command: squeue` in your profile" in done.stdout
    assert "Traceback" not in done.stdout
    assert not (tmp_path / "asked").exists()


def test_a_job_that_fails_leaves_no_result_of_another_configuration(tmp_path, profile, finished):
    folder = shutil.copytree(finished, tmp_path / "run")
    config = with_changes({"fusion.thresholds": [0.6, 0.5]})
    before = planned(folder, config)
    assert len(submitted(folder, config, profile, "--until", "fuse")) == 1
    assert planned(folder, config) == before


def test_where_trainings_have_several_gpus_all_others_have_one_and_all_have_them_in_one_node(
    tmp_path, profile, finished
):
    text = (profile / "config.yaml").read_text()
    (profile / "config.yaml").write_text(text.replace("gpu: 1,", "gpu: 2,").replace("cores: 8", "cores: 16"))
    folder = shutil.copytree(finished, tmp_path / "run")
    config = with_changes({"reid.gpus": 2, "reid.recipe.learning_rate": 0.001, "faces.selection.area_fraction": 0.05})
    asked = submitted(folder, config, profile, "--until", "train_reid", "embed_faces")
    gpus = {
        re.search(r"--comment rule_(\w+?)(_wildcards|\b)", line)[1]: re.search(r"--gpus=(\d)", line)[1]
        for line in asked
    }
    assert gpus == {"faces_embed_faces": "1", "train_reid": "2"}
    assert all("--nodes=1" in line for line in asked)


def test_what_the_profile_offers_besides_is_what_its_comments_say(tmp_path, profile):
    text = (profile / "config.yaml").read_text()
    names = ("qos: normal", "constraint: avx2", "gpu_model: h200", "gres: gpu:h200:1", "runtime: 1440")
    for name in names:
        assert f"# {name}\n" in text
        text = text.replace(f"# {name}\n", f"{name}\n")
    (profile / "config.yaml").write_text(text)
    done = run(tmp_path / "run", TINY, "--dry-run", "--workflow-profile", str(profile))
    assert done.returncode == 0, done.stdout
    claims = dict(re.findall(r"^ *rule (\w+):\n(?:.+\n)*? *resources: (.+)", done.stdout, re.MULTILINE))
    common, cuda = ["qos=normal", "constraint=avx2"], ["gpu_model=h200", "gres=gpu:h200:1"]
    del claims["all"]
    for said in claims.values():
        assert [part for part in common + cuda if part in said] == common + ("gpu=1" in said) * cuda
    assert "runtime=1440" in claims["train_reid"]


def test_without_mxnets_python_its_verification_is_refused(tmp_path, profile):
    config = write_challenge(tmp_path / "run")
    (tmp_path / "run/.venv-mxnet/bin/python").unlink()
    assert "faces.mxnet.python: .venv-mxnet/bin/python is not there: `make mxnet`" in refusal(
        tmp_path / "run", profile, config
    )
    config["faces"]["mxnet"]["verify"] = False
    done = run(tmp_path / "run", config, "--dry-run", "--quiet")
    assert done.returncode == 0, done.stdout
