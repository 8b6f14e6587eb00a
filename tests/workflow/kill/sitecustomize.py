"""Kills a run of the workflow at a named point, when this folder is on the PYTHONPATH: Python imports this file itself.

As soon as a file whose path matches `KILL_AFTER` has its final name, the whole process group is killed. What is renamed
is seen by an audit hook, so that nothing of the product is changed for it.
"""

import os
import signal
import sys
from fnmatch import fnmatch

_pattern = os.environ["KILL_AFTER"]
_renamed = False


def _kill_after_renaming(event: str, arguments: tuple) -> None:
    global _renamed
    before, _renamed = _renamed, event == "os.rename" and fnmatch(str(arguments[1]), _pattern)
    if before:  # this is the event that follows the renaming, which itself is announced before it is done
        os.kill(0, signal.SIGKILL)


sys.addaudithook(_kill_after_renaming)
