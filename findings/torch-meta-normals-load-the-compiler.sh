#!/usr/bin/env bash
# A network whose weights are about to be loaded is built on PyTorch's device `meta`, where tensors have no memory, so
# that no time is lost with random numbers.
#
# Expected: on `meta`, filling a tensor does nothing, whichever way it is filled.
# Seen (torch 2.14.1): uniform_() and zero_() do nothing. normal_(), by which many networks begin their layers, imports
# torch._dynamo, PyTorch's compiler, which takes about as long as `import torch`. On the CPU normal_() imports nothing.
# What helps: a TorchFunctionMode that leaves out normal_ while the network is built.
set -euo pipefail
room=$(mktemp -d); trap 'rm -rf "$room"' EXIT
python3 -m venv "$room/venv"
"$room/venv/bin/pip" install --quiet --disable-pip-version-check numpy==2.4.6 torch==2.14.1
cat > "$room/show.py" <<'PYTHON'
import sys
import time

begun = time.perf_counter()
import torch

print(f"import torch: {time.perf_counter() - begun:.1f} s")
assert "torch._dynamo" not in sys.modules
for device, fill in (("cpu", "normal_"), ("meta", "zero_"), ("meta", "uniform_"), ("meta", "normal_")):
    begun = time.perf_counter()
    getattr(torch.empty(2, device=device), fill)()
    loaded = "torch._dynamo" in sys.modules
    print(f"{fill} on {device}: {time.perf_counter() - begun:.1f} s, the compiler is loaded: {loaded}")
    assert loaded == ((device, fill) == ("meta", "normal_"))
PYTHON
"$room/venv/bin/python" -W ignore "$room/show.py"
