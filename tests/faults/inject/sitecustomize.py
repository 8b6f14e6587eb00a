"""Lets the scripts of rules fail, when this folder is on the PYTHONPATH: Python imports this file itself.

`FAULTS` names a folder in which each file is a fault that is to happen once: its name begins with the kind of the
fault, and it holds a pattern of paths. What a script opens and renames is seen by an audit hook, so that nothing of the
product is changed for it.
"""

import errno
import os
import signal
import sys
from fnmatch import fnmatch
from pathlib import Path

_FOLDER = Path(os.environ["FAULTS"])
_EVENTS = {"open": ("full", "memory"), "os.rename": ("killed",)}
_looking: list[str] = []  # what looks for faults opens files, too


def _fail(event: str, arguments: tuple) -> None:
    if event not in _EVENTS or _looking or ".snakemake/scripts/" not in getattr(sys, "argv", [""])[0]:
        return
    path = str(arguments[0] if event == "open" else arguments[1])
    if event == "open" and not Path(path).name.startswith("."):
        return  # all that is written has a temporary name first
    _looking.append(path)
    try:
        faults = [each for each in sorted(_FOLDER.iterdir()) if each.name.split("-")[0] in _EVENTS[event]]
        kind = next((_claim(each) for each in faults if fnmatch(path, each.read_text())), None)
    finally:
        _looking.clear()
    if kind is None:
        return
    _looking.append(kind)  # one fault is enough
    if kind == "full":
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), path)
    if kind == "memory":
        raise MemoryError("Unable to allocate 1 TiB")
    os.kill(os.getpid(), signal.SIGKILL)


def _claim(fault: Path) -> str | None:
    """The kind of a fault, which is over with that; None where another process has it."""
    try:
        fault.unlink()
    except FileNotFoundError:
        return None
    return fault.name.split("-")[0]


sys.addaudithook(_fail)
