"""How a run is computed: the knobs that change its cost and its error, never its physics."""

from __future__ import annotations

from dataclasses import dataclass

from nmjmc.errors import ValidationError
from nmjmc.numbers import in_units

EXECUTORS = ("auto", "warp", "jax")
TRANSPORTS = ("auto", "exact", "stepped")
LONGEST_STEP = 2.5e-3
"""Longest step that the default takes [ms]; the convergence experiment shows what it costs (a choice)."""
TIMES = (
    "shortest_step",
    "longest_step",
    "growth_time",
    "diffusion_step",
    "view_interval",
    "view_onset_interval",
)
"""The fields that are times [ms]."""
OF_THE_PASS = ("shortest_step", "longest_step", "growth_time", "step_scale", "diffusion_step")
"""The fields that the pass of JAX has: events in their exact order have no time step."""
OF_STEPS = ("step_scale", "diffusion_step")
"""Those of them that also set the steps of motion where transport is by steps."""


@in_units(
    "numerics", executor="*", transport="*", shortest_step="ms", longest_step="ms", growth_time="ms", step_scale="",
    diffusion_step="ms", batch="#", chunk="#", view_interval="ms",
    view_onset_interval="ms", view_patch="#", view_molecules="#",
)  # fmt: skip
@dataclass(frozen=True)
class Numerics:
    """Settings of the kernel; the defaults meet the accuracy that the documentation states.

    Times may be given as text with a unit or as objects that carry one, too.

    Attributes:
        executor: `warp` (one thread follows one patch, event after event in their exact order; needs the extra
            `fast`), `jax` (a pass over all patches at once, by time steps; any device), or `auto` (`warp` where it is
            installed and can). Results name the one that made them; they differ by chance alone.
        transport: `exact` (flat clefts: from one binding attempt to the next in one step), `stepped` (any cleft:
            Gaussian steps of fixed length, capture by Andrews' equations), or `auto` (exact where it can be).
        shortest_step: time step just after a release [ms].
        longest_step: longest time step [ms]; None takes the largest that the rates allow, at most 2.5 us.
        growth_time: time since a release after which the step has doubled [ms].
        step_scale: factor on every time step; 0.5 halves them all, which is the convergence test.
        diffusion_step: time step of `stepped` transport [ms]; None takes the largest that is accurate.
        batch: vesicles that are simulated side by side; 0 chooses.
        chunk: most records between two looks of the host.
        view_interval: time between views of the molecules and sites of one vesicle's patch [ms], rounded to whole
            records; None keeps none. Views change no count. `nmjmc view` and `nmjmc film` show them.
        view_onset_interval: the same for the first 0.1 ms after each release, where most happens; None: no other.
        view_patch: number of the vesicle (or patch) that is viewed; None: the run's first.
        view_molecules: most molecules that are kept, evenly spread over their numbers; None keeps all.
    """

    executor: str = "auto"
    transport: str = "auto"
    shortest_step: float = 4.0e-4
    longest_step: float | None = None
    growth_time: float = 0.07
    step_scale: float = 1.0
    diffusion_step: float | None = None
    batch: int = 0
    chunk: int = 32
    view_interval: float | None = None
    view_onset_interval: float | None = None
    view_patch: int | None = None
    view_molecules: int | None = None

    def __post_init__(self) -> None:
        if not isinstance(self.transport, str):
            raise ValidationError("numerics.transport", self.transport, "a word")
