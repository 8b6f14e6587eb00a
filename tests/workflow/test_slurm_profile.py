"""What profiles/slurm would submit, by Snakemake's own plan; make test-slurm submits it."""

import json
import re
import shutil
from collections import Counter

import pytest
import yaml
from runs import ROOT, TINY, run

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


@pytest.mark.parametrize("left", ["slurm_account", "slurm_partition"])
def test_a_profile_that_is_not_filled_in_is_refused(tmp_path, profile, left):
    text = (profile / "config.yaml").read_text()
    (profile / "config.yaml").write_text(text.replace(f"{left}: ours", f"{left}: SET_ME", 1))
    done = run(tmp_path / "run", TINY, "--dry-run", "--workflow-profile", str(profile))
    assert done.returncode != 0
    assert f"{left} is SET_ME: put your cluster's into profiles/slurm/config.yaml" in done.stdout
