"""Slurm without accounting: what became of a job is asked of `scontrol`, where `sacct` has no database behind it."""

from __future__ import annotations

import re
import shutil
import subprocess
from typing import Any

_PAIR = re.compile(r"(\S+?)=(\S*)")


def ask_scontrol() -> None:
    """Let submitit ask `scontrol show job` if this cluster keeps no accounts.

    submitit knows one source, `sacct`. Without accounting it never learns that a job has died, and the launcher
    waits for ever. Does nothing where submitit is not installed, or `sacct` answers.
    """
    if shutil.which("scontrol") is None or _sacct_answers():
        return
    try:
        from submitit.slurm import slurm  # pyright: ignore[reportMissingImports]  (an extra)
    except ImportError:
        return
    if getattr(slurm.SlurmJob.watcher, "asks_scontrol", False):
        return

    class Watcher(slurm.SlurmInfoWatcher):
        """Asks the controller for each job that is not finished."""

        asks_scontrol = True

        def _make_command(self) -> list[str] | None:
            wanted = sorted({name.split("_")[0] for name in self._registered - self._finished})
            if not wanted:
                return None
            shows = "; ".join(f"scontrol -o show job {name}" for name in wanted)
            return ["sh", "-c", f"{shows}; exit 0"]

        def read_info(self, string: bytes | str) -> dict[str, dict[str, str]]:
            return states(string)

    slurm.SlurmJob.watcher = Watcher(delay_s=15)


def _sacct_answers() -> bool:
    try:
        done = subprocess.run(["sacct", "-n", "-X"], capture_output=True, timeout=20, check=False)
    except (OSError, subprocess.SubprocessError):
        return False
    return done.returncode == 0


def states(text: bytes | str) -> dict[str, dict[str, str]]:
    """The state of each job and array task in the output of `scontrol -o show job`.

    Returns:
        `JobID`, `State` and `NodeList` by the names that submitit gives: `17`, or `17_3` for a task of an array.
    """
    by_name: dict[str, dict[str, str]] = {}
    for line in (text.decode() if isinstance(text, bytes) else text).splitlines():
        pairs: dict[str, Any] = dict(_PAIR.findall(line))
        if "JobId" not in pairs:
            continue
        for name in _names(pairs):
            state = {"State": pairs.get("JobState", "UNKNOWN"), "NodeList": pairs.get("NodeList", "")}
            by_name[name] = {"JobID": name, **state}
    return by_name


def _names(pairs: dict[str, str]) -> list[str]:
    """The names of the tasks that one line stands for: waiting tasks of an array share a line."""
    array = pairs.get("ArrayJobId")
    if array is None:
        return [pairs["JobId"]]
    names = []
    for part in pairs.get("ArrayTaskId", "").split("%")[0].split(","):
        first, _, last = part.partition("-")
        if first.isdigit():
            names += [f"{array}_{task}" for task in range(int(first), int(last or first) + 1)]
    return names
