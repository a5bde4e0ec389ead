"""What a run would need: its time step, memory and time, by what such runs have taken on this machine."""

from __future__ import annotations

from nmjmc.data import foretelling, speed
from nmjmc.data.foretelling import Kind
from nmjmc.data.result import Result
from nmjmc.simulation import simulate as simulation
from nmjmc.simulation.config import Simulation
from nmjmc.simulation.simulate import Plan
from nmjmc.synapse.cleft import Folded

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
        "predicted time": foretelling.in_words(_kind(asked, plan.device)),
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


def _kind(asked: Simulation, device: str) -> Kind:
    """What foretells a simulation whose executor is settled."""
    executor = str(asked.config()["numerics"].get("executor", "jax"))
    flat = " disc" if executor == "warp" and not isinstance(asked.synapse.cleft, Folded) else ""
    names = (asked.cost_digest(), f"{asked.synapse.name}, {executor}", f"simulate {executor}{flat}")
    request, shared = asked.request, executor == "warp"
    return Kind(names, float(request.vesicles), device, "compiling", bool(request.cache), shared)


def remember(asked: Simulation, result: Result, times: tuple[float, float, float]) -> None:
    """Keep what a run took, for the next estimate.

    Args:
        asked: What was simulated.
        result: Of the run.
        times: When the command began, the kernel was asked, and the kernel was done [s].
    """
    made = result.provenance
    device, running = str(made["device"]), float(made["run_seconds"])
    foretelling.keep(_kind(asked, device), times, float(made["compile_seconds"]), running)
    speed.remember(device, asked.cost_digest(), running, result.vesicles)
