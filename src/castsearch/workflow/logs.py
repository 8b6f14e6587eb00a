"""A job's log file, and its last words when the user's input cannot be used."""

import logging
import sys
import traceback
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TextIO

from castsearch.errors import InputError, one_line
from castsearch.workflow.lazy_pandas import spare_pandas

_FORMAT = "%(asctime)s %(levelname)s %(name)s: %(message)s"


@contextmanager
def logging_to(path: str | Path) -> Iterator[None]:
    """Send what a job says to the file `path`: standard output and error, log records, and Python's warnings.

    Of this package's records those from INFO on are written, of all others those from WARNING on; this package's errors
    also go to the standard error of before. An `InputError` and a `MemoryError` become one line in both, and exit code
    1; so does what the system cannot do, and then the log has the trace before it.

    As the first thing that every job does, it also keeps pyarrow from importing pandas, see `spare_pandas`.
    """
    spare_pandas()
    # A message may quote what no encoding can write; it is escaped there, as Python does on standard error.
    with Path(path).open("w", buffering=1, encoding="utf-8", errors="backslashreplace") as log:
        streams = sys.stdout, sys.stderr
        sys.stdout = sys.stderr = log
        try:
            with _records_to(log, streams[1]):
                yield
        except (InputError, MemoryError, OSError) as error:
            with suppress(OSError):  # of a log on a full disk
                if isinstance(error, OSError):
                    traceback.print_exc(file=log)
            if isinstance(error, OSError) and error.errno is None:
                raise
            with suppress(OSError):
                print(f"error: {said(error)}", file=log)
            print(f"error: {said(error)}", file=streams[1])
            sys.exit(1)
        except BaseException:
            traceback.print_exc(file=log)  # the log is what a user is shown, so it must not stay empty
            raise
        finally:
            sys.stdout, sys.stderr = streams


def said(error: InputError | MemoryError | OSError) -> str:
    """Return what a user is told of an error that is no fault of the program's."""
    if isinstance(error, MemoryError):
        remedy = "run fewer jobs at a time, by --cores, or let this one claim more, as by --set-resources RULE:mem_mb=…"
        return f"there is not enough memory ({one_line(str(error))}); {remedy}"
    if isinstance(error, OSError):
        place = "" if error.filename is None else f"{one_line(str(error.filename))}: "
        reason = error.strerror or one_line(str(error)) or type(error).__name__
        return f"{place}the system says: {reason}; if that passes, run it again"
    return str(error)


@contextmanager
def _records_to(log: TextIO, console: TextIO) -> Iterator[None]:
    """Let all records go to `log`, and this package's errors to `console`, too."""
    handler, loud = logging.StreamHandler(log), logging.StreamHandler(console)
    handler.setFormatter(logging.Formatter(_FORMAT))
    loud.setFormatter(logging.Formatter("%(levelname)s: %(message)s"))
    loud.setLevel(logging.ERROR)
    root, own = logging.getLogger(), logging.getLogger("castsearch")
    before = own.level
    root.addHandler(handler)
    own.addHandler(loud)
    own.setLevel(logging.INFO)
    logging.captureWarnings(True)
    try:
        yield
    finally:
        logging.captureWarnings(False)
        own.setLevel(before)
        own.removeHandler(loud)
        root.removeHandler(handler)
