"""What a result was made with: the configuration, packages and the commit."""

import hashlib
import json
import platform
import shutil
import subprocess
from collections.abc import Iterable, Mapping
from contextlib import suppress
from importlib import metadata
from pathlib import Path

SECONDS_FOR_GIT = 60


def value_digest(value: object) -> str:
    """Return the SHA-256, in hex, of anything that JSON can hold; the order of keys does not matter."""
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()


def versions(packages: list[str]) -> dict[str, str]:
    """Return the versions of Python and of those of the packages that are installed."""
    return {"Python": platform.python_version()} | installed(packages)


def installed(packages: Iterable[str]) -> dict[str, str]:
    """Return the versions of those of the packages that are installed."""
    found = {}
    for package in packages:
        with suppress(metadata.PackageNotFoundError):
            found[package] = metadata.version(package)
    return found


def commit(folder: str | Path) -> str:
    """Return the commit that `folder` is at, with "+changes" where files differ from it.

    It is "unknown" outside of git, and where git does not answer in time, as on a file system that hangs.
    """
    program = shutil.which("git")
    if program is None:
        return "unknown"
    # The clone may be another user's, as in a container; git would say nothing of it.
    command = [program, "-c", "safe.directory=*", "-C", str(folder), "describe", "--always", "--abbrev=12"]
    command += ["--dirty=+changes", "--exclude=*"]
    try:
        described = subprocess.run(command, capture_output=True, text=True, check=False, timeout=SECONDS_FOR_GIT)
    except subprocess.TimeoutExpired:
        return "unknown"
    return described.stdout.strip() or "unknown"


def software(folder: str | Path, packages: list[str]) -> dict[str, str]:
    """Return the versions of all that made a result: the clone's commit, Python and the packages.

    Args:
        folder: see `commit`.
        packages: see `versions`.
    """
    return {"castsearch": commit(folder)} | versions(packages)


def made_with(folder: str | Path, config: str, seeds: Mapping[str, int], packages: list[str]) -> dict[str, str]:
    """Return what a table of results was made with, as texts by keys, and the name of the run's whole record.

    Args:
        folder: a folder of the clone, see `commit`.
        config: digest of the configuration, see `value_digest`.
        seeds: what each seed is for, and the seed.
        packages: see `versions`.
    """
    return {
        "commit": commit(folder),
        "configuration": f"sha256 {config}",
        "seeds": ", ".join(f"{name} {seed}" for name, seed in seeds.items()),
        "versions": ", ".join(map(" ".join, versions(packages).items())),
        "record": "ro-crate-metadata.json",
    }
