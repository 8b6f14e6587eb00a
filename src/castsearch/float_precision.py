"""The floating-point precision of a network's arithmetic, as the configuration names it."""

from typing import Literal

FloatPrecision = Literal["float32", "bfloat16"]
