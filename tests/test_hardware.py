import os
import platform
import subprocess
import sys

import pytest
import torch

from castsearch import hardware


def test_torch_is_not_asked_for_a_gpu_where_none_is_to_be_seen(monkeypatch, tmp_path):
    monkeypatch.setattr(hardware.importlib.util, "find_spec", lambda name: pytest.fail(f"looked for {name}"))
    monkeypatch.setattr(hardware, "DRIVERS", [tmp_path])
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    assert not hardware.torch_has_gpu()
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES")
    monkeypatch.setattr(hardware, "DRIVERS", [tmp_path / "none"])
    assert not hardware.torch_has_gpu()


@pytest.mark.parametrize(("named", "driver"), [(None, "."), ("0", "none")])
def test_a_gpu_that_torch_cannot_use_is_said_not_to_be_used(monkeypatch, tmp_path, caplog, named, driver):
    def fail():
        raise RuntimeError("The NVIDIA driver on your system is too old")

    monkeypatch.setattr(hardware, "DRIVERS", [tmp_path / driver])
    if named is None:
        monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    else:
        monkeypatch.setenv("CUDA_VISIBLE_DEVICES", named)
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(torch.cuda, "init", fail)
    assert not hardware.torch_has_gpu()
    assert "cannot use it, so the CPU computes: The NVIDIA driver on your system is too old" in caplog.text


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="is for glibc alone")
def test_the_memory_of_large_arrays_is_handed_back():
    code = """
import numpy as np
from castsearch import hardware
hardware.hand_back_large_arrays()
large, later = np.ones(50_000_000), np.ones(10)
del large
[line] = [line for line in open("/proc/self/status") if line.startswith("VmRSS")]
assert int(line.split()[1]) < 400_000, line
"""
    kept = {"MALLOC_MMAP_THRESHOLD_": "2000000000", "MALLOC_TRIM_THRESHOLD_": "4000000000"}
    subprocess.run([sys.executable, "-c", code], env=os.environ | kept, check=True)
