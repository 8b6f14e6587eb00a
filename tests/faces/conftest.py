from importlib.util import find_spec
from pathlib import Path

import cv2
import numpy as np
import pytest


def _packaged_image(package: str, path: str) -> np.ndarray:
    """RGB photograph that an installed package carries; the package is not imported."""
    folder = find_spec(package).submodule_search_locations[0]
    return cv2.imread(str(Path(folder, path)), cv2.IMREAD_COLOR_RGB)


@pytest.fixture(scope="session")
def collins() -> np.ndarray:
    """Portrait of the astronaut Eileen Collins."""
    return _packaged_image("skimage", "data/astronaut.png")


@pytest.fixture(scope="session")
def hanks() -> np.ndarray:
    """Head of the actor Tom Hanks."""
    return _packaged_image("insightface", "data/images/Tom_Hanks_54745.png")


@pytest.fixture(scope="session")
def group() -> np.ndarray:
    """Photograph of six people."""
    return _packaged_image("insightface", "data/images/t1.jpg")
