"""What a run took is kept, and what one would take is told by a dry run: the same parts under the same names."""

from __future__ import annotations

import time
from dataclasses import dataclass

from nmjmc.data import speed
from nmjmc.data.speed import Cost, Line, Typical

# measured on two cores of a server, and rounded; where a machine has run nothing yet, they are all there is
TYPICAL = {
    "simulate warp disc": Typical(Line(0.3, 0.015), 4.0, 3.0, Line(1.0, 0.001)),
    "simulate warp": Typical(Line(0.5, 0.08), 4.0, 3.0, Line(1.0, 0.001)),
    "simulate jax": Typical(Line(2.0, 0.08), 60.0, 3.0, Line(1.0, 0.001)),
    "bedside": Typical(Line(20.0, 0.001), 5.0, 4.0, Line(1.0, 1e-6)),
    "quanta alone": Typical(Line(0.2, 1e-6), 5.0, 4.0, Line(1.0, 1e-6)),
    "fit": Typical(Line(10.0, 4.0), 1e-3, 4.0, Line(1e-3, 1e-6)),
}


@dataclass(frozen=True)
class Kind:
    """Under which names a run is kept, and how much work it is.

    Attributes:
        names: The narrowest first: the key of its config, a name that others share, and one of `TYPICAL`.
        work: Vesicles, stimuli of fibres, or parameters of a fit.
        device: What it runs on.
        reading: What a later run of the same config reads from the cache, in a word.
        cached: Whether there is a cache.
        shared: Whether runs of other parameters need no other programs.
    """

    names: tuple[str, ...]
    work: float
    device: str
    reading: str
    cached: bool
    shared: bool = False


def in_words(kind: Kind) -> str:
    """How long a run would take by parts, and by what that is known."""
    typical = TYPICAL[kind.names[-1]]
    found = speed.foretell(kind.device, kind.names, kind.work, typical, kind.cached, kind.shared)
    if not found.by and not kind.device.startswith("cpu"):
        return f"not known on {kind.device} before the first run"
    cost = found.cost
    parts = {kind.reading: cost.compiling, "running": cost.running, "starting": cost.starting,
             "saving": cost.saving}  # fmt: skip
    told = ", ".join(f"{_seconds(part)} {name}" for name, part in parts.items() if name and part >= 0.01)
    return f"{_seconds(cost.total)} on {kind.device} ({told}; {_why(kind, found.by)})"


def _why(kind: Kind, by: str) -> str:
    if by == kind.names[0]:
        return "by earlier runs of this config"
    if not by:
        return "a guess, as this machine has kept no such run: what two cores of a server took"
    other = f"perhaps, by runs of {by} with other parameters"
    return other if by == kind.names[1] else f"a guess, by runs of {by}"


def _seconds(seconds: float) -> str:
    return f"{seconds:,.0f} s" if seconds >= 10 else f"{seconds:.2g} s"


def keep(
    kind: Kind,
    times: tuple[float, float, float],
    compiling: float = 0.0,
    running: float | None = None,
) -> None:
    """Keep what a run took, which ends now.

    Args:
        kind: What was run.
        times: When the process or its last run began, was ready, and was done but for its files, of
            `time.perf_counter` [s].
        compiling: What of it a later run reads from the cache [s].
        running: Of it the run itself; by default all the rest, and else what remains is starting too [s].
    """
    began, ready, done = times
    running = max(done - ready - compiling, 0.0) if running is None else running
    starting = max(ready - began + (done - ready - running - compiling), 0.0)
    saving = time.perf_counter() - done
    speed.remember_cost(kind.device, kind.names, Cost(kind.work, running, compiling, starting, saving))
