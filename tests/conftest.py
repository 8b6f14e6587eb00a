from pathlib import Path

import pytest

TESTS = Path(__file__).parent
SHARED = TESTS.parents[1] / "shared"
SLOW_FOLDERS = {"workflow", "slurm", "project"}


def pytest_collection_modifyitems(items):
    for item in items:
        if item.path.relative_to(TESTS).parts[0] in SLOW_FOLDERS:
            item.add_marker(pytest.mark.slow)


def _needs(folder: str) -> Path:
    path = SHARED / folder
    if not path.is_dir():
        pytest.skip(f"the reference data are not here: ../shared/{folder}")
    return path


@pytest.fixture(scope="session")
def golden() -> Path:
    """Outputs of the reference system."""
    return _needs("golden")


@pytest.fixture(scope="session")
def wider() -> Path:
    """Real labels and a real submission of the challenge."""
    return _needs("wider")
