import pytest

from castsearch import hardware


def test_torch_is_not_asked_for_a_gpu_where_none_is_to_be_seen(monkeypatch, tmp_path):
    monkeypatch.setattr(hardware.importlib.util, "find_spec", lambda name: pytest.fail(f"looked for {name}"))
    monkeypatch.setattr(hardware, "DRIVERS", [tmp_path])
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    assert not hardware.torch_has_gpu()
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES")
    monkeypatch.setattr(hardware, "DRIVERS", [tmp_path / "none"])
    assert not hardware.torch_has_gpu()
