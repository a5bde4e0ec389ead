"""What a run would need: its time step, memory and time, by what such runs have taken on this machine."""

from __future__ import annotations

from nmjmc.data import speed
from nmjmc.data.result import Result
from nmjmc.simulation import simulate as simulation
from nmjmc.simulation.config import Simulation
from nmjmc.simulation.simulate import Plan

_BASE_MIB = 600  # of a process that simulates 100 vesicles (measured; docs/benchmarks.md)


def plan_of(asked: Simulation) -> Plan:
    """What a run would need; what cannot be run is refused.

    Raises:
        ValidationError: Naming the setting.
    """
    names = ("vesicles", "seed", "duration", "record_interval", "numerics", "device")
    return simulation.plan(asked.synapse, **{name: getattr(asked.request, name) for name in names})


def sentences(asked: Simulation, plan: Plan) -> dict[str, str]:
    """What a run would need, in words by name, after what diseases and drugs change."""
    memory = f"{plan.memory_bytes / 2**20:,.0f} MiB"
    return {
        **{f"changes {path}": words for path, words in asked.changes().items()},
        "time step": plan.time_step,
        "records": f"{plan.records:,} a vesicle",
        **_views(plan),
        "memory": f"{memory}, and some {_BASE_MIB} MiB of Python, JAX and programs",
        "predicted time": _time(plan, asked),
    }


def _views(plan: Plan) -> dict[str, str]:
    """What is kept for viewing; nothing where no views are asked for."""
    view = plan.view
    if not view.frames:
        return {}
    size = f"{view.bytes / 1e6:,.0f} MB, of which compression leaves a tenth in the file"
    return {
        "views": f"{view.frames:,} frames of {view.molecules:,} molecules and {view.sites:,} sites: {size}"
    }


def _time(plan: Plan, asked: Simulation) -> str:
    """How long the run would take, by what such runs have taken on this machine."""
    name = asked.synapse.name
    known = speed.foretell(plan.device, asked.cost_digest(), name, plan.vesicles, asked.request.cache)
    if known is None:
        return f"not known on {plan.device} before the first run of {name}"
    cost, same = known
    parts = f"{_seconds(cost.compiling)} compiling, {_seconds(cost.running)} running, "
    parts += f"{_seconds(cost.starting)} starting, {_seconds(cost.saving)} saving"
    source = "by earlier runs of this config" if same else f"perhaps, by runs of {name} with other parameters"
    return f"{_seconds(cost.total)} on {plan.device} ({parts}; {source})"


def _seconds(seconds: float) -> str:
    return f"{seconds:,.0f} s" if seconds >= 10 else f"{seconds:.2g} s"


def remember(asked: Simulation, result: Result, times: tuple[float, float, float, float]) -> None:
    """Keep what a run took, for the next estimate.

    Args:
        asked: What was simulated.
        result: Of the run.
        times: When the command began, the kernel was asked, the kernel was done, and all was written [s].
    """
    began, ready, simulated, ended = times
    made, names = result.provenance, (asked.cost_digest(), asked.synapse.name)
    running, compiling = float(made["run_seconds"]), float(made["compile_seconds"])
    # what the kernel's call took beside its own two is starting too
    starting = max(ready - began + (simulated - ready - running - compiling), 0.0)
    cost = speed.Cost(result.vesicles, running, compiling, starting, ended - simulated)
    speed.remember_cost(str(made["device"]), names, cost)
    for name in names:
        speed.remember(str(made["device"]), name, running, result.vesicles)
