"""The demo's workflow on a real SLURM, disturbed in the middle of its run, by SLURM's own records."""

import re
import subprocess
import sys
import time
from types import SimpleNamespace

import pytest
from cluster import ask, jobs
from runs import ROOT, TINY, planned, result_files, run

GPU_RULES = {"detect", "embed_faces", "train_reid", "embed_bodies"}
# Of a job's two crops, more than this is needed at the first attempt by Python alone, however short a crop lasts.
STARVED = 'crop: {mem_mb: "10 * 32 ** (attempt - 1)"}'


def write_profile(folder):
    """profiles/slurm as a user of this cluster fills it in, but that cropping claims too little memory at first."""
    text = (ROOT / "profiles/slurm/config.yaml").read_text()
    for name, value in (("slurm_account", "null"), ("slurm_partition", "short"), ("slurm_partition", "cuda")):
        text = text.replace(f"{name}: SET_ME", f"{name}: {value}", 1)
    (folder / "config.yaml").write_text(text.replace("set-resources:\n", f"set-resources:\n  {STARVED}\n"))
    return folder


def submit(folder, profile, output):
    """Start the workflow in `folder` on the cluster."""
    options = ["--snakefile", str(ROOT / "Snakefile"), "--directory", str(folder)]
    options += ["--configfile", str(folder / "config.yaml"), "--workflow-profile", str(profile)]
    # As many threads as on one machine, since another number may round otherwise.
    options += ["--set-threads", "train_reid=2"]
    options += ["--slurm-status-command", "squeue", "--slurm-init-seconds-before-status-checks", "1"]
    return subprocess.Popen([sys.executable, "-m", "snakemake", *options], stdout=output, stderr=subprocess.STDOUT)


def wait_until(condition, process, said, seconds=900):
    """Wait for what is to happen before the run `process`, which writes to the file `said`, ends."""
    deadline = time.monotonic() + seconds
    while not (result := condition()):
        assert process.poll() is None, f"the run ended before what the test waits for\n{said.read_text()}"
        assert time.monotonic() < deadline, f"did not happen within {seconds} s\n{said.read_text()}"
        time.sleep(0.3)
    return result


@pytest.fixture(scope="module")
def disturbed(tmp_path_factory):
    """A finished run on the cluster: one of its jobs was cancelled, and later the GPU node failed for a while."""
    folder, profile = tmp_path_factory.mktemp("disturbed"), write_profile(tmp_path_factory.mktemp("profile"))
    rules = set(planned(folder, TINY))
    logs, said = folder / "results/logs", folder / "said"

    def at_work(rule):
        """The job on the GPU node that runs `rule`, as soon as a log says that its script does."""
        found = [job for job in jobs() if is_running(job) and on(job, "gpu01") and rule in rules_of(job, rules)]
        return found[0] if found and any(logs.glob(f"{rule}/**/*.log")) else None

    with said.open("w") as output:
        process = submit(folder, profile, output)
        try:
            cancelled = wait_until(lambda: at_work("train_reid"), process, said)
            ask("scancel", cancelled["JobId"])
            lost = wait_until(lambda: at_work("embed_bodies"), process, said)
            ask("scontrol", "update", "nodename=gpu01", "state=down", "reason=test")
            wait_until(lambda: not any(is_running(job) and on(job, "gpu01") for job in jobs()), process, said)
            ask("scontrol", "update", "nodename=gpu01", "state=resume")
            process.wait(900)
        finally:
            process.kill()
            process.wait()
        assert process.returncode == 0, said.read_text()
    return SimpleNamespace(
        folder=folder, profile=profile, rules=rules, jobs=jobs(), cancelled=cancelled["JobId"], lost=lost["JobId"]
    )


def is_running(job):
    return job["JobState"] == "RUNNING"


def on(job, node):
    return job["NodeList"] == node


def rules_of(job, rules):
    """The rules of a SLURM job, from the comment that the executor plugin gives it: rule_GROUP_RULE_RULE."""
    comment = job["Comment"].partition("_wildcards_")[0]
    found = set()
    for rule in sorted(rules, key=len, reverse=True):  # crop_training before crop
        comment, number = re.subn(rf"_{rule}(?=_|$)", "", comment)
        found |= {rule} if number else set()
    return found


def test_rules_of_networks_run_on_the_gpu_node_and_all_others_on_the_cpu_node(disturbed):
    seen = set()
    for job in disturbed.jobs:
        rules = rules_of(job, disturbed.rules)
        gpu = bool(rules & GPU_RULES)
        assert rules <= GPU_RULES if gpu else not rules & GPU_RULES
        assert (job["Partition"], job["NodeList"]) == (("cuda", "gpu01") if gpu else ("short", "cpu01")), job
        assert job.get("TresPerJob") == ("gres:gpu:1" if gpu else None), job
        seen |= rules
    assert seen == disturbed.rules


def test_a_job_of_several_movies_claims_their_time_together_and_the_memory_of_those_at_once(disturbed):
    [faces] = [job for job in disturbed.jobs if "detect" in rules_of(job, disturbed.rules)]
    movies = sum(TINY["data"]["demo"]["movies"][split] for split in ("val", "test"))
    assert faces["MinMemoryNode"] == "1200M"
    assert faces["TimeLimit"] == f"0{movies * (120 + 30) // 60}:00:00"


def test_a_job_killed_for_memory_succeeds_when_it_is_tried_again_with_more(disturbed):
    tries = [job for job in disturbed.jobs if "crop" in rules_of(job, disturbed.rules)]
    assert [(job["JobState"], job["MinMemoryNode"]) for job in tries] == [("FAILED", "20M"), ("COMPLETED", "640M")]
    assert [job["TimeLimit"] for job in tries] == ["00:20:00", "00:40:00"]


def test_a_cancelled_job_is_submitted_again(disturbed):
    [cancelled] = [job for job in disturbed.jobs if job["JobId"] == disturbed.cancelled]
    assert cancelled["JobState"] == "CANCELLED"
    tries = [job for job in disturbed.jobs if job["Comment"] == cancelled["Comment"]]
    assert [job["JobState"] for job in tries] == ["CANCELLED", "COMPLETED"]
    # The claims of the rule itself, which double.
    assert [job["MinMemoryNode"] for job in tries] == ["1592M", "3184M"]
    assert [job["TimeLimit"] for job in tries] == ["1-00:00:00", "2-00:00:00"]


def test_a_job_whose_node_fails_is_started_again(disturbed):
    [lost] = [job for job in disturbed.jobs if job["JobId"] == disturbed.lost]
    assert (lost["JobState"], lost["Restarts"]) == ("COMPLETED", "1")


def test_the_disturbed_run_leaves_the_bytes_of_a_run_on_one_machine(disturbed, tmp_path):
    done = run(tmp_path, TINY)
    assert done.returncode == 0, done.stdout
    expected, found = (
        {path: data for path, data in result_files(folder).items() if "checkpoints" not in path}
        for folder in (tmp_path, disturbed.folder)
    )
    assert set(found) == set(expected)
    assert [path for path in expected if found[path] != expected[path]] == []


def test_a_second_run_submits_nothing(disturbed, tmp_path):
    with (tmp_path / "said").open("w") as output, submit(disturbed.folder, disturbed.profile, output) as process:
        try:
            assert process.wait(300) == 0, (tmp_path / "said").read_text()
        finally:
            process.kill()
    assert "Nothing to be done" in (tmp_path / "said").read_text()
    assert len(jobs()) == len(disturbed.jobs)
