"""Import torchvision without `torch._dynamo`, which would take half of the time of that import."""

import importlib
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from types import ModuleType


@contextmanager
def lazy_dynamo() -> Iterator[None]:
    """Let what is imported within do without torch's compiler until it is called.

    `torchvision.ops.roi_align` imports `is_compile_supported` from `torch._dynamo.utils`, with it the whole compiler,
    and calls it for object detection on a GPU alone. The function that it gets here imports the compiler when called.
    Whatever else is asked for, such as by another version of torchvision, comes from the compiler itself.
    """
    names = ("torch._dynamo", "torch._dynamo.utils")
    if names[0] in sys.modules:
        yield
        return
    stand_ins = {name: ModuleType(name) for name in names}

    def leave() -> None:
        for name, module in stand_ins.items():
            if sys.modules.get(name) is module:
                del sys.modules[name]

    def compiler() -> ModuleType:
        leave()
        return importlib.import_module(names[1])

    def is_compile_supported(device_type: str) -> bool:
        return compiler().is_compile_supported(device_type)

    def __getattr__(name: str) -> object:  # noqa: N807 (which Python calls for what a module lacks)
        if name.startswith("__"):
            raise AttributeError(name)
        return getattr(compiler(), name)

    vars(stand_ins[names[0]])["utils"] = stand_ins[names[1]]
    vars(stand_ins[names[1]]).update(is_compile_supported=is_compile_supported, __getattr__=__getattr__)
    sys.modules |= stand_ins
    try:
        yield
    finally:
        leave()
