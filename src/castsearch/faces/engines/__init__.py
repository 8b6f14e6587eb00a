"""The face engines: one module each, which holds all that is true of the engine. A new engine is a new module here.

An engine's module defines what `EngineModule` lists. The workflow reads it to plan its jobs, so at its top it imports
only what the workflow's environment has (`envs/workflow.txt`); packages that only the jobs have are imported in the
functions that use them. Engines do not import each other.
"""

from collections.abc import Mapping
from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules
from typing import Protocol, cast

from castsearch.errors import InputError
from castsearch.faces.engine import Engine
from castsearch.faces.engine_files import EngineFiles


class EngineModule(Protocol):
    """What the module of an engine defines.

    Attributes:
        LICENCE: on what terms the trained weights may be used, in one line.
        THREADS: how many threads the engine can use.
        THRESHOLDS: of the method `cascade`, as they fit the engine's features: the first on face similarity, each other
            on the mean similarity to all that are matched so far.
        OPTIONS: the engine's options, by name, each a JSON schema with a `description`, and with a `default` unless the
            user has to name it.
    """

    LICENCE: str
    THREADS: int
    THRESHOLDS: tuple[float, ...]
    OPTIONS: Mapping[str, Mapping[str, object]]

    def plan(self, options: Mapping, folder: str) -> EngineFiles:
        """Find the engine's files, and what it takes to make those that are not there yet.

        Args:
            options: a value for each of `OPTIONS`.
            folder: where files are put that have to be made or downloaded.

        Raises:
            InputError: a file that an option names is missing; the message starts with the option's name.
        """
        ...

    def make(self, options: Mapping, threads: int = 1) -> Engine:
        """Make the engine; weights are loaded at first use.

        Args:
            options: as `plan` has put them together.
            threads: that a network may use.

        Raises:
            InputError: a model file is missing or not the one that is expected.
        """
        ...


def available() -> list[str]:
    """Return the names of the engines that there are."""
    return [module.name for module in iter_modules([str(Path(__file__).parent)])]


def load(name: str) -> EngineModule:
    """Return the module of an engine.

    Raises:
        InputError: there is no such engine.
    """
    if name not in available():
        raise InputError(f"face engine {name!r}: unknown; there are: {', '.join(available())}")
    return cast(EngineModule, import_module(f"{__name__}.{name}"))
