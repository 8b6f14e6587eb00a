"""Detectors of persons in frames: one module a kind. A new kind is a new module here.

The module of a kind defines `make`, with the kind's options and `threads` as keyword arguments, which returns a
`castsearch.film.persons.PersonDetector`; and perhaps `WARNING`, a sentence for the log and the report.
"""

from collections.abc import Mapping
from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules

from castsearch.errors import InputError
from castsearch.film.persons import PersonDetector


def available() -> list[str]:
    """Return the names of the kinds that there are."""
    return [module.name for module in iter_modules([str(Path(__file__).parent)])]


def make(kind: str, options: Mapping[str, object], threads: int = 1) -> PersonDetector:
    """Make a detector of persons.

    Args:
        kind: one of `available`.
        options: of that kind.
        threads: that its network may use.

    Raises:
        InputError: there is no such kind, or its file is missing or of another kind.
    """
    if kind not in available():
        raise InputError(f"person detector {kind!r}: unknown; there are: {', '.join(available())}")
    return import_module(f"{__name__}.{kind}").make(**options, threads=threads)


def warning(kind: str) -> str | None:
    """Return what users are to be told of a kind, or None."""
    return getattr(import_module(f"{__name__}.{kind}"), "WARNING", None)
