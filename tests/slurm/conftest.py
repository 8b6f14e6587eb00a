import signal
import sys
import tempfile
from pathlib import Path

import cluster
import pytest


@pytest.fixture(scope="session", autouse=True)
def slurm():
    """The cluster, for as long as the tests run."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("terminated"))  # so that the context ends
    # Not pytest's own folder, whose path is too long for a socket.
    with tempfile.TemporaryDirectory(prefix="castsearch-slurm-") as folder, cluster.running(Path(folder)):
        yield
