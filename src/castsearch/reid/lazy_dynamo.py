"""Import torchvision without `torch._dynamo`, half of whose time that would otherwise take."""

import importlib
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from types import ModuleType


@contextmanager
def lazy_dynamo() -> Iterator[None]:
    """Let what is imported within have the one function of torch's compiler that torchvision's operators import.

    `torchvision.ops.roi_align` imports `is_compile_supported` from `torch._dynamo.utils`, with it the whole compiler,
    and calls it for object detection on a GPU alone. The function that it gets here imports the compiler when called.
    """
    names = ("torch._dynamo", "torch._dynamo.utils")
    if names[0] in sys.modules:
        yield
        return
    package, utils = (ModuleType(name) for name in names)

    def is_compile_supported(device_type: str) -> bool:
        return importlib.import_module(names[1]).is_compile_supported(device_type)

    vars(utils)["is_compile_supported"] = is_compile_supported
    vars(package)["utils"] = utils
    sys.modules |= dict(zip(names, (package, utils), strict=True))
    try:
        yield
    finally:
        for name in names:
            del sys.modules[name]
