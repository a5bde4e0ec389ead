"""One synapse simulated: at once or in blocks that are kept; and what that would need."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from nmjmc.carried import Number
from nmjmc.data import provenance
from nmjmc.data.result import Result
from nmjmc.errors import ValidationError
from nmjmc.kernel.executor import settled
from nmjmc.kernel.host.sight import Size
from nmjmc.kernel.numerics import Numerics
from nmjmc.numbers import whole_number
from nmjmc.progress import listener, shown
from nmjmc.runtime import choose_devices, use_cache
from nmjmc.simulation.parts import Way, result_of, run_at_once, run_in_blocks
from nmjmc.simulation.request import MOST_VESICLES, SimulateRequest
from nmjmc.synapse.model import Synapse


def simulate(
    synapse: Synapse,
    vesicles: Number = 100,
    seed: Number | None = 0,
    *,
    duration: Number = 10.0,
    record_interval: Number = 0.01,
    numerics: Numerics | Mapping[str, Any] | None = None,
    device: str = "auto",
    cache: bool = True,
    first_vesicle: Number = 0,
    checkpoint: str | Path | None = None,
    checkpoint_vesicles: int = 128,
    on_chunk: Callable[[Any], None] | None = None,
    progress: bool | str = "auto",
) -> Result:
    """Follow every ACh molecule of many vesicles.

    The same arguments give the same bits on one kind of device, however the work is cut into batches. With
    `numerics={"executor": "auto"}`, the default, they also hang on whether the extra `fast` is installed; the result
    says which executor made it, and `rerun` takes the same.

    Args:
        synapse: What to simulate, for example `nmjmc.preparation("human")`.
        vesicles: How many quanta.
        seed: Seed of all randomness, 0 to 2^63 - 1; None draws one, which the result records.
        duration: Simulated time [ms], or text or an object with a unit; rounded up to whole record intervals.
        record_interval: Time between records [ms], or text or an object with a unit.
        numerics: How it is computed; fields of `nmjmc.kernel.numerics.Numerics`.
        device: `auto`, `cpu` or `gpu`; a missing GPU is refused.
        cache: Whether compiled programs are kept between processes.
        first_vesicle: Number of the first vesicle: 100 vesicles from 0 and 100 from 100 are 200 from 0.
        checkpoint: Folder for finished blocks of vesicles; a run that was killed goes on from there, to the
            same bits. It stays until you remove it (`nmjmc.data.checkpoint.remove`), once the result is saved.
        checkpoint_vesicles: Vesicles of a block, at least 1.
        on_chunk: Called with the progress between compiled chunks, which is then not drawn.
        progress: Whether it is drawn: True, False, or `auto` for a terminal and a notebook.

    Returns:
        The result, with its printed form, `summary()`, `plot()` and `save()`.

    Raises:
        ValidationError: If an argument cannot be right; nothing is computed then.
        SimulationError: If the run failed; no result is given then.

    Example:
        >>> import nmjmc
        >>> result = nmjmc.simulate(nmjmc.preparation("human"), vesicles=100, seed=0)  # doctest: +SKIP
    """
    request = SimulateRequest.of(
        {
            "vesicles": vesicles, "seed": seed, "duration": duration, "record_interval": record_interval,
            "numerics": numerics, "device": device, "cache": cache,
        }
    )  # fmt: skip
    run = request.run_of(synapse, first_vesicle)
    if checkpoint is not None and not isinstance(checkpoint, str | Path):
        raise ValidationError("checkpoint", repr(checkpoint), "a folder", 'for example "checkpoint"')
    size = whole_number(checkpoint_vesicles, "checkpoint_vesicles", 1, MOST_VESICLES)
    use_cache(cache)
    devices = choose_devices(device)
    run = replace(run, numerics=settled(run.numerics, synapse, devices[0]))
    with shown(progress if on_chunk is None else False) as show:
        way = Way(devices, listener(show, on_chunk))
        if checkpoint is None:
            parts = [run_at_once(run, way)]
        else:
            parts = run_in_blocks(run, way, checkpoint, size)
    return result_of(run, parts, devices)


def rerun(result: Result, **changes: Any) -> Result:
    """Simulate again what a result holds, from the same seed.

    Args:
        result: What `simulate` gave, or `load` read.
        **changes: Keywords of `simulate` that are to be others.

    Returns:
        The result; the same bits on the same device, versions and executor.
    """
    # results from before there was a choice were made by the pass of JAX
    numerics = {"executor": "jax", **dict(result.settings.get("numerics") or {})}
    return simulate(
        result.synapse, **{**result.settings, "numerics": numerics, "seed": result.seed, **changes}
    )


@dataclass(frozen=True)
class Plan:
    """What a run would need, before it is compiled.

    Attributes:
        vesicles: Quanta.
        records: Records of each vesicle.
        time_step: The kernel's time step in words.
        memory_bytes: Memory of the kernel and of the records [bytes].
        device: The device it would run on.
        view: Frames, molecules and sites that are kept for viewing.
    """

    vesicles: int
    records: int
    time_step: str
    memory_bytes: int
    device: str
    view: Size


def plan(
    synapse: Synapse,
    vesicles: Number = 100,
    seed: Number | None = 0,
    *,
    duration: Number = 10.0,
    record_interval: Number = 0.01,
    numerics: Numerics | Mapping[str, Any] | None = None,
    device: str = "auto",
) -> Plan:
    """Say what a run would need; arguments as for `simulate`, and refused alike.

    Returns:
        The plan.

    Raises:
        ValidationError: If an argument cannot be right.
    """
    from nmjmc.kernel import simulate as kernel

    request = SimulateRequest.of(
        {
            "vesicles": vesicles, "seed": seed, "duration": duration, "record_interval": record_interval,
            "numerics": numerics, "device": device,
        }
    )  # fmt: skip
    run = request.run_of(synapse)
    devices = choose_devices(device)
    needs = kernel.plan(
        synapse,
        vesicles=run.vesicles,
        duration=run.duration,
        record_interval=run.record_interval,
        numerics=run.numerics,
    )
    device_name = provenance.device_name(devices[0])
    return Plan(run.vesicles, needs.records, needs.time_step, needs.memory_bytes, device_name, needs.view)
