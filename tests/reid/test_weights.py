"""Weights as people have them, and what has only the name of weights."""

import errno
import io
import os
import re
import resource
import signal
import tarfile

import pytest
import torch
from safetensors.torch import save_file
from torch import nn

from castsearch.errors import InputError
from castsearch.reid import checkpoints
from castsearch.reid.weights import fill, read_tensors, write_tensors

STATE = {"weight": torch.ones(2, 3), "bias": torch.zeros(2)}


def saved(path, state):
    (save_file if path.suffix == ".safetensors" else torch.save)(state, path)
    return path


@pytest.mark.parametrize("prefix", ["", "module.", "_orig_mod.", "module._orig_mod.", "_orig_mod.module.", "model."])
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


def test_a_state_dict_inside_a_model_inside_a_training_state_is_found(tmp_path):
    path = saved(tmp_path / "a.pth", {"model": {"state_dict": STATE}, "epoch": 1})
    assert read_tensors(path, "weights").keys() == STATE.keys()


def test_safetensors_of_another_name_are_read(tmp_path):
    saved(tmp_path / "a.safetensors", STATE).rename(tmp_path / "a.pth")
    assert read_tensors(tmp_path / "a.pth", "weights").keys() == STATE.keys()


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
        (lambda: b"hello world\n", "it is a text"),
        (lambda: b"RIFF\x24\0\0\0WEBPVP8 ", "it is a WebP"),
        (lambda: bytes(5000), "it is none of torch's files, or one that is cut off"),
        (lambda: pickled(STATE)[:700], "it is none of torch's files, or one that is cut off"),
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


def test_names_that_are_no_texts_are_refused(tmp_path):
    with pytest.raises(InputError, match=r"a\.pth: holds no plain state dict"):
        read_tensors(saved(tmp_path / "a.pth", {1: torch.ones(1)}), "weights")


def test_a_state_that_holds_itself_is_refused(tmp_path):
    state = {}
    state["model"] = state
    with pytest.raises(InputError, match=r"a\.pth: holds no plain state dict"):
        read_tensors(saved(tmp_path / "a.pth", state), "weights")


@pytest.mark.parametrize("number", [errno.EACCES, errno.EIO, errno.EMFILE, errno.ESTALE])
@pytest.mark.parametrize("read", [lambda path: read_tensors(path, "weights"), checkpoints.training_of])
def test_a_failing_file_system_says_nothing_about_the_weights(tmp_path, monkeypatch, number, read):
    path = saved(tmp_path / "a.safetensors", STATE)

    def fail(*_, **__):
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(io, "open", fail)
    with pytest.raises(OSError, match=re.escape(os.strerror(number))):
        read(path)


@pytest.mark.parametrize(
    "change",
    [
        lambda tensor: tensor.to_sparse(),
        lambda tensor: tensor.to(torch.complex64),
        lambda tensor: tensor.to(torch.float8_e4m3fn),
        lambda tensor: tensor.to("meta"),
    ],
    ids=["sparse", "complex", "8 bits", "meta"],
)
def test_a_tensor_of_a_kind_that_is_not_read_is_named(tmp_path, change):
    state = STATE | {"bias": change(STATE["bias"])}
    with pytest.raises(
        InputError, match=r"a\.pth: the tensor bias is of a kind that is not read .*; save it as float32"
    ):
        fill(nn.Linear(3, 2), state, tmp_path / "a.pth", "a layer")


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
