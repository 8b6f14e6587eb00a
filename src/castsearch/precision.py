"""The precision of a network's arithmetic, as the configuration names it."""

from typing import Literal

Precision = Literal["float32", "bfloat16"]
