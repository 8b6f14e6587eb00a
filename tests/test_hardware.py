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
