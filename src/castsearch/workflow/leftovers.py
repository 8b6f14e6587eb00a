"""Scripts that a killed Snakemake has left running: a new run beside them would write the same files."""

from pathlib import Path
from typing import NamedTuple

import psutil

from castsearch.errors import InputError

_SCRIPTS = ".snakemake/scripts"  # where Snakemake puts the copy of a rule's script that it starts


class Script(NamedTuple):
    """A rule's script that runs: its name, such as "detect.py", and the number of its process."""

    name: str
    process: int


def running_scripts(folder: str | Path) -> list[Script]:
    """Return the scripts that run on this machine for Snakemake in `folder`, whoever started them."""
    copies = Path(folder).resolve() / _SCRIPTS
    return sorted(
        Script(path.name.partition(".")[2], process.pid)  # Snakemake puts a random word before the name
        for process in psutil.process_iter(["cmdline"])
        for path in map(Path, process.info["cmdline"] or ())  # nothing is known of other users' processes
        if path.parent == copies
    )


def check_folder(folder: str | Path) -> None:
    """Check that nothing runs in a folder in which a run is about to start.

    Raises:
        InputError: names the scripts that do.
    """
    if scripts := running_scripts(folder):
        names = ", ".join(f"{script.name} (process {script.process})" for script in scripts)
        numbers = " ".join(str(script.process) for script in scripts)
        raise InputError(
            f"{folder}: scripts of a Snakemake that was killed still run here and would write the same files: {names}; "
            f"wait until they have ended, or end them by `kill {numbers}`"
        )
