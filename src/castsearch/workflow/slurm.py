"""What SLURM itself says of a run's jobs, beside what Snakemake's executor plugin makes of it.

The plugin waits forever for a job if it cannot find out that the job is over.
"""

import re
import shlex
import subprocess
from collections.abc import Iterable, Iterator
from pathlib import Path
from shutil import which

from castsearch.errors import InputError
from castsearch.workflow.leftovers import running_scripts

SECONDS_TO_ANSWER = 60  # the plugin waits no longer
_LONGEST_PAUSE = 180  # seconds from one question of the plugin to its next
_NO_RUN = "castsearch-asks-whether-you-answer"  # a name that no job has


def check_status_command(asked: str | None, first_pause: int) -> None:
    """Check that the command by which the plugin learns of the ends of jobs can answer for this cluster.

    Args:
        asked: the profile's `slurm-status-command`, "sacct" or "squeue"; None where nothing says which.
        first_pause: the profile's `slurm-init-seconds-before-status-checks`.

    Raises:
        InputError: it cannot; says what to write instead, or to whom to turn.
    """
    used = _used_by_plugin(asked, first_pause)
    reason = _why_not(used)
    if not reason:
        return
    problem = f"the state of SLURM's jobs is asked of {used}, and {reason}; Snakemake would wait forever"
    other = {"sacct": "squeue", "squeue": "sacct"}[used]
    other_reason = _why_not(other)
    if other_reason:
        raise InputError(f"{problem}; nor can {other} take its place: {other_reason}; ask the cluster's administrators")
    raise InputError(f"{problem}; write `slurm-status-command: {other}` in your profile")


def check_no_jobs(logs: str | Path) -> None:
    """Check that SLURM has no job left of an earlier run, which was killed.

    Args:
        logs: the folder of Snakemake's own logs, of which the newest are read.

    Raises:
        InputError: names the jobs.
    """
    newest = sorted(Path(logs).glob("*.log"), key=lambda path: path.stat().st_mtime)[-20:]
    if jobs := open_jobs(name for path in newest if (name := run_name(path))):
        numbers = " ".join(jobs)
        raise InputError(
            f"SLURM still has jobs of an earlier run in this folder, which would write the same files: {numbers}; "
            f"wait until they have ended, or end them by `scancel {numbers}`"
        )


def looks(log: str | Path, folder: str | Path, patience: int = 6) -> Iterator[str]:
    """Look, once a minute if asked so often, whether Snakemake waits for jobs that SLURM does not have.

    So it seems where it has logged nothing since the look before, runs no script itself, and none of its jobs is queued
    or running.

    Args:
        log: Snakemake's own log of this run.
        folder: the folder that it works in.
        patience: looks until the first warning, of more time than the plugin may take to ask; each further one comes
            after twice as many.

    Yields:
        After each look a warning, or nothing.
    """
    log = Path(log)
    wait, idle, size = patience, 0, -1
    while True:
        if log.stat().st_size != size or running_scripts(folder) or _has_jobs(log):
            wait, idle, size = patience, 0, log.stat().st_size
            yield ""
            continue
        idle += 1
        if idle < wait:
            yield ""
            continue
        yield (
            f"SLURM has had no job of this run, {run_name(log)}, queued or running for {wait} minutes, yet Snakemake "
            "waits: it has not learned that its jobs are over. Press Ctrl-C and start it again; what is finished "
            "stays. docs/cluster.md says more."
        )
        wait, idle, size = 2 * wait, 0, log.stat().st_size


def run_name(log: Path) -> str | None:
    """Return the name that all jobs of a run have, from Snakemake's log; None where the run is on no cluster."""
    found = re.search(r"SLURM run ID: (\S+)", log.read_text(errors="replace"))
    return found[1] if found else None


def open_jobs(runs: Iterable[str]) -> list[str]:
    """Return the numbers of the jobs of some runs that are queued or running.

    Raises:
        InputError: SLURM does not answer.
    """
    names = ",".join(runs)
    if not names:
        return []
    answer, reason = _ask(["squeue", "--noheader", "--format=%i", "--name", names])
    if reason:
        raise InputError(f"which jobs are left is asked of squeue, and {reason}; ask the cluster's administrators")
    return answer.split()


def _has_jobs(log: Path) -> bool:
    """Whether there is, or may be, a job of the run."""
    name = run_name(log)
    if name is None or "has been submitted with SLURM jobid" not in log.read_text(errors="replace"):
        return True  # nothing is awaited yet
    try:
        return bool(open_jobs([name]))
    except InputError:
        return True


def _used_by_plugin(asked: str | None, first_pause: int) -> str:
    """The command that the plugin takes, which is not always the one that it is told."""
    from snakemake_executor_plugin_slurm.job_status_query import get_min_job_age  # noqa: PLC0415

    age = get_min_job_age()
    if asked == "squeue" and (age is None or age < 3 * first_pause) and which("sacct"):
        return "sacct"
    if asked == "sacct" and not which("sacct"):
        return "squeue"
    return asked or "squeue"


def _why_not(command: str) -> str:
    """Why a status command cannot answer; empty where it can."""
    from snakemake_executor_plugin_slurm import job_status_query as plugin  # noqa: PLC0415

    query = {"sacct": plugin.query_job_status_sacct, "squeue": plugin.query_job_status_squeue}[command]
    _, reason = _ask(shlex.split(query(_NO_RUN)))
    if reason or command == "sacct":
        return reason
    age = plugin.get_min_job_age()
    if age is not None and age <= _LONGEST_PAUSE:
        return f"it forgets a job {age} s after its end, by MinJobAge in slurm.conf, where {_LONGEST_PAUSE} are too few"
    return ""


def _ask(command: list[str]) -> tuple[str, str]:
    """What a command of SLURM prints, and why it does not; one of them is empty, or both."""
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=SECONDS_TO_ANSWER)
    except FileNotFoundError:
        return "", "it is not there"
    except subprocess.TimeoutExpired:
        return "", f"it does not answer within {SECONDS_TO_ANSWER} seconds"
    if done.returncode != 0:
        return "", f"it fails: {' '.join((done.stderr or done.stdout).split())}"
    return done.stdout, ""
