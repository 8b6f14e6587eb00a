from pathlib import Path

import pytest
from runs import run

SHARED = ("films", "finished")


def pytest_collection_modifyitems(items):
    """Keep the tests that share a run on one worker, and let the others go to whichever is free."""
    for item in items:
        if Path(__file__).parent in item.path.parents:
            for name in [name for name in SHARED if name in item.fixturenames][:1]:
                item.add_marker(pytest.mark.xdist_group(name))


@pytest.fixture(scope="session")
def finished(tmp_path_factory):
    """A finished run of the tiny demo."""
    folder = tmp_path_factory.mktemp("finished")
    done = run(folder)
    assert done.returncode == 0, done.stdout
    return folder
