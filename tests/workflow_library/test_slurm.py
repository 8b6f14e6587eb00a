"""With stand-ins for SLURM's commands."""

import subprocess
import sys

import pytest

from castsearch.errors import InputError
from castsearch.workflow import leftovers, slurm

NO_ACCOUNTING = "echo 'Slurm accounting storage is disabled' >&2; exit 1"
LONG_MEMORY, SHORT_MEMORY = "echo 'MinJobAge = 300 sec'", "echo 'MinJobAge = 130 sec'"


@pytest.fixture
def commands(tmp_path, monkeypatch):
    """Call it with names and bodies of commands, which then are the only ones of SLURM."""
    folder = tmp_path / "bin"
    folder.mkdir()
    (folder / "which").symlink_to("/usr/bin/which")
    (folder / "cat").symlink_to("/bin/cat")
    monkeypatch.setenv("PATH", str(folder))

    def write(**bodies):
        for name, body in bodies.items():
            (folder / name).write_text(f"#!/bin/sh\n{body}\n")
            (folder / name).chmod(0o755)

    return write


@pytest.mark.parametrize(
    ("asked", "bodies"),
    [
        ("sacct", {"sacct": "exit 0", "scontrol": LONG_MEMORY}),
        ("squeue", {"sacct": NO_ACCOUNTING, "squeue": "exit 0", "scontrol": LONG_MEMORY}),
        (None, {"squeue": "exit 0", "scontrol": LONG_MEMORY}),
    ],
)
def test_a_status_command_that_answers_is_taken(commands, asked, bodies):
    commands(**bodies)
    slurm.check_status_command(asked, 40)


@pytest.mark.parametrize(
    ("asked", "bodies", "said"),
    [
        (
            "sacct",
            {"sacct": NO_ACCOUNTING, "squeue": "exit 0", "scontrol": LONG_MEMORY},
            "asked of sacct, and it fails: Slurm accounting storage is disabled; Snakemake would wait forever; "
            "write `slurm-status-command: squeue` in your profile",
        ),
        (
            "squeue",
            {"sacct": "exit 0", "squeue": "exit 0", "scontrol": SHORT_MEMORY},
            "asked of squeue, and it forgets a job 130 s after its end, .*write `slurm-status-command: sacct`",
        ),
        (
            "squeue",  # in whose place the plugin would ask sacct
            {"sacct": NO_ACCOUNTING, "squeue": "exit 0", "scontrol": "echo 'MinJobAge = 2 sec'"},
            "asked of sacct, and it fails: .*; nor can squeue take its place: it forgets a job 2 s after its end",
        ),
        ("sacct", {"scontrol": "exit 1"}, "asked of squeue, and it is not there; .*; nor can sacct"),
    ],
)
def test_a_status_command_that_cannot_answer_is_refused_with_what_to_write(commands, asked, bodies, said):
    commands(**bodies)
    with pytest.raises(InputError, match=said):
        slurm.check_status_command(asked, 40)


def log_of_a_run(folder, name="a-run"):
    folder.mkdir(exist_ok=True)
    log = folder / "2026.snakemake.log"
    log.write_text(f"SLURM run ID: {name}\nJob 3 has been submitted with SLURM jobid 12 (log: x).\n")
    return log


def test_jobs_that_a_killed_run_has_left_are_named(commands, tmp_path):
    commands(squeue='[ "$4" = a-run ] && echo 12')
    log = log_of_a_run(tmp_path / "log")
    with pytest.raises(InputError, match="by `scancel 12`"):
        slurm.check_no_jobs(log.parent)


def test_a_folder_without_earlier_runs_is_no_question_to_slurm(commands, tmp_path):
    commands(squeue="exit 1")
    slurm.check_no_jobs(tmp_path)


def test_who_waits_for_jobs_that_slurm_does_not_have_is_warned_again_and_again(commands, tmp_path):
    commands(squeue="exit 0")
    looks = slurm.looks(log_of_a_run(tmp_path / "log"), tmp_path, patience=2)
    said = [next(looks) for _ in range(8)]
    assert [place for place, text in enumerate(said) if text] == [2, 6]
    assert "SLURM has had no job of this run, a-run, queued or running for 2 minutes" in said[2]


@pytest.mark.parametrize("answer", ["echo 12", "exit 1"])
def test_who_waits_for_jobs_that_slurm_has_or_may_have_is_left_alone(commands, tmp_path, answer):
    commands(squeue=answer)
    looks = slurm.looks(log_of_a_run(tmp_path / "log"), tmp_path, patience=2)
    assert [next(looks) for _ in range(5)] == [""] * 5


def test_who_has_submitted_nothing_or_says_something_is_left_alone(commands, tmp_path):
    commands(squeue="exit 0")
    log = log_of_a_run(tmp_path / "log")
    looks = slurm.looks(log, tmp_path, patience=2)
    for _ in range(5):
        assert next(looks) == ""
        with log.open("a") as file:
            file.write("Finished jobid: 3\n")
    log.write_text("SLURM run ID: a-run\n")
    assert [next(looks) for _ in range(5)] == [""] * 5


def test_scripts_that_a_killed_snakemake_has_left_are_named(tmp_path):
    script = tmp_path / ".snakemake/scripts/tmp1lp30yk8.detect.py"
    script.parent.mkdir(parents=True)
    script.write_text("import time\ntime.sleep(600)\n")
    process = subprocess.Popen([sys.executable, str(script)])
    try:
        assert leftovers.running_scripts(tmp_path) == [("detect.py", process.pid)]
        with pytest.raises(InputError, match=rf"detect.py \(process {process.pid}\); .* `kill {process.pid}`"):
            leftovers.check_folder(tmp_path)
    finally:
        process.kill()
        process.wait()
    leftovers.check_folder(tmp_path)
