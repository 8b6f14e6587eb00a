"""Lets a rule's script say its peak memory: Python imports this at its start, where `bench/memory.py` has put it.

The peak is the largest of what the system counted for the process itself and what it and its children had in memory at
any of many moments, in which a page that several of them share counts once.
"""

import atexit
import json
import os
import sys
import threading
from pathlib import Path

_EVERY = 0.05  # seconds


def _megabytes(path: Path, name: str) -> float:
    [line] = [line for line in path.read_text().splitlines() if line.startswith(f"{name}:")]
    return int(line.split()[1]) / 1024


def _family(process: int) -> list[int]:
    """A process and all that it has started."""
    lists = Path(f"/proc/{process}/task").glob("*/children")
    return [process, *(own for path in lists for child in path.read_text().split() for own in _family(int(child)))]


def _watch(peaks: list[float], over: threading.Event) -> None:
    while not over.wait(_EVERY):
        try:
            peaks.append(sum(_megabytes(Path(f"/proc/{own}/smaps_rollup"), "Pss") for own in _family(os.getpid())))
        except (OSError, ValueError):  # a child has ended meanwhile
            continue


def _say(peaks: list[float], over: threading.Event) -> None:
    over.set()
    job = vars(sys.modules["__main__"]).get("snakemake")
    if job is not None:
        peak = max(_megabytes(Path("/proc/self/status"), "VmHWM"), *peaks)
        said = {"rule": job.rule, "peak": peak, "claim": job.resources.mem_mb}
        Path(os.environ["PEAKS"], f"{os.getpid()}.json").write_text(json.dumps(said))


if "PEAKS" in os.environ and "/.snakemake/scripts/" in sys.orig_argv[-1]:
    _peaks, _over = [0.0], threading.Event()
    threading.Thread(target=_watch, args=(_peaks, _over), daemon=True).start()
    atexit.register(_say, _peaks, _over)
