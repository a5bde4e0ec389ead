"""The library in a few names: simulate a synapse, load a result; what the command line calls too."""

from __future__ import annotations

import dataclasses
import secrets
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from nmjmc.data import checkpoint as blocks
from nmjmc.data import provenance
from nmjmc.data.hdf5 import load
from nmjmc.data.result import Result
from nmjmc.errors import NmjmcError, ValidationError, nearest
from nmjmc.kernel.numerics import TIMES, Numerics
from nmjmc.runtime import choose_devices, use_cache
from nmjmc.synapse.build import describe
from nmjmc.synapse.model import Synapse
from nmjmc.units import to_internal

__all__ = ["Plan", "Point", "draw_seed", "load", "make_numerics", "plan", "simulate", "simulate_many"]

SEEDS = 2**63  # what a file's attribute holds
MOST_VESICLES = 2**24
MOST_RECORDS = 10**6
_VIEWS = ("view_time", "views")


def simulate(
    synapse: Synapse,
    vesicles: int | float | str = 100,
    seed: int | float | str | None = 0,
    *,
    duration: float | str = 10.0,
    record_interval: float | str = 0.01,
    numerics: Numerics | Mapping[str, Any] | None = None,
    device: str = "auto",
    cache: bool = True,
    first_vesicle: int | float | str = 0,
    checkpoint: str | Path | None = None,
    checkpoint_vesicles: int = 128,
    on_chunk: Callable[[Any], None] | None = None,
) -> Result:
    """Follow every ACh molecule of many vesicles.

    The same arguments give the same bits on one kind of device, however the work is cut into batches.

    Args:
        synapse: What to simulate, for example `nmjmc.preparation("human")`.
        vesicles: How many quanta.
        seed: Seed of all randomness, 0 to 2^63 - 1; None draws one, which the result records.
        duration: Simulated time [ms], or text with a unit; rounded up to whole record intervals.
        record_interval: Time between records [ms], or text with a unit.
        numerics: How it is computed; fields of `nmjmc.kernel.numerics.Numerics`.
        device: `auto`, `cpu` or `gpu`; a missing GPU is refused.
        cache: Whether compiled programs are kept between processes.
        first_vesicle: Number of the first vesicle: 100 vesicles from 0 and 100 from 100 are 200 from 0.
        checkpoint: Folder for finished blocks of vesicles; a run that was killed goes on from there, to the
            same bits. It stays until you remove it (`nmjmc.data.checkpoint.remove`), once the result is saved.
        checkpoint_vesicles: Vesicles of a block, at least 1.
        on_chunk: Called with the progress between compiled chunks.

    Returns:
        The result, with its printed form, `summary()`, `plot()` and `save()`.

    Raises:
        ValidationError: If an argument cannot be right; nothing is computed then.
        SimulationError: If the run failed; no result is given then.

    Example:
        >>> import nmjmc
        >>> result = nmjmc.simulate(nmjmc.preparation("human"), vesicles=100, seed=0)  # doctest: +SKIP
    """
    run = _checked(synapse, vesicles, seed, duration, record_interval, numerics, first_vesicle)
    if checkpoint is not None and not isinstance(checkpoint, str | Path):
        raise ValidationError("checkpoint", repr(checkpoint), "a folder", 'for example "checkpoint"')
    use_cache(cache)
    how = {"devices": choose_devices(device), "on_chunk": on_chunk}
    if checkpoint is None:
        parts = [_run(synapse, run, how, run["first_vesicle"], run["vesicles"])]
    else:
        size = whole_number(checkpoint_vesicles, "checkpoint_vesicles", 1, MOST_VESICLES)
        parts = _run_in_blocks(synapse, run, how, checkpoint, size)
    return _result(synapse, run, parts, how["devices"])


@dataclasses.dataclass(frozen=True)
class Point:
    """One point of a sweep; the fields are as the arguments of `simulate`."""

    synapse: Synapse
    vesicles: int | float | str = 100
    seed: int | float | str | None = 0
    duration: float | str = 10.0
    record_interval: float | str = 0.01
    numerics: Numerics | Mapping[str, Any] | None = None


def simulate_many(
    points: Sequence[Point],
    *,
    device: str = "auto",
    cache: bool = True,
    on_chunk: Callable[[Any], None] | None = None,
) -> Iterator[tuple[int, Result | NmjmcError]]:
    """Simulate many parameter sets, of which those that differ only in numbers share one compilation.

    Small points ride together in one batch, so that they fill the device. A point's bits do not depend on its company:
    they are those of `simulate`.

    Args:
        points: What to simulate.
        device: `auto`, `cpu` or `gpu`; a missing GPU is refused.
        cache: Whether compiled programs are kept between processes.
        on_chunk: Called with the progress of points of one kind between compiled chunks.

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
            runs.append(_checked(**values, first_vesicle=0) | {"synapse": point.synapse})
            places.append(index)
        except NmjmcError as error:
            yield index, error
    requests = [many.Request(**run) for run in runs]
    for found, record in many.run_many(requests, devices=devices, on_chunk=on_chunk):
        run = runs[found]
        if isinstance(record, NmjmcError):
            yield places[found], record
        else:
            yield places[found], _result(run["synapse"], run, [_part(record, True)], devices)


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
    vesicles: int | float | str = 100,
    seed: int | float | str | None = 0,
    *,
    duration: float | str = 10.0,
    record_interval: float | str = 0.01,
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

    run = _checked(synapse, vesicles, seed, duration, record_interval, numerics, 0)
    devices = choose_devices(device)
    names = ("vesicles", "duration", "record_interval", "numerics")
    found = kernel.plan(synapse, **{name: run[name] for name in names})
    device_name = provenance.device_name(devices[0])
    return Plan(run["vesicles"], found.records, found.time_step, found.memory_bytes, device_name)


def draw_seed() -> int:
    """A seed from the operating system's randomness, to be recorded."""
    return secrets.randbelow(2**32)  # short enough for a folder's name


def make_numerics(numerics: Numerics | Mapping[str, Any] | None) -> Numerics:
    """Numerics from plain values, times as text with a unit or in ms.

    Raises:
        ValidationError: For an unknown key, with the nearest valid name, or a value of the wrong kind.
    """
    if isinstance(numerics, Numerics):
        return numerics
    if numerics is not None and not isinstance(numerics, Mapping):
        raise ValidationError("numerics", repr(numerics), "a mapping", 'for example {"step_scale": 0.5}')
    values = dict(numerics or {})
    kinds = {field.name: str(field.type) for field in dataclasses.fields(Numerics)}
    for key in values:
        if key not in kinds:
            raise ValidationError("a key of numerics", key, "one that exists", nearest(key, kinds))
    return Numerics(**{key: _numeric(key, kinds[key], value) for key, value in values.items()})


def _numeric(key: str, kind: str, value: Any) -> Any:
    """A field of the numerics by its kind: a time [ms], a number, a whole number, or a word."""
    if value is None and kind.endswith("None"):
        return None
    if kind.startswith("float"):
        return to_internal(value, "ms" if key in TIMES else "", f"numerics.{key}")
    if kind == "int":
        return whole_number(value, f"numerics.{key}", 0, 2**31 - 1)
    if not isinstance(value, str):
        raise ValidationError(f"numerics.{key}", value, "a word")
    return value


def _checked(
    synapse: Any,
    vesicles: Any,
    seed: Any,
    duration: Any,
    record_interval: Any,
    numerics: Any,
    first_vesicle: Any,
) -> dict[str, Any]:
    """The arguments as plain values that can be right."""
    if not isinstance(synapse, Synapse):
        named = synapse if isinstance(synapse, str) else "human"
        hint = f'for example nmjmc.preparation("{named}")'
        raise ValidationError("synapse", repr(synapse), "a Synapse", hint)
    run = {
        "vesicles": whole_number(vesicles, "vesicles", 1, MOST_VESICLES),
        "first_vesicle": whole_number(first_vesicle, "first_vesicle", 0, MOST_VESICLES),
        "seed": draw_seed() if seed is None else whole_number(seed, "seed", 0, SEEDS - 1),
        "duration": to_internal(duration, "ms", "duration"),
        "record_interval": to_internal(record_interval, "ms", "record_interval"),
        "numerics": make_numerics(numerics),
    }
    for name in ("duration", "record_interval"):
        if run[name] <= 0:
            raise ValidationError(name, f"{run[name]:g} ms", "positive")
    if run["record_interval"] > run["duration"] / 2:
        given, half = f"{run['record_interval']:g} ms", f"{run['duration'] / 2:g} ms"
        raise ValidationError("record_interval", given, f"at most half the duration ({half})")
    records = run["duration"] / run["record_interval"]
    if records > MOST_RECORDS:
        shortest, longest = run["duration"] / MOST_RECORDS, run["record_interval"] * MOST_RECORDS
        given = f"{run['duration']:g} ms with a record every {run['record_interval']:g} ms"
        allowed = f"at most {longest:g} ms at that record_interval"
        hint = f"or make record_interval at least {shortest:g} ms"
        raise ValidationError("duration", given, allowed, hint)
    return run


def whole_number(value: Any, field: str, least: int, most: int) -> int:
    """An integer from what a user gave (1e3 is one, 1.5 and True are not).

    Raises:
        ValidationError: If it is none, or out of range.
    """
    allowed = f"a whole number from {least} to {most}"
    try:
        number = int(value)
        exact = not isinstance(value, bool) and float(value) == number
    except (TypeError, ValueError, OverflowError):
        exact, number = False, 0
    if not exact or not least <= number <= most:
        raise ValidationError(field, repr(value) if isinstance(value, str) else value, allowed)
    return number


def _run(
    synapse: Synapse, run: dict[str, Any], how: dict[str, Any], first: int, count: int
) -> dict[str, Any]:
    """One call of the kernel, as plain arrays: time, counts by name, content, and seconds."""
    from nmjmc.kernel import simulate as kernel

    record = kernel.run(
        synapse,
        vesicles=count,
        seed=run["seed"],
        duration=run["duration"],
        record_interval=run["record_interval"],
        numerics=run["numerics"],
        first_vesicle=first,
        **how,
    )
    return _part(record, first == run["first_vesicle"])


def _part(record: Any, viewed: bool) -> dict[str, Any]:
    """What the kernel recorded, as plain arrays; with its views where they belong to the run's first vesicle."""
    seconds = {"compile_seconds": record.compile_seconds, "run_seconds": record.run_seconds}
    counts = {name: np.asarray(values) for name, values in record.counts.items()}
    part = {"time": record.time, "content": record.content, "counts": counts, "seconds": seconds}
    if viewed and record.view_time.size:
        part |= {"view_time": record.view_time, "views": record.views}
    return part


def _run_in_blocks(
    synapse: Synapse, run: dict[str, Any], how: dict[str, Any], folder: str | Path, size: int
) -> list[dict[str, Any]]:
    """The run in blocks of vesicles, each kept as soon as it is finished; finished ones are not run again."""
    decisive = {name: value for name, value in run.items() if name != "vesicles"}
    decisive["numerics"] = dataclasses.asdict(run["numerics"])
    made_by = {**provenance.versions(), "device": provenance.device_name(how["devices"][0])}
    made_by |= {"precision": provenance.precision(), "revision": provenance.revision_of_code()[0]}
    key = blocks.fingerprint({"synapse": describe(synapse), "run": decisive, **made_by})
    finished = blocks.load_blocks(folder, key)
    first, end = run["first_vesicle"], run["first_vesicle"] + run["vesicles"]
    parts = []
    while first < end:
        count = min(size, end - first)
        arrays = finished.get(first)
        if arrays is None or arrays["content"].shape[0] != count:
            told = _of_the_whole(how["on_chunk"], first - run["first_vesicle"], run["vesicles"])
            arrays = _flat(_run(synapse, run, {**how, "on_chunk": told}, first, count))
            blocks.save_block(folder, key, first, arrays)
        parts.append(_unflat(arrays))
        first += count
    return parts


def _of_the_whole(
    told: Callable[[Any], None] | None, before: int, vesicles: int
) -> Callable[[Any], None] | None:
    """A listener to one block's progress that tells the caller's listener the progress of the whole run."""
    if told is None:
        return None

    def listen(block: Any) -> None:
        done = (before * block.duration_ms + block.vesicles * block.simulated_ms) / vesicles
        left = (block.duration_ms - done) * vesicles / max(block.quanta_ms_per_s, 1e-9)
        told(
            dataclasses.replace(
                block,
                simulated_ms=done,
                vesicles_done=before + block.vesicles_done,
                vesicles=vesicles,
                remaining_seconds=left,
            )
        )

    return listen


def _flat(part: dict[str, Any]) -> dict[str, np.ndarray]:
    """A part as named arrays for a checkpoint."""
    counts = {f"count_{name}": values for name, values in part["counts"].items()}
    seconds = {name: np.asarray(value, np.float64) for name, value in part["seconds"].items()}
    views = {name: part[name] for name in _VIEWS if name in part}
    return {"time": part["time"], "content": part["content"], **counts, **seconds, **views}


def _unflat(arrays: Mapping[str, np.ndarray]) -> dict[str, Any]:
    """The inverse of `_flat`."""
    counts = {name.removeprefix("count_"): v for name, v in arrays.items() if name.startswith("count_")}
    seconds = {name: float(value) for name, value in arrays.items() if name.endswith("_seconds")}
    views = {name: arrays[name] for name in _VIEWS if name in arrays}
    return {
        "time": arrays["time"],
        "content": arrays["content"],
        "counts": counts,
        "seconds": seconds,
        **views,
    }


def _result(synapse: Synapse, run: dict[str, Any], parts: list[dict[str, Any]], devices: list) -> Result:
    """The parts put together, with where they came from."""
    seconds = {name: sum(part["seconds"][name] for part in parts) for name in parts[0]["seconds"]}
    names = ("vesicles", "first_vesicle", "duration", "record_interval")
    return Result(
        time=np.asarray(parts[0]["time"], np.float64),
        counts={
            name: np.concatenate([part["counts"][name] for part in parts]).astype(np.int32, copy=False)
            for name in parts[0]["counts"]
        },
        content=np.concatenate([part["content"] for part in parts]).astype(np.int32, copy=False),
        synapse=synapse,
        seed=run["seed"],
        settings={**{n: run[n] for n in names}, "numerics": dataclasses.asdict(run["numerics"])},
        provenance={**provenance.collect(devices), **seconds},
        positions=parts[0].get("views"),
        position_time=parts[0].get("view_time"),
    )
