from pathlib import Path

import pytest
from runs import run


def pytest_collection_modifyitems(items):
    """Keep the tests that share a run on one worker."""
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.xdist_group("workflow"))


@pytest.fixture(scope="session")
def finished(tmp_path_factory):
    """A finished run of the tiny demo."""
    folder = tmp_path_factory.mktemp("finished")
    done = run(folder)
    assert done.returncode == 0, done.stdout
    return folder
