"""A sweep's worker processes, started by one of hydra's launchers, all on one folder."""

from __future__ import annotations

import importlib.util
import os
from collections.abc import Sequence
from pathlib import Path

from omegaconf import DictConfig

from nmjmc.cli.hydra_main import Run, hand_over, launcher, told
from nmjmc.cli.hydra_words import LAUNCHER
from nmjmc.cli.words import Word
from nmjmc.data.sweep import Sweep
from nmjmc.errors import NmjmcError, ValidationError, nearest
from nmjmc.sweeps import slurm
from nmjmc.sweeps.detached import submit
from nmjmc.sweeps.run import run
from nmjmc.sweeps.work import Worker

# hydra's plugin of each launcher
_PLUGINS = {
    "joblib": "joblib",
    "submitit_local": "submitit",
    "submitit_slurm": "submitit",
    "slurm_gpu": "submitit",
    "ray": "ray",
}
_PASSED_ON = ("device", "cache", "together", "stop_on_failure")


def launch(folder: Path, worker: Worker, count: int, words: Sequence[Word]) -> None:
    """Start the workers through hydra's launcher, and wait for them.

    Args:
        folder: The sweep's folder, which every worker must see.
        worker: How each runs its points.
        count: Number of workers.
        words: What hydra is told, such as `hydra/launcher=submitit_slurm`.

    Raises:
        ValidationError: If hydra refuses the words.
        NmjmcError: If a worker ended in an error of its own.
    """
    _installed(words)
    slurm.ask_scontrol()
    # else Ray runs its workers at nice 15, and where anything else computes they hardly begin
    os.environ.setdefault("RAY_worker_niceness", "0")
    place = folder.resolve()
    asked = {"folder": str(place), "worker": {name: getattr(worker, name) for name in _PASSED_ON}}
    runs = [Run(f"worker-{number}", asked) for number in range(count)]
    try:
        code = hand_over(runs, run_worker, "nmjmc sweep", sweep=str(place / "jobs"), words=words)
    except (NmjmcError, OSError):
        raise
    except Exception as error:
        # the launcher's own, of whatever kind its library has: a worker died, or could not record its error
        raise NmjmcError(_ended(error, folder)) from error
    if code:
        raise NmjmcError(f"A worker of the sweep ended with {code}; see {folder}/jobs.")


def run_worker(config: DictConfig) -> None:
    """One worker: run points until none is left; what a launcher pickles and starts."""
    asked = told(config)
    run(Sweep.open(asked["folder"]), Worker(**asked["worker"]), progress=False)


def detach(sweep: Sweep, worker: Worker, count: int, kind: str, words: Sequence[Word]) -> list[str]:
    """Submit the workers that a launcher of submitit would start, and leave them.

    Args:
        sweep: The sweep.
        worker: How its points are run.
        count: Number of workers.
        kind: The kind of cluster, `slurm` or `local`.
        words: What hydra is told, such as `hydra/launcher=submitit_slurm`.

    Returns:
        The names of the jobs.

    Raises:
        ValidationError: If hydra refuses the words.
        NmjmcError: If the cluster refuses them.
    """
    _installed(words)
    return submit(sweep, worker, count, kind, launcher(words, sweep=str(sweep.path.resolve() / "jobs")))


def _ended(error: Exception, folder: Path) -> str:
    """Why the workers ended, in a sentence; the launcher adds the worker's whole log."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    why = (lines[0] if lines else type(error).__name__).rstrip(".: ")[:200]
    return (
        f"A worker of the sweep ended before its points were done ({why}). What is finished is whole; the logs stand "
        f"in {folder}/jobs. Go on with: nmjmc sweep resume={folder}"
    )


def _installed(words: Sequence[Word]) -> None:
    """Refuse a launcher that there is not, and one whose library is missing, and say how to install it."""
    for name in ((word.text or "").strip() for word in words if word.key == LAUNCHER):
        if name not in (*_PLUGINS, "basic"):
            raise ValidationError(
                LAUNCHER, repr(name), "a known launcher", nearest(name, (*_PLUGINS, "basic"))
            )
        plugin = _PLUGINS.get(name)
        if plugin and importlib.util.find_spec(f"hydra_plugins.hydra_{plugin}_launcher") is None:
            hint = f"install it with pip install hydra-{plugin}-launcher"
            raise ValidationError(LAUNCHER, f"{name}, which is not here", "installed", hint)
