import errno
import fcntl
import os
import signal
import subprocess
import sys
import tempfile

import pytest

from castsearch.errors import InputError
from castsearch.workflow import devices

CLAIM = """
import logging, os, sys
logging.basicConfig(level="INFO")
from castsearch.workflow.devices import claimed_gpus
with claimed_gpus(int(sys.argv[1])):
    print(os.environ["CUDA_VISIBLE_DEVICES"], flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def start(tmp_path):
    """Start a process that claims GPUs of four pretended ones and holds them until its input ends."""
    started = []

    def start(number):
        environment = os.environ | {"CUDA_VISIBLE_DEVICES": "0,1,2,3", "TMPDIR": str(tmp_path)}
        started.append(
            subprocess.Popen(
                [sys.executable, "-c", CLAIM, str(number)],
                env=environment | {"PYTHONPATH": os.pathsep.join(sys.path)},
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
            )
        )
        return started[-1]

    yield start
    for process in started:
        process.kill()
        process.communicate()


def claimed(process):
    return process.stdout.readline().strip()


def test_each_process_has_gpus_of_its_own(start):
    assert sorted(claimed(process) for process in [start(1) for _ in range(4)]) == ["0", "1", "2", "3"]


def test_a_process_may_have_several(start):
    found = [claimed(process).split(",") for process in [start(3), start(1)]]
    assert sorted(map(len, found)) == [1, 3]
    assert sorted(found[0] + found[1]) == ["0", "1", "2", "3"]


@pytest.mark.parametrize("end", [signal.SIGKILL, signal.SIGTERM])
def test_a_claim_ends_with_its_process_however_that_ends(start, end):
    first = start(4)
    assert claimed(first) == "0,1,2,3"
    waiting = start(1)
    assert "waits for 1 of the GPUs 0, 1, 2, 3: other jobs have them" in waiting.stderr.readline()
    first.send_signal(end)
    assert claimed(waiting) == "0"


def test_a_machine_with_fewer_gives_what_it_has(monkeypatch, tmp_path):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "GPU-5f,GPU-6a")
    with devices.claimed_gpus(4) as names:
        assert names == ["GPU-5f", "GPU-6a"]
    assert os.environ["CUDA_VISIBLE_DEVICES"] == "GPU-5f,GPU-6a"


@pytest.mark.parametrize("before", ["0,1", "GPU-5f", None])
def test_who_claims_none_sees_none(monkeypatch, before):
    if before is None:
        monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    else:
        monkeypatch.setenv("CUDA_VISIBLE_DEVICES", before)
    with devices.claimed_gpus(0) as names:
        assert names == []
        assert os.environ["CUDA_VISIBLE_DEVICES"] == ""
    assert os.environ.get("CUDA_VISIBLE_DEVICES") == before


@pytest.mark.parametrize("value", ["", "-1", "NoDevFiles"])
def test_without_gpus_nothing_is_claimed(monkeypatch, value):
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", value)
    with devices.claimed_gpus(1) as names:
        assert names == []


@pytest.fixture
def driver(monkeypatch, tmp_path):
    """A function that makes a shell script the driver's program, on a machine where CUDA was told of no GPU."""

    def install(script):
        program = tmp_path / "nvidia-smi"
        program.write_text(f"#!/bin/sh\n{script}\n")
        program.chmod(0o755)
        monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
        monkeypatch.setenv("PATH", str(tmp_path), prepend=os.pathsep)

    return install


def test_all_gpus_of_the_driver_are_there_where_cuda_was_told_of_none(driver):
    driver("echo 'GPU 0: NVIDIA H200 (UUID: GPU-1)'\necho 'GPU 1: NVIDIA H200 (UUID: GPU-2)'")
    assert devices.visible_gpus() == ["0", "1"]


def test_a_driver_that_fails_is_said_to(driver, caplog):
    driver("echo 'Driver/library version mismatch'; exit 18")
    assert devices.visible_gpus() == []
    assert "Driver/library version mismatch" in caplog.text


def test_a_driver_that_hangs_is_not_waited_for(driver, monkeypatch):
    driver("exec sleep 60")
    monkeypatch.setattr(devices, "SECONDS_FOR_DRIVER", 0.1)
    with pytest.raises(InputError, match=r"nvidia-smi does not answer .* set CUDA_VISIBLE_DEVICES to nothing"):
        devices.visible_gpus()


def test_a_gpu_that_is_named_twice_counts_once(monkeypatch):
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "0,0,1")
    assert devices.visible_gpus() == ["0", "1"]


def test_a_file_system_without_locks_is_named(monkeypatch, tmp_path):
    def refuse(*_):
        raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr(fcntl, "flock", refuse)
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "0")
    with pytest.raises(InputError, match="has no locks"), devices.claimed_gpus(1):
        pass


def test_without_the_drivers_program_the_cards_themselves_are_counted(monkeypatch, tmp_path):
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    monkeypatch.setenv("PATH", "")
    monkeypatch.setattr(devices, "DEVICES", tmp_path)
    for name in ("nvidia0", "nvidia1", "nvidiactl", "nvidia-uvm"):
        (tmp_path / name).touch()
    assert devices.visible_gpus() == ["0", "1"]


@pytest.mark.parametrize(
    ("gpus", "usable", "said"),
    [
        (["0", "1"], 2, r"but this job has 2 of them; allow them by --resources gpu=3, or set reid\.gpus: 2"),
        ([], 0, r"but this job has 0 of them; .* or set reid\.gpus: 1"),
        (["0", "1", "2"], 0, "has the GPUs 0, 1, 2, of which torch can use 0"),
    ],
)
def test_a_training_with_fewer_gpus_than_it_should_have_is_refused(gpus, usable, said):
    with pytest.raises(InputError, match=rf"reid\.gpus is 3, .*{said}"):
        devices.check_number(3, gpus, usable)


@pytest.mark.parametrize(("wanted", "gpus", "usable"), [(2, ["0", "1"], 2), (1, [], 0), (1, ["0"], 0)])
def test_a_training_has_all_its_gpus_or_a_lone_one_is_missing(wanted, gpus, usable):
    devices.check_number(wanted, gpus, usable)
