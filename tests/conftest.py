from pathlib import Path

import pytest

SHARED = Path(__file__).parents[2] / "shared"


def _needs(folder: str) -> Path:
    path = SHARED / folder
    if not path.is_dir():
        pytest.skip(f"the reference data are not here: ../shared/{folder}")
    return path


@pytest.fixture(scope="session")
def golden() -> Path:
    """Reference outputs of the seed system."""
    return _needs("golden")


@pytest.fixture(scope="session")
def wider() -> Path:
    """Real labels and a real submission of the challenge."""
    return _needs("wider")
