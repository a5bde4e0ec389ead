"""The library in a few names: simulate a synapse, load a result; what the command line calls too."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from nmjmc.arguments import MOST_VESICLES, SEEDS, checked, draw_seed, make_numerics, whole_number
from nmjmc.carried import Number
from nmjmc.data import provenance
from nmjmc.data.hdf5 import load
from nmjmc.data.result import Result
from nmjmc.errors import NmjmcError, ValidationError
from nmjmc.kernel.executor import settled
from nmjmc.kernel.numerics import Numerics
from nmjmc.progress import listener, shown
from nmjmc.runs import part_of, result_of, run_at_once, run_in_blocks
from nmjmc.runtime import choose_devices, use_cache
from nmjmc.synapse.model import Synapse

__all__ = [
    "MOST_VESICLES", "SEEDS", "Plan", "Point", "draw_seed", "load", "make_numerics", "plan", "rerun", "simulate",
    "simulate_many", "whole_number",
]  # fmt: skip


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
    run = checked(synapse, vesicles, seed, duration, record_interval, numerics, first_vesicle)
    if checkpoint is not None and not isinstance(checkpoint, str | Path):
        raise ValidationError("checkpoint", repr(checkpoint), "a folder", 'for example "checkpoint"')
    use_cache(cache)
    devices = choose_devices(device)
    run["numerics"] = settled(run["numerics"], synapse, devices[0])
    size = whole_number(checkpoint_vesicles, "checkpoint_vesicles", 1, MOST_VESICLES)
    with shown(progress if on_chunk is None else False) as show:
        how = {"devices": devices, "on_chunk": listener(show, on_chunk)}
        if checkpoint is None:
            parts = [run_at_once(synapse, run, how, run["first_vesicle"], run["vesicles"])]
        else:
            parts = run_in_blocks(synapse, run, how, checkpoint, size)
    return result_of(synapse, run, parts, devices)


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


@dataclasses.dataclass(frozen=True)
class Point:
    """One point of a sweep; the fields are as the arguments of `simulate`."""

    synapse: Synapse
    vesicles: Number = 100
    seed: Number | None = 0
    duration: Number = 10.0
    record_interval: Number = 0.01
    numerics: Numerics | Mapping[str, Any] | None = None


def simulate_many(
    points: Sequence[Point],
    *,
    device: str = "auto",
    cache: bool = True,
    on_chunk: Callable[[Any], None] | None = None,
    room: Any = None,
    progress: bool | str = "auto",
) -> Iterator[tuple[int, Result | NmjmcError]]:
    """Simulate many parameter sets, of which those that differ only in numbers share one compilation.

    Small points ride together in one batch, so that they fill the device. A point's bits do not depend on its company:
    they are those of `simulate`.

    Args:
        points: What to simulate.
        device: `auto`, `cpu` or `gpu`; a missing GPU is refused.
        cache: Whether compiled programs are kept between processes.
        on_chunk: Called with the progress of points of one kind between compiled chunks.
        room: Where these points are some of many, what `nmjmc.kernel.many.room_of` says of all: they then share their
            programs with those of other calls.
        progress: Whether the points that are done are counted on a line: True, False, or `auto` for a terminal and a
            notebook; not where there is `on_chunk`.

    Yields:
        The number of a point and its result, or the error that says why it has none, as soon as it is finished; in
        any order.

    Raises:
        ValidationError: If there is no such device.

    Example:
        >>> import nmjmc
        >>> human = nmjmc.preparation("human")
        >>> some = [Point(nmjmc.replace(human, "receptor.density", d)) for d in (2500, 5000)]
        >>> peaks = {at: found.summary() for at, found in simulate_many(some)}  # doctest: +SKIP
    """
    from nmjmc.kernel import many

    if isinstance(points, Point) or not all(isinstance(point, Point) for point in points):
        raise ValidationError("points", repr(points)[:60], "a list of Points", "for example [Point(synapse)]")
    use_cache(cache)
    devices = choose_devices(device)
    runs, places = [], []
    for index, point in enumerate(points):
        values = {item.name: getattr(point, item.name) for item in dataclasses.fields(Point)}
        try:
            run = checked(**values, first_vesicle=0)
            run["numerics"] = settled(run["numerics"], point.synapse, devices[0])
            runs.append(run | {"synapse": point.synapse})
            places.append(index)
        except NmjmcError as error:
            yield index, error
    requests = [many.Request(**run) for run in runs]
    done = 0
    with shown(progress if on_chunk is None else False) as show:
        for found, record in many.run_many(requests, devices=devices, on_chunk=on_chunk, room=room):
            run, done = runs[found], done + 1
            if show is not None:
                show("simulating", done / len(runs), f"{done:,} of {len(runs):,} points")
            if isinstance(record, NmjmcError):
                yield places[found], record
            else:
                yield places[found], result_of(run["synapse"], run, [part_of(record, True)], devices)


@dataclasses.dataclass(frozen=True)
class Plan:
    """What a run would need, before it is compiled.

    Attributes:
        vesicles: Quanta.
        records: Records of each vesicle.
        time_step: The kernel's time step in words.
        memory_bytes: Memory of the kernel and of the records [bytes].
        device: The device it would run on.
    """

    vesicles: int
    records: int
    time_step: str
    memory_bytes: int
    device: str


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

    run = checked(synapse, vesicles, seed, duration, record_interval, numerics, 0)
    devices = choose_devices(device)
    names = ("vesicles", "duration", "record_interval", "numerics")
    found = kernel.plan(synapse, **{name: run[name] for name in names})
    device_name = provenance.device_name(devices[0])
    return Plan(run["vesicles"], found.records, found.time_step, found.memory_bytes, device_name)
