"""A sweep's worker processes, started by one of hydra's launchers, all on one folder."""

from __future__ import annotations

import importlib.util
import os
import sys
from collections.abc import Sequence
from pathlib import Path

import hydra
from omegaconf import DictConfig

from nmjmc.cli import hydra_words
from nmjmc.cli.compose import REFUSALS, composed, launcher, sentence
from nmjmc.cli.config_file import quote
from nmjmc.data.sweep import Sweep
from nmjmc.errors import NmjmcError, ValidationError, nearest
from nmjmc.folders import config_dir
from nmjmc.sweeps import slurm
from nmjmc.sweeps.detached import submit
from nmjmc.sweeps.run import run
from nmjmc.sweeps.work import Worker

# the extra of pyproject.toml and the plugin of each launcher
_EXTRAS = {
    "joblib": ("joblib", "joblib"),
    "submitit_local": ("slurm", "submitit"),
    "submitit_slurm": ("slurm", "submitit"),
    "slurm_gpu": ("slurm", "submitit"),
    "ray": ("ray", "ray"),
}
_PASSED_ON = ("device", "cache", "together", "stop_on_failure")


def launch(folder: Path, worker: Worker, count: int, words: Sequence[str]) -> None:
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
    prepared = hydra_words.prepared(words)
    composed([f"folder={quote(str(folder.resolve()))}", *prepared], "worker")
    slurm.ask_scontrol()
    # else Ray runs its workers at nice 15, and where anything else computes they hardly begin
    os.environ.setdefault("RAY_worker_niceness", "0")
    numbers = ",".join(map(str, range(count)))
    given = [f"folder={quote(str(folder.resolve()))}", f"worker={numbers}", *_passed_on(worker)]
    decorated = hydra.main(config_path=str(config_dir()), config_name="worker", version_base="1.3")(
        run_worker
    )
    os.environ["HYDRA_FULL_ERROR"] = "1"  # exceptions come to us, and we make sentences of them
    saved, sys.argv = sys.argv, ["nmjmc sweep", "--multirun", *given, *prepared]
    try:
        decorated()
    except SystemExit as done:
        if done.code:
            raise NmjmcError(f"A worker of the sweep ended with {done.code}; see {folder}/jobs.") from done
    except REFUSALS as error:
        raise sentence(error) from error
    except (NmjmcError, OSError):
        raise
    except Exception as error:
        # the launcher's own, of whatever kind its library has: a worker died, or could not record its error
        raise NmjmcError(_ended(error, folder)) from error
    finally:
        sys.argv = saved


def _passed_on(worker: Worker) -> list[str]:
    return [f"{name}={str(getattr(worker, name)).lower()}" for name in _PASSED_ON]


def detach(sweep: Sweep, worker: Worker, count: int, kind: str, words: Sequence[str]) -> list[str]:
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
    folder = f"folder={quote(str(sweep.path.resolve()))}"
    found = launcher([folder, *hydra_words.prepared(words)], "worker")
    return submit(sweep, worker, count, kind, found)


def _ended(error: Exception, folder: Path) -> str:
    """Why the workers ended, in a sentence; the launcher adds the worker's whole log."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    why = (lines[0] if lines else type(error).__name__).rstrip(".: ")[:200]
    return (
        f"A worker of the sweep ended before its points were done ({why}). What is finished is whole; the logs stand "
        f"in {folder}/jobs. Go on with: nmjmc sweep resume={folder}"
    )


def _installed(words: Sequence[str]) -> None:
    """Refuse a launcher that there is not, and one whose library is missing, and say how to install it."""
    for name in (word.partition("=")[2] for word in words if word.startswith("hydra/launcher=")):
        if name not in (*_EXTRAS, "basic"):
            raise ValidationError(
                "hydra/launcher", repr(name), "a known launcher", nearest(name, (*_EXTRAS, "basic"))
            )
        extra = _EXTRAS.get(name)
        if extra and importlib.util.find_spec(f"hydra_plugins.hydra_{extra[1]}_launcher") is None:
            hint = f'install it with pip install "nmjmc[{extra[0]}]"'
            raise ValidationError("hydra/launcher", f"{name}, which is not here", "installed", hint)


def run_worker(config: DictConfig) -> None:
    """One worker: run points until none is left; what a launcher pickles and starts."""
    run(
        Sweep.open(config.folder),
        Worker(config.device, config.cache, config.together, config.stop_on_failure),
        progress=False,
    )
