"""A GPU of its own for every job of a machine with several: a scheduler counts GPUs but does not say which is free."""

import errno
import fcntl
import logging
import os
import re
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from itertools import takewhile
from pathlib import Path
from typing import TextIO

from castsearch.errors import InputError

logger = logging.getLogger(__name__)

_VISIBLE = "CUDA_VISIBLE_DEVICES"
_SECONDS_BETWEEN_TRIES = 0.2
DEVICES = Path("/dev")
SECONDS_FOR_DRIVER = 60  # a driver that is well answers within one or two
_HAS_NO_LOCKS = {errno.ENOLCK, errno.ENOSYS, errno.ENOTSUP, errno.EOPNOTSUPP, errno.EINVAL}


def visible_gpus() -> list[str]:
    """Return the GPUs that this process may use, by index or UUID: those that CUDA was told of, else all.

    Like CUDA, it takes no name that comes after one that is none.

    Raises:
        InputError: the driver does not answer.
    """
    if _VISIBLE in os.environ:
        names = os.environ[_VISIBLE].replace(" ", "").split(",")
        return list(dict.fromkeys(takewhile(re.compile(r"\d+|(GPU|MIG)-.+").fullmatch, names)))
    program = shutil.which("nvidia-smi")
    if program is None:  # as in some containers
        number = len(list(DEVICES.glob("nvidia[0-9]*")))
    else:
        command = [program, "--list-gpus"]
        try:
            found = subprocess.run(command, capture_output=True, text=True, check=False, timeout=SECONDS_FOR_DRIVER)
        except subprocess.TimeoutExpired:
            raise InputError(
                f"{program} does not answer within {SECONDS_FOR_DRIVER} seconds, so the GPU's driver hangs; "
                f"restart the machine, or set {_VISIBLE} to nothing to compute without a GPU"
            ) from None
        number = sum(line.startswith("GPU ") for line in found.stdout.splitlines()) if found.returncode == 0 else 0
        if found.returncode != 0:
            logger.warning("no GPU is used: %s fails: %s", program, " ".join((found.stdout + found.stderr).split()))
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

    Raises:
        InputError: the GPUs cannot be told or claimed on this machine.
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
            waits = not _take(turn)
            if waits:
                logger.info("waits for another job, which waits for a GPU")
                fcntl.flock(turn, fcntl.LOCK_EX)
            while len(names) < number:
                free = next((name for name in visible if name not in names and _lock(name, held)), None)
                if free is not None:
                    names.append(free)
                    continue
                if not waits:
                    logger.info("waits for %d of the GPUs %s: other jobs have them", number, ", ".join(visible))
                    waits = True
                time.sleep(_SECONDS_BETWEEN_TRIES)
        logger.info("on GPU %s of %s", ", ".join(names), ", ".join(visible))
        with _seeing(",".join(names)):
            yield names


def check_number(wanted: int, gpus: Sequence[str], usable: int) -> None:
    """Check that a training has as many GPUs as the configuration says; another number rounds differently.

    One that is to have a single GPU may be without any, on the CPU.

    Args:
        wanted: the configuration's `reid.gpus`.
        gpus: names of the claimed GPUs.
        usable: how many of them torch can use.

    Raises:
        InputError: a training that is to have several has fewer.
    """
    if wanted == 1 or usable >= wanted:
        return
    if len(gpus) >= wanted:
        raise InputError(
            f"reid.gpus is {wanted}, and this job has the GPUs {', '.join(gpus)}, of which torch can use {usable}: "
            "`nvidia-smi` may say why; or set reid.gpus: 1"
        )
    number = max(1, len(gpus))
    raise InputError(
        f"reid.gpus is {wanted}, but this job has {len(gpus)} of them; allow them by --resources gpu={wanted}, or set "
        f"reid.gpus: {number}"
    )


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
        raise InputError(f"{folder} belongs to another user, who could hold all GPUs; set TMPDIR to a folder of yours")
    return folder


def _lock(name: str, held: ExitStack) -> bool:
    """Take the lock of a GPU, to be given back with `held`; whether it was free."""
    file = (_folder() / name.replace("/", "-")).open("w")
    if not _take(file):
        file.close()
        return False
    held.enter_context(file)
    return True


def _take(file: TextIO) -> bool:
    """Lock a file, if nobody has; whether it was free."""
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError as error:
        if error.errno not in _HAS_NO_LOCKS:
            raise
        raise InputError(
            f"{Path(file.name).parent}: its file system has no locks, by which jobs share GPUs; "
            "set TMPDIR to a folder on a local disk"
        ) from None
    return True
