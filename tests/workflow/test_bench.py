"""Benchmarks that run the workflow itself, on the smallest size."""

import subprocess
import sys

from runs import ROOT


def test_the_search_across_movies_is_measured_through_the_rules():
    line = [sys.executable, str(ROOT / "bench/across.py"), "--movies", "2"]
    done = subprocess.run(line, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    said = " ".join(done.stdout.split())
    for row in ("| val | diffusion face+body[body] |", "| fuse | 1 |"):
        assert row in said
