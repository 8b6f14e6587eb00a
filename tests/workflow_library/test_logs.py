import errno
import logging
import os
import sys
import warnings

import pytest

from castsearch.errors import InputError
from castsearch.workflow.logs import logging_to


def fail(path, error):
    with logging_to(path):
        print("half way")
        raise error


def test_a_mistake_of_the_user_is_one_line_and_an_exit_code(tmp_path, capsys):
    with pytest.raises(SystemExit) as ended:
        fail(tmp_path / "log", InputError("val.json: movie tt1: no"))
    assert ended.value.code == 1
    assert (tmp_path / "log").read_text() == "half way\nerror: val.json: movie tt1: no\n"
    assert capsys.readouterr().err == "error: val.json: movie tt1: no\n"


def test_a_message_that_no_encoding_can_write_is_escaped(tmp_path):
    with pytest.raises(SystemExit):
        fail(tmp_path / "log", InputError("label \ud800"))
    assert (tmp_path / "log").read_text() == "half way\nerror: label \\ud800\n"


def test_what_the_system_cannot_do_is_one_line_and_a_trace_in_the_log(tmp_path, capsys):
    with pytest.raises(SystemExit):
        fail(tmp_path / "log", OSError(errno.ESTALE, os.strerror(errno.ESTALE), "films/a.mp4"))
    line = "error: films/a.mp4: the system says: Stale file handle; if that passes, run it again\n"
    assert capsys.readouterr().err == line
    log = (tmp_path / "log").read_text()
    assert "Traceback" in log
    assert log.endswith(line)


def test_a_message_is_of_one_line_whatever_it_quotes(tmp_path, capsys):
    with pytest.raises(SystemExit):
        fail(tmp_path / "log", InputError("a\x1b[31m\nb: is no image"))
    assert capsys.readouterr().err == "error: a\\x1b[31m\\nb: is no image\n"


def test_any_other_error_leaves_its_trace_in_the_log(tmp_path):
    with pytest.raises(ZeroDivisionError):
        fail(tmp_path / "log", ZeroDivisionError("x"))
    assert "ZeroDivisionError: x" in (tmp_path / "log").read_text()


def test_output_goes_to_the_log_and_then_back_to_where_it_went(tmp_path):
    before = sys.stdout, sys.stderr
    with logging_to(tmp_path / "log"):
        print("out")
        print("err", file=sys.stderr)
    assert (tmp_path / "log").read_text() == "out\nerr\n"
    assert (sys.stdout, sys.stderr) == before


def test_the_log_has_this_packages_records_and_other_packages_warnings(tmp_path):
    with logging_to(tmp_path / "log"):
        logging.getLogger("castsearch.x").info("one")
        logging.getLogger("other").info("two")
        logging.getLogger("other").warning("three")
        warnings.warn("four", stacklevel=1)
    words = (tmp_path / "log").read_text()
    assert "INFO castsearch.x: one\n" in words
    assert "two" not in words
    assert "WARNING other: three\n" in words
    assert "four" in words


def test_this_packages_errors_are_seen_outside_of_the_log_too(tmp_path, capsys):
    with logging_to(tmp_path / "log"):
        logging.getLogger("castsearch.x").error("the CPU computes")
        logging.getLogger("castsearch.x").warning("odd")
    assert capsys.readouterr().err == "ERROR: the CPU computes\n"
    assert "ERROR castsearch.x: the CPU computes\n" in (tmp_path / "log").read_text()


def test_after_a_job_its_log_gets_no_more_records(tmp_path):
    with logging_to(tmp_path / "log"):
        pass
    logging.getLogger("other").warning("late")
    assert (tmp_path / "log").read_text() == ""


def test_a_lack_of_memory_is_one_line_that_says_what_to_do(tmp_path, capsys):
    with pytest.raises(SystemExit) as left, logging_to(tmp_path / "log"):
        raise MemoryError("Unable to allocate 3 TiB")
    assert left.value.code == 1
    [line] = (tmp_path / "log").read_text().splitlines()
    assert line.startswith("error: there is not enough memory (Unable to allocate 3 TiB); run fewer jobs")
    assert capsys.readouterr().err == f"{line}\n"
