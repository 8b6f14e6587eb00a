import subprocess
import sys

import gpu
import pytest
import torch


def test_every_cell_of_a_printed_table_becomes_a_row():
    said = "A crop\n\n| engine | detect | embed |\n|:--|--:|--:|\n| one | 0.1 | 0.2 |\n| two | 0.3 | 0.4 |"
    assert [(row["of"], row["what"], row["result"]) for row in gpu.rows("faces", said)] == [
        ("one", "detect", "0.1"),
        ("one", "embed", "0.2"),
        ("two", "detect", "0.3"),
        ("two", "embed", "0.4"),
    ]


def test_numbers_in_json_become_rows():
    found = gpu.rows("re-ranking", '{"seconds": 0.8957, "megabytes": 574.9}')
    assert [(row["what"], row["result"]) for row in found] == [("seconds", "0.8957"), ("megabytes", "574.9")]


def test_without_a_table_the_last_line_counts():
    assert gpu.rows("tests", "...\n3 passed in 2 s") == [
        {"part": "tests", "of": "", "what": "", "result": "3 passed in 2 s"}
    ]


def test_a_part_that_takes_too_long_is_left_out():
    assert gpu.run(gpu.Part("slow", ["-c", "import time; time.sleep(60)"], 1)) == "left out: it took more than 1 s"


def test_a_part_that_fails_says_why():
    assert gpu.run(gpu.Part("wrong", ["-c", "raise SystemExit('no room')"], 30)) == "failed: no room"


@pytest.mark.slow
@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU")
def test_without_a_gpu_nothing_is_measured():
    done = subprocess.run([sys.executable, gpu.__file__], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (
        1,
        "No GPU: torch finds none on this machine, so there is nothing to measure\n",
    )
