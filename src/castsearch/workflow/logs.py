"""A job's log file, and its last words when the user's input cannot be used."""

import logging
import sys
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO

from castsearch.errors import InputError

_FORMAT = "%(asctime)s %(levelname)s %(name)s: %(message)s"


@contextmanager
def logging_to(path: str | Path) -> Iterator[None]:
    """Send what a job says to the file `path`: standard output and error, log records, and Python's warnings.

    Of this package's records those from INFO on are written, of all others those from WARNING on. An `InputError`
    becomes one line in the file and on the standard error of before, and exit code 1.
    """
    # A message may quote what no encoding can write; it is escaped there, as Python does on standard error.
    with Path(path).open("w", buffering=1, encoding="utf-8", errors="backslashreplace") as log:
        streams = sys.stdout, sys.stderr
        sys.stdout = sys.stderr = log
        try:
            with _records_to(log):
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


@contextmanager
def _records_to(log: TextIO) -> Iterator[None]:
    """Let the one handler of the process write to `log`."""
    handler = logging.StreamHandler(log)
    handler.setFormatter(logging.Formatter(_FORMAT))
    root, own = logging.getLogger(), logging.getLogger("castsearch")
    before = own.level
    root.addHandler(handler)
    own.setLevel(logging.INFO)
    logging.captureWarnings(True)
    try:
        yield
    finally:
        logging.captureWarnings(False)
        own.setLevel(before)
        root.removeHandler(handler)
