"""Weights as people have them, and what has only the name of weights."""

import io
import re
import resource
import signal
import tarfile

import pytest
import torch
from safetensors.torch import save_file
from torch import nn

from castsearch.errors import InputError
from castsearch.reid.weights import fill, read_tensors, write_tensors

STATE = {"weight": torch.ones(2, 3), "bias": torch.zeros(2)}


def saved(path, state):
    (save_file if path.suffix == ".safetensors" else torch.save)(state, path)
    return path


@pytest.mark.parametrize("prefix", ["", "module.", "_orig_mod.", "module._orig_mod."])
@pytest.mark.parametrize("suffix", ["pth", "safetensors"])
def test_what_parallel_training_puts_before_each_name_is_taken_off(tmp_path, prefix, suffix):
    path = saved(tmp_path / f"a.{suffix}", {prefix + name: tensor for name, tensor in STATE.items()})
    assert read_tensors(path, "weights").keys() == STATE.keys()


def test_a_prefix_that_not_all_names_have_stays(tmp_path):
    state = {"module.weight": torch.ones(1), "bias": torch.ones(1)}
    assert read_tensors(saved(tmp_path / "a.pth", state), "weights").keys() == state.keys()


@pytest.mark.parametrize("key", ["state_dict", "model_state_dict", "model"])
def test_a_state_dict_inside_a_training_state_is_found(tmp_path, key):
    path = saved(tmp_path / "a.pth", {"epoch": 7, key: {f"module.{name}": each for name, each in STATE.items()}})
    assert read_tensors(path, "weights").keys() == STATE.keys()


def old_tar():
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w") as archive:
        archive.addfile(tarfile.TarInfo("storages"))
    return file.getvalue()


def pickled(value):
    file = io.BytesIO()
    torch.save(value, file)
    return file.getvalue()


def scripted():
    file = io.BytesIO()
    torch.jit.save(torch.jit.script(nn.Linear(2, 2)), file)
    return file.getvalue()


@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning")
@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (lambda: b"<!doctype html><html>", "it is a page of HTML"),
        (lambda: b"version https://git-lfs.github.com/spec/v1\n", "it is a pointer of Git LFS; `git lfs pull`"),
        (lambda: b"", "it is an empty file"),
        (old_tar, "it is a tar archive of an old version of torch"),
        (lambda: pickled(nn.Linear(2, 2)), "it holds other things than tensors, as a whole pickled model does"),
        (scripted, "it holds other things than tensors"),
    ],
)
def test_what_is_no_state_dict_is_named_without_torchs_advice(tmp_path, content, reason):
    path = tmp_path / "a.pth"
    path.write_bytes(content())
    with pytest.raises(InputError, match=re.escape(f"{path}: cannot be read as weights: {reason}")) as caught:
        read_tensors(path, "weights")
    message = str(caught.value)
    assert "weights_only" not in message
    assert message.isprintable()


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_a_tensor_that_is_not_finite_is_named(tmp_path, value):
    state = STATE | {"bias": torch.tensor([0, value])}
    with pytest.raises(InputError, match=r"a\.pth: the tensor bias has values that are no finite numbers"):
        fill(nn.Linear(3, 2), state, tmp_path / "a.pth", "a layer")


def test_a_full_disk_is_named_by_the_tensors_file(tmp_path):
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100, limits[1]))
    try:
        with pytest.raises(InputError, match=r"w\.safetensors: cannot be written: File too large"):
            write_tensors({"a": torch.zeros(1000)}, tmp_path / "w.safetensors", {})
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert list(tmp_path.iterdir()) == []
