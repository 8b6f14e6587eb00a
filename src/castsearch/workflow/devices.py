"""A GPU of its own for every job of a machine with several: a scheduler counts GPUs but does not say which is free."""

import fcntl
import logging
import os
import re
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from itertools import takewhile
from pathlib import Path

logger = logging.getLogger(__name__)

_VISIBLE = "CUDA_VISIBLE_DEVICES"
_SECONDS_BETWEEN_TRIES = 0.2
_DEVICES = Path("/dev")


def visible_gpus() -> list[str]:
    """Return the GPUs that this process may use, by index or UUID: those that CUDA was told of, else all.

    Like CUDA, it takes no name that comes after one that is none.
    """
    if _VISIBLE in os.environ:
        names = os.environ[_VISIBLE].replace(" ", "").split(",")
        return list(takewhile(re.compile(r"\d+|(GPU|MIG)-.+").fullmatch, names))
    program = shutil.which("nvidia-smi")
    if program is None:  # as in some containers
        number = len(list(_DEVICES.glob("nvidia[0-9]*")))
    else:
        found = subprocess.run([program, "--list-gpus"], capture_output=True, text=True, check=False)
        number = sum(line.startswith("GPU ") for line in found.stdout.splitlines()) if found.returncode == 0 else 0
    return [str(index) for index in range(number)]


@contextmanager
def claimed_gpus(number: int) -> Iterator[list[str]]:
    """Claim `number` GPUs that no other job of this user has, and let CUDA see those alone.

    It must be entered before CUDA is first used. A claim ends with its process, however that ends. Where there are not
    enough free GPUs it waits; where there are fewer than `number` at all, it takes what there is, and on a machine
    without GPUs nothing.

    Args:
        number: how many; with 0, CUDA sees none, so that what a job does never depends on a GPU that it did not claim.

    Yields:
        The names of the claimed GPUs.
    """
    if number == 0:
        with _seeing(""):
            yield []
        return
    visible = visible_gpus()
    number = min(number, len(visible))
    if number == 0:
        yield []
        return
    with ExitStack() as held:
        names: list[str] = []
        # One job collects its GPUs at a time, or two could wait for each other's.
        with (_folder() / "collecting").open("w") as turn:
            fcntl.flock(turn, fcntl.LOCK_EX)
            while len(names) < number:
                free = next((name for name in visible if name not in names and _lock(name, held)), None)
                if free is None:
                    time.sleep(_SECONDS_BETWEEN_TRIES)
                else:
                    names.append(free)
        logger.info("on GPU %s of %s", ", ".join(names), ", ".join(visible))
        with _seeing(",".join(names)):
            yield names


@contextmanager
def _seeing(names: str) -> Iterator[None]:
    """Let CUDA see the GPUs of these names, and afterwards those that it saw before."""
    before = os.environ.get(_VISIBLE)
    os.environ[_VISIBLE] = names
    try:
        yield
    finally:
        del os.environ[_VISIBLE]
        if before is not None:
            os.environ[_VISIBLE] = before


def _folder() -> Path:
    """Where the locks are: a folder of this user alone, and of one cluster job, which may number its GPUs from 0."""
    job = os.environ.get("SLURM_JOB_ID", "here")
    folder = Path(tempfile.gettempdir(), f"castsearch-gpus-{os.getuid()}-{job}")
    folder.mkdir(mode=0o700, exist_ok=True)
    if folder.stat().st_uid != os.getuid():
        raise PermissionError(f"{folder} belongs to another user, who could hold all GPUs")
    return folder


def _lock(name: str, held: ExitStack) -> bool:
    """Take the lock of a GPU, to be given back with `held`; whether it was free."""
    file = (_folder() / name.replace("/", "-")).open("w")
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        file.close()
        return False
    held.enter_context(file)
    return True
