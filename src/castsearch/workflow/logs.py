"""A job's log file, and its last words when the user's input cannot be used."""

import sys
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from castsearch.errors import InputError


@contextmanager
def logging_to(path: str | Path) -> Iterator[None]:
    """Send standard output and error to the file `path`; an `InputError` becomes one line there and exit code 1."""
    # A message may quote what no encoding can write; it is escaped there, as Python does on standard error.
    with Path(path).open("w", buffering=1, encoding="utf-8", errors="backslashreplace") as log:
        streams = sys.stdout, sys.stderr
        sys.stdout = sys.stderr = log
        try:
            yield
        except InputError as error:
            print(f"error: {error}", file=log)
            print(f"error: {error}", file=streams[1])
            sys.exit(1)
        except BaseException:
            traceback.print_exc(file=log)  # the log is what a user is shown, so it must not stay empty
            raise
        finally:
            sys.stdout, sys.stderr = streams
