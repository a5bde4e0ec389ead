"""A Slurm of one machine for the tests: two nodes of one core on loopback, with ports, key and folders of its own.

Found out on Slurm 22.05 of Debian 12: it loads a cgroup plugin even where nothing uses one (v1 needs no mount); a
requeued job waits for its credential to expire (120 s unless told); nodes are named by loopback addresses, so that
every program resolves them; the controller must be stopped before munged.
"""

from __future__ import annotations

import contextlib
import getpass
import os
import platform
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

NODES = ("127.0.0.1", "127.0.0.2")
_PROGRAMS = {"munged": "munge", "slurmctld": "slurmctld", "slurmd": "slurmd", "sbatch": "slurm-client"}


def missing() -> str:
    """Why there can be no Slurm here; empty if there can."""
    if os.geteuid() != 0:
        return "a Slurm of the tests' own needs root"
    absent = [package for program, package in _PROGRAMS.items() if _which(program) is None]
    return f"these packages are missing: {', '.join(absent)}" if absent else ""


def _which(program: str) -> str | None:
    return shutil.which(program, path=f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin")


class Slurm:
    """A running cluster; `stop` ends exactly the daemons that `start` began."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.environment = {**os.environ, "SLURM_CONF": str(folder / "slurm.conf")}
        self._pids: list[int] = []

    def start(self) -> None:
        for name in ("state", "log", *(f"spool/{node}" for node in NODES)):
            (self.folder / name).mkdir(parents=True)
        self.folder.chmod(0o711)
        key = self.folder / "key"
        key.write_bytes(os.urandom(1024))
        key.chmod(0o400)
        (self.folder / "slurm.conf").write_text(self._config())
        (self.folder / "cgroup.conf").write_text("CgroupPlugin=cgroup/v1\n")
        options = {"key-file": key, "socket": self.folder / "sock", "pid-file": self.folder / "munged.pid",
                   "log-file": self.folder / "log/munged", "seed-file": self.folder / "seed"}  # fmt: skip
        self._daemon("munged", "--force", "--origin=127.0.0.1", *(f"--{k}={v}" for k, v in options.items()))
        config = self.environment["SLURM_CONF"]
        self._daemon("slurmctld", "-i", "-f", config)
        for node in NODES:
            self._daemon("slurmd", "-N", node, "-f", config, pid_file=f"slurmd.{node}.pid")
        wait_for(lambda: self.run("sinfo", "-h", "-p", "main", "-t", "idle", "-o", "%D").strip() == "2")

    def stop(self) -> None:
        """End the daemons, the last first, and wait for each."""
        if len(self._pids) > 1:
            with contextlib.suppress(subprocess.SubprocessError, TimeoutError):
                self.run("scancel", "-u", getpass.getuser(), check=False, seconds=20)
                # else its steps would outlive slurmd
                wait_for(lambda: not self.run("squeue", "-h", check=False, seconds=20).strip(), seconds=40)
        for pid in reversed(self._pids):
            for number in (signal.SIGTERM, signal.SIGKILL):
                try:
                    os.kill(pid, number)
                    wait_for(lambda pid=pid: _gone(pid), seconds=10)
                except (ProcessLookupError, TimeoutError):
                    continue
                break

    def run(self, *words: str, check: bool = True, seconds: float = 60.0, **more) -> str:
        """Output of a command of Slurm's, or of any with this cluster in its environment; never waits for longer."""
        environment = {**self.environment, **more.pop("env", {})}
        done = subprocess.run(
            words, capture_output=True, text=True, env=environment, timeout=seconds, check=False, **more
        )
        assert not check or done.returncode == 0, f"{words}: {done.stdout}\n{done.stderr}"
        return done.stdout

    def state(self, job: str) -> str:
        """State of a job, as RUNNING or COMPLETED."""
        shown = self.run("scontrol", "-o", "show", "job", job)
        return shown.split("JobState=")[1].split()[0]

    @contextlib.contextmanager
    def begun(self, words: list[str], folder: Path) -> Iterator[subprocess.Popen]:
        """A process that ends with this body, whatever becomes of it; what it says stands in `said` and `errors`.

        It writes to files: a pipe would stay open for as long as any of its children lives.
        """
        with open(folder / "said", "w") as said, open(folder / "errors", "w") as errors:
            process = subprocess.Popen(
                words, cwd=folder, env=self.environment, stdout=said, stderr=errors, start_new_session=True
            )
        try:
            yield process
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait(timeout=20)

    def _daemon(self, program: str, *words: str, pid_file: str = "") -> None:
        path = self.folder / (pid_file or f"{program}.pid")
        found = _which(program)
        assert found is not None
        subprocess.run([found, *words], env=self.environment, check=True, capture_output=True, timeout=60)
        wait_for(lambda: path.exists() and path.read_text().strip().isdigit())
        self._pids.append(int(path.read_text()))

    def _config(self) -> str:
        host, user, folder, ports = (
            platform.node().split(".")[0],
            getpass.getuser(),
            self.folder,
            free_ports(3),
        )
        settings = {
            "ClusterName": "tests", "SlurmctldHost": f"{host}(127.0.0.1)", "SlurmctldPort": ports[0],
            "SlurmUser": user, "SlurmdUser": user, "AuthType": "auth/munge", "CredType": "cred/munge",
            "AuthInfo": f"socket={folder}/sock,cred_expire=5", "StateSaveLocation": f"{folder}/state",
            "SlurmdSpoolDir": f"{folder}/spool/%n", "SlurmctldPidFile": f"{folder}/slurmctld.pid",
            "SlurmdPidFile": f"{folder}/slurmd.%n.pid", "SlurmctldLogFile": f"{folder}/log/slurmctld",
            "SlurmdLogFile": f"{folder}/log/slurmd.%n", "MailProg": "/bin/true",
            "ProctrackType": "proctrack/linuxproc", "TaskPlugin": "task/none", "MpiDefault": "none",
            "JobAcctGatherType": "jobacct_gather/none", "SwitchType": "switch/none",
            "AccountingStorageType": "accounting_storage/none", "JobCompType": "jobcomp/none",
            "SelectType": "select/cons_tres", "SelectTypeParameters": "CR_Core", "SchedulerType": "sched/backfill",
            "SchedulerParameters": "sched_interval=1,batch_sched_delay=0,bf_interval=1",
            "SlurmdParameters": "config_overrides", "ReturnToService": 2, "JobRequeue": 1, "KillWait": 5,
            "MinJobAge": 300, "SlurmctldTimeout": 30, "SlurmdTimeout": 30, "MessageTimeout": 30,
            "PreemptType": "preempt/partition_prio", "PreemptMode": "REQUEUE",
        }  # fmt: skip
        lines = [f"{name}={value}" for name, value in settings.items()]
        for node, port in zip(NODES, ports[1:], strict=True):
            what = "CPUs=1 RealMemory=8000 State=UNKNOWN"
            lines.append(f"NodeName={node} NodeHostname={host} NodeAddr=127.0.0.1 Port={port} {what}")
        everywhere = f"Nodes={','.join(NODES)} MaxTime=60 State=UP"
        lines.append(f"PartitionName=main {everywhere} Default=YES PriorityTier=1")
        lines.append(f"PartitionName=high {everywhere} PriorityTier=10")
        return "\n".join(lines) + "\n"


def free_ports(count: int) -> list[int]:
    """Ports of loopback that nobody listens on."""
    sockets = [socket.socket() for _ in range(count)]
    for one in sockets:
        one.bind(("127.0.0.1", 0))
    ports = [one.getsockname()[1] for one in sockets]
    for one in sockets:
        one.close()
    return ports


def _gone(pid: int) -> bool:
    status = Path(f"/proc/{pid}/status")
    try:
        return "State:\tZ" in status.read_text()
    except OSError:
        return True


def wait_for(condition: Callable[[], bool], seconds: float = 120.0) -> None:
    """Wait until something is so.

    Raises:
        TimeoutError: If it is not so in time.
    """
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            raise TimeoutError("waited in vain")
        time.sleep(0.2)
