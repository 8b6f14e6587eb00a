"""A SLURM cluster of two nodes on this machine's loopback: cpu01, and gpu01 with a pretended GPU."""

import ctypes
import os
import re
import secrets
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import psutil

_PR_SET_CHILD_SUBREAPER = 36  # of Linux's prctl

# Memory is enforced by sampling, for which SLURM needs no control groups; a container has none to give.
CONFIGURATION = """\
ClusterName=castsearch
SlurmctldHost=localhost(127.0.0.1)
SlurmctldPort={controller}
SlurmUser={user}
SlurmdUser={user}
AuthType=auth/munge
AuthInfo=socket={folder}/munge.socket
CommunicationParameters=NoCtldInAddrAny,NoInAddrAny
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/%n
SlurmdPidFile={folder}/%n.pid
SlurmctldPidFile={folder}/slurmctld.pid
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
MpiDefault=none
SwitchType=switch/none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core_Memory
AccountingStorageType=accounting_storage/none
JobCompType=jobcomp/none
JobAcctGatherType=jobacct_gather/linux
JobAcctGatherFrequency=task=1
JobAcctGatherParams=OverMemoryKill,UsePss
GresTypes=gpu
KillWait=2
MinJobAge=86400
ReturnToService=2
SlurmdParameters=config_overrides
SlurmctldDebug=info
SlurmdDebug=info
NodeName=cpu01 NodeHostname=localhost NodeAddr=127.0.0.1 Port={cpu} CPUs=16 RealMemory=64000
NodeName=gpu01 NodeHostname=localhost NodeAddr=127.0.0.1 Port={gpu} CPUs=16 RealMemory=64000 Gres=gpu:1
PartitionName=short Nodes=cpu01 Default=NO MaxTime=INFINITE State=UP
PartitionName=cuda Nodes=gpu01 Default=NO MaxTime=INFINITE State=UP
"""


@contextmanager
def running(folder: Path) -> Iterator[None]:
    """Run the cluster; `SLURM_CONF` leads SLURM's commands to it. Its daemons and all that they started end with it.

    The daemons also end with this process.

    Args:
        folder: a new folder for the daemons' state, below which a socket's path is short enough (100 characters).

    Raises:
        OSError: this machine's name has another address than 127.0.0.1, and may not be changed for the daemons.
    """
    named = _named_localhost()
    (folder / "state").mkdir()
    key = folder / "munge.key"
    key.touch(mode=0o600)
    key.write_bytes(secrets.token_bytes(128))
    user = subprocess.run(["id", "-un"], capture_output=True, text=True, check=True).stdout.strip()
    controller, cpu, gpu = _free_ports(3)
    text = CONFIGURATION.format(folder=folder, user=user, controller=controller, cpu=cpu, gpu=gpu)
    (folder / "slurm.conf").write_text(text)
    (folder / "gres.conf").write_text("NodeName=gpu01 Name=gpu File=/dev/zero\n")
    munged = ["munged", "--foreground", "--force", f"--key-file={key}"]
    munged += [f"--{file}-file={folder}/munge.{file}" for file in ("pid", "log", "seed")]
    munged += [f"--socket={folder}/munge.socket"]
    # The executor plugin hands no SLURM_* variable on to the srun in a job, so this one carries its own.
    srun = folder / "bin/srun"
    srun.parent.mkdir()
    srun.write_text(f'#!/bin/sh\nSLURM_CONF={folder}/slurm.conf exec {shutil.which("srun")} "$@"\n')
    srun.chmod(0o755)
    with ExitStack() as stack:
        stack.enter_context(_descendants_ended())
        # In a job of a real cluster, its variables would lead there.
        others = [name for name in os.environ if re.match(r"(SLURM|SBATCH|SALLOC|SRUN|SQUEUE|SINFO|SCANCEL)_", name)]
        variables = dict.fromkeys(others) | {
            "SLURM_CONF": f"{folder}/slurm.conf",
            "PATH": f"{srun.parent}:{os.environ['PATH']}:/usr/sbin:/sbin",
        }
        stack.enter_context(_environment(variables))
        stack.enter_context(_daemon(folder / "munged.out", *munged))
        _wait_for((folder / "munge.socket").exists, folder)
        stack.enter_context(_daemon(folder / "slurmctld.out", *named, "slurmctld", "-D"))
        for node in ("cpu01", "gpu01"):
            stack.enter_context(_daemon(folder / f"{node}.out", *named, "slurmd", "-D", "-N", node))
        stack.callback(_end_jobs, user)
        _wait_for(lambda: node_states() == {"cpu01": "idle", "gpu01": "idle"}, folder)
        yield


def _named_localhost():
    """What to start a daemon with: with `NoInAddrAny` it listens on the address of the machine's name, so it needs one.

    Not 127.0.1.1 either, as Debian names a machine: the answers to it come from 127.0.0.1, and go there.
    """
    name, renamed = socket.gethostname(), ["unshare", "--uts", "sh", "-c", 'hostname localhost && exec "$@"', "sh"]
    try:
        if socket.gethostbyname(name) == "127.0.0.1":
            return []
    except OSError:
        pass  # a name without an address
    if subprocess.run([*renamed, "true"], capture_output=True, check=False).returncode != 0:
        raise OSError(f"SLURM would not listen on 127.0.0.1 alone: give the name {name} that address in /etc/hosts")
    return renamed


def _free_ports(number):
    with ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(number)]
        for each in sockets:
            each.bind(("127.0.0.1", 0))
        return [each.getsockname()[1] for each in sockets]


@contextmanager
def _environment(variables):
    """Set environment variables, or with None unset them, and put back what was there."""
    before = {name: os.environ.get(name) for name in variables}
    _set(variables)
    try:
        yield
    finally:
        _set(before)


def _set(variables):
    for name, value in variables.items():
        if value is None:
            os.environ.pop(name, None)
        else:
            os.environ[name] = value


@contextmanager
def _descendants_ended():
    """End what is left of this process's descendants: SLURM forgets the processes of a node that was set down.

    For that, this process becomes the parent of those whose own parent ends.
    """
    ctypes.CDLL(None).prctl(_PR_SET_CHILD_SUBREAPER, 1)
    before = set(psutil.Process().children(recursive=True))
    try:
        yield
    finally:
        while left := set(psutil.Process().children(recursive=True)) - before:
            for process in left:
                process.kill()
            psutil.wait_procs(left)


@contextmanager
def _daemon(output, *command):
    # In a session of its own, or Ctrl-C would end it before its jobs; told to end if this process is killed.
    command = ("setpriv", "--pdeathsig", "TERM", *command)
    with output.open("w") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log, stdin=subprocess.DEVNULL, start_new_session=True)
        try:
            yield process
        finally:
            process.terminate()
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def _end_jobs(user):
    """Cancel what still runs, which would outlive its node's daemon."""
    ask("scancel", f"--user={user}")
    for _ in range(60):
        left = subprocess.run(["squeue", "--noheader"], capture_output=True, text=True, check=False)
        if left.returncode == 0 and not left.stdout:
            return
        time.sleep(0.5)


def _wait_for(condition, folder, seconds=60):
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            logs = "\n".join(f"{path.name}:\n{path.read_text()[-2000:]}" for path in sorted(folder.glob("*.out")))
            raise TimeoutError(f"SLURM is not up after {seconds} s\n{logs}")
        time.sleep(0.2)


def ask(*command: str) -> str:
    """What one of SLURM's commands prints, or nothing where it fails."""
    return subprocess.run(command, capture_output=True, text=True, check=False).stdout


def node_states() -> dict[str, str]:
    """State of each node, as SLURM abbreviates it."""
    return dict(line.split() for line in ask("sinfo", "--noheader", "--Node", "--format=%N %T").splitlines())


def jobs() -> list[dict[str, str]]:
    """SLURM's record of every job so far, in the order of submission."""
    lines = ask("scontrol", "show", "jobs", "--oneliner", "--all").splitlines()
    records = [dict(re.findall(r"(\w+)=(\S*)", line)) for line in lines if "JobId=" in line]
    return sorted(records, key=lambda record: int(record["JobId"]))
