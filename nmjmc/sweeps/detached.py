"""Workers of a sweep that are submitted and left: jobs of Slurm, or processes on this machine that outlive this one."""

from __future__ import annotations

import glob
import json
import os
import subprocess
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from nmjmc.data.atomic import write_text
from nmjmc.data.seal import DamageError, content_of
from nmjmc.data.sweep import Sweep
from nmjmc.errors import NmjmcError
from nmjmc.sweeps.run import run
from nmjmc.sweeps.slurm import ask_scontrol, states
from nmjmc.sweeps.work import Worker

_RECORD = "jobs/submitted.json"
# what submitit takes for every kind of cluster; all else is told by the kind's name
_SHARED = ("name", "nodes", "tasks_per_node", "cpus_per_task", "gpus_per_node", "mem_gb", "timeout_min",
           "stderr_to_stdout")  # fmt: skip
_WAITING = ("PENDING", "CONFIGURING", "REQUEUED", "SUSPENDED")


@dataclass(frozen=True)
class Job:
    """One worker, as submitit pickles and starts it; a job that is requeued begins anew, with what is missing.

    Attributes:
        folder: The sweep's, absolute.
        worker: How its points are run.
    """

    folder: str
    worker: Worker

    def __call__(self, number: int) -> None:
        """Run points until none is left; `number` tells the workers apart in the logs."""
        run(Sweep.open(self.folder), self.worker, progress=False)

    def checkpoint(self, number: int) -> Any:
        """What follows this job where it meets its time limit."""
        import submitit  # pyright: ignore[reportMissingImports]  (an extra)

        return submitit.helpers.DelayedSubmission(self, number)


def submit(sweep: Sweep, worker: Worker, count: int, kind: str, parameters: Mapping[str, Any]) -> list[str]:
    """Submit workers and return at once.

    Args:
        sweep: Whose folder every worker must see.
        worker: How its points are run.
        count: Number of workers.
        kind: `slurm` or `local`.
        parameters: Of the launcher, as `configs/hydra/launcher` names them.

    Returns:
        The names of the jobs.

    Raises:
        NmjmcError: If the cluster refuses them.
    """
    import submitit  # pyright: ignore[reportMissingImports]  (an extra)
    from submitit.core.utils import FailedJobError  # pyright: ignore[reportMissingImports]  (an extra)

    if kind == "slurm":
        ask_scontrol()
    given = {
        name if name in _SHARED else f"{kind}_{name}": value
        for name, value in parameters.items()
        if name not in ("submitit_folder", "max_num_timeout", "_target_")
    }
    timeouts = parameters.get("max_num_timeout")
    more = {} if timeouts is None else {f"{kind}_max_num_timeout": timeouts}
    try:
        executor = submitit.AutoExecutor(parameters["submitit_folder"], cluster=kind, **more)
        executor.update_parameters(**given)
        jobs = executor.map_array(Job(str(sweep.path.resolve()), worker), range(count))
    except (
        RuntimeError,
        OSError,
        ValueError,
        subprocess.SubprocessError,
        FailedJobError,
    ) as error:
        why = (str(error).strip().splitlines() or [type(error).__name__])[-1].rstrip(".")[:200]
        raise NmjmcError(f"The workers were not submitted: {why}.") from error
    names = [job.job_id for job in jobs]
    before = _submitted(sweep.path)
    write_text(sweep.path / _RECORD, json.dumps([*before, {"kind": kind, "jobs": names}], indent=1))
    return names


def _submitted(folder: Path) -> list[dict[str, Any]]:
    try:
        found = json.loads(content_of(folder / _RECORD))
    except (OSError, ValueError, DamageError):
        return []
    return [item for item in found if isinstance(item, dict)] if isinstance(found, list) else []


def workers_in_words(folder: Path) -> str:
    """What the submitted workers of a sweep do now, such as `2 running, 1 waiting`; "" where none was submitted."""
    counted: Counter[str] = Counter()
    for item in _submitted(folder):
        names = [str(name) for name in item.get("jobs", ())]
        counted.update(_slurm(names) if item.get("kind") == "slurm" else [_local(folder, n) for n in names])
    return ", ".join(
        f"{counted[state]} {state}" for state in ("running", "waiting", "ended") if counted[state]
    )


def _slurm(names: list[str]) -> list[str]:
    """The states of jobs of Slurm; the controller forgets those that ended a while ago."""
    by_name: dict[str, dict[str, str]] = {}
    for job in sorted({name.split("_")[0] for name in names}):
        try:
            done = subprocess.run(
                ["scontrol", "-o", "show", "job", job], capture_output=True, timeout=20, check=False
            )
        except (OSError, subprocess.SubprocessError):
            return []
        by_name |= states(done.stdout)
    said = [by_name.get(name, {}).get("State", "") for name in names]
    return [
        "waiting" if s in _WAITING else "running" if s in ("RUNNING", "COMPLETING") else "ended" for s in said
    ]


def _local(folder: Path, name: str) -> str:
    """The state of a process of this machine; what it has left tells that it ended."""
    if any((folder / "jobs").glob(f".submitit/*/{glob.escape(name)}_*_result.pkl")):
        return "ended"
    try:
        os.kill(int(name), 0)
    except (OSError, ValueError):
        return "ended"
    return "running"
