"""The checkpoint of a fit: written on a clock and when the fit ends, however it ends."""

from __future__ import annotations

import dataclasses
import hashlib
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from nmjmc.data import provenance
from nmjmc.data.checkpoint import fingerprint, leave_out, load_arrays, save_arrays
from nmjmc.fitting.optimise import FitState
from nmjmc.fitting.problem import Problem
from nmjmc.fitting.uncertainty import Profile
from nmjmc.synapse.build import describe

CLOCK = 10.0
"""Seconds between writings."""

_AGAIN = "the fit begins anew"
_STATE = "state:"
_PROFILE = "profile:"
_POSTERIOR = "posterior:"


class FitCheckpoint:
    """Writes and reads the state of a fit, with the profiles and draws that are done.

    Attributes:
        path: The file, if any.
        key: Fingerprint of everything that decides the bits of the fit.
        state: Where the fit is, if it has begun.
        phase: 0 on the way down, 1 once the errors are weighed and the predictions corrected.
        extra: Where the errors were weighed, and the estimator's arrays.
    """

    def __init__(self, path: str | Path | None, key: str) -> None:
        self.path, self.key = path, key
        self._arrays = {} if path is None else _read(Path(path), key)
        self._written, self._fresh = time.monotonic(), True
        plain = {n.removeprefix(_STATE): v for n, v in self._arrays.items() if n.startswith(_STATE)}
        self.state = FitState(**plain) if plain else None
        self.phase = int(self._arrays.get("phase", np.array(0)))
        self.extra = {n: v for n, v in self._arrays.items() if ":" not in n and n != "phase"}

    def keep(self, state: FitState, phase: int, extra: Mapping[str, np.ndarray]) -> None:
        """Take a state; it is on the disk when the clock says so."""
        self.state, self.phase, self.extra = state, phase, dict(extra)
        profiles = {n: v for n, v in self._arrays.items() if n.startswith(_PROFILE)}
        named = {_STATE + n: v for n, v in state.arrays().items()}
        self._take({**profiles, **named, "phase": np.array(phase), **extra})

    def keep_profile(self, curve: Profile) -> None:
        """Take a finished profile."""
        ends = np.array([curve.low, curve.high, curve.level])
        arrays = {"values": curve.values, "losses": curve.losses, "ends": ends}
        self._take(self._arrays | {f"{_PROFILE}{curve.name}:{n}": v for n, v in arrays.items()})

    def profile(self, name: str) -> Profile | None:
        """A finished profile, if there is one."""
        head = f"{_PROFILE}{name}:"
        if head + "ends" not in self._arrays:
            return None
        low, high, level = (float(end) for end in self._arrays[head + "ends"])
        return Profile(name, self._arrays[head + "values"], self._arrays[head + "losses"], low, high, level)

    def keep_posterior(self, arrays: Mapping[str, np.ndarray]) -> None:
        """Take the state of the chains."""
        self._take(self._arrays | {_POSTERIOR + n: v for n, v in arrays.items()})

    def posterior(self) -> dict[str, np.ndarray]:
        """The state of the chains; empty before their first draw."""
        return {n.removeprefix(_POSTERIOR): v for n, v in self._arrays.items() if n.startswith(_POSTERIOR)}

    def _take(self, arrays: dict[str, np.ndarray]) -> None:
        self._arrays, self._fresh = arrays, False
        if time.monotonic() - self._written >= CLOCK:
            self.flush()

    def flush(self) -> None:
        """Write what is not on the disk yet."""
        if self.path is None or self._fresh:
            return
        save_arrays(self.path, self.key, self._arrays)
        self._written, self._fresh = time.monotonic(), True


def _read(path: Path, key: str) -> dict[str, np.ndarray]:
    """The arrays of a checkpoint that can be gone on from; none where there is none, or it is damaged."""
    arrays = load_arrays(path, key, _AGAIN, "fit") or {}
    wanted = {_STATE + item.name for item in dataclasses.fields(FitState)}
    heads = {name.rpartition(":")[0] for name in arrays if name.startswith(_PROFILE)}
    wanted |= {f"{head}:{part}" for head in heads for part in ("values", "losses", "ends")}
    if arrays and not wanted <= set(arrays):
        leave_out(path, "something of it is missing", _AGAIN)
        return {}
    return arrays


def key_of(problem: Problem, settings: Mapping[str, Any]) -> str:
    """Fingerprint of data, parameters, settings and versions; the number of steps is no part of it."""
    digest = hashlib.sha256()
    for term in problem.terms:
        digest.update(repr((term.name, type(term).__name__, term.condition)).encode() + term.data.tobytes())
        digest.update(term.likelihood.information(term.data).tobytes())
    p = problem.parameters
    for values in (p.low, p.high, p.start, p.prior_mean, p.prior_sd):
        digest.update(values.tobytes())
    key = {
        "data": digest.hexdigest(), "names": p.names, "synapse": describe(problem.synapse), "fixed": problem.fixed,
        **settings, **provenance.versions(),
    }  # fmt: skip
    return fingerprint({name: value for name, value in key.items() if name != "steps"})
