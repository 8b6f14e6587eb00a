"""Networks in ONNX files, whatever they are for: how they are checked and run."""

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

Network = Callable[[NDArray[np.float32]], Sequence[NDArray[np.float32]]]
"""From (batch, 3, height, width) to the outputs, each with the batch first."""
