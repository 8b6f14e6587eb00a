"""Jobs without pandas, unless they use it themselves: its import takes a third of a second and 30 MB."""

import sys
from collections.abc import Sequence
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec
from types import ModuleType

import pyarrow as pa


class _Hidden(MetaPathFinder):
    def find_spec(self, name: str, path: Sequence[str] | None, target: ModuleType | None = None) -> ModuleSpec | None:
        """Say that there is no pandas, and nothing about any other module."""
        if name == "pandas":
            raise ModuleNotFoundError(name=name)
        return None


def spare_pandas() -> None:
    """Let pyarrow do without pandas in this process from now on, if nobody has imported it so far.

    For each array that it makes or turns into NumPy's, pyarrow wants to know whether pandas made it, and imports pandas
    when it asks for the first time. Here it asks while there is none, after which it does not ask again. Tables still
    become data frames when they are told to. Only a series of pandas's is then taken for any other sequence.
    """
    if "pandas" in sys.modules:
        return
    hidden = _Hidden()
    sys.meta_path.insert(0, hidden)
    try:
        pa.array([0]).to_numpy()
    finally:
        sys.meta_path.remove(hidden)
