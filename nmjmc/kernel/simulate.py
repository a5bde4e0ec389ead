"""Runs: batches of patches on one device or several, put together in the order of their numbers."""

from __future__ import annotations

import math
import os
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from typing import Any

import jax
import numpy as np
from jaxtyping import Float, Int

from nmjmc.errors import ValidationError
from nmjmc.kernel.executor import settled
from nmjmc.kernel.host import size as event_size
from nmjmc.kernel.host.checks import MOST_SITES, check_numerics, check_times
from nmjmc.kernel.host.job import Job, Members, Outcome, Point, record_intervals
from nmjmc.kernel.host.meter import Meter, Progress
from nmjmc.kernel.host.scores import Statistics, statistics
from nmjmc.kernel.host.sight import Size, free_places, size_of, view_moments
from nmjmc.kernel.jax_pass import begin
from nmjmc.kernel.jax_pass.batch import Batch
from nmjmc.kernel.jax_pass.programs import Programs
from nmjmc.kernel.jax_pass.schedule import check_steps, substeps
from nmjmc.kernel.numerics import Numerics
from nmjmc.kernel.physics import release
from nmjmc.kernel.physics.lower import lower, placing
from nmjmc.synapse.model import Synapse

_VIEWED = 3  # copies of a view's arrays, while its frames are put together


@dataclass(frozen=True)
class Record:
    """What a run leaves.

    Attributes:
        time: times of the records [ms].
        counts: number of sites in each state, and of free, hydrolysed, escaped and released ACh.
        transitions: how often each transition had happened (last: escape).
        content: molecules of each patch.
        compile_seconds, run_seconds: wall time of compiling and of all the rest.
        events: entries that the passes handled, for the accounts.
        view_time: times of the views of the patch that is viewed [ms].
        views: where its free molecules are [um]; NaN past the last of them.
        scores: what the score function needs, where it was asked for.
        seen: the molecules and sites of the viewed patch (`host.sight.assembled`), by the event kernel.
    """

    time: Float[np.ndarray, " t"]
    counts: dict[str, Int[np.ndarray, "v t"]]
    transitions: Int[np.ndarray, "v t k"]
    content: Int[np.ndarray, " v"]
    compile_seconds: float
    run_seconds: float
    events: int
    view_time: Float[np.ndarray, " f"]
    views: Float[np.ndarray, "f n 3"]
    scores: Statistics | None = None
    seen: dict[str, np.ndarray] | None = None


@dataclass(frozen=True)
class Needs:
    """What a run would need.

    Attributes:
        time_step: its time step in words.
        records: records of each patch.
        memory_bytes: memory of the kernel, of the records and of the views [bytes].
        view: frames, molecules and sites that are kept for viewing; no frames where none are asked for.
    """

    time_step: str
    records: int
    memory_bytes: int
    view: Size


def run(
    synapse: Synapse,
    *,
    vesicles: int,
    seed: int,
    duration: float,
    record_interval: float,
    numerics: Numerics | None = None,
    first_vesicle: int = 0,
    devices: Sequence[Any] | None = None,
    on_chunk: Callable[[Progress], None] | None = None,
    scores: bool = False,
    dilution: tuple[float, float] = (1.0, 1.0),
) -> Record:
    """Simulate `vesicles` patches of a synapse.

    Args:
        synapse: what to simulate.
        vesicles: number of patches; patch i is the same in every run with the same seed.
        seed: 0 to 2^64 - 1.
        duration: end of the run [ms], rounded up to a whole number of intervals.
        record_interval: time between records [ms].
        numerics: how it is computed.
        first_vesicle: number of the first patch.
        devices: devices to share the batches; None takes JAX's default device.
        on_chunk: called with the progress after each chunk.
        scores: whether to keep what the score function needs; the run is the same, to the bit, but for schemes whose
            states bind at rates of different names (see `likelihood.majorant`).
        dilution: tiles for each receptor and for each esterase. Above 1 sites stand on tiles at random, each with the
            chance 1 / dilution, so that densities have a score; the lattice is else as even as can be.

    Raises:
        ValidationError: If it cannot be computed as asked; nothing is compiled then.
        SimulationError: If the run failed.
    """
    chosen = lanes_of(list(devices) if devices else [default_device()])
    numerics = settled(numerics or Numerics(), synapse, chosen[0])
    job = make_job(synapse, seed, duration, record_interval, numerics, scores, dilution, first_vesicle)
    content = release.contents(synapse.vesicle, seed, first_vesicle, vesicles)
    size = patches_of_a_batch(job, content, numerics, chosen)
    memory_of(job, content, size, vesicles, chosen)
    meter = Meter(vesicles, len(job.substeps), job.interval, on_chunk)
    starts = range(0, vesicles, size)
    programs = [Programs(device) for device in chosen]
    waiting = list(reversed(starts))

    def work(lane: int) -> dict[int, Any]:
        done: dict[int, Any] = {}
        while waiting and not meter.stop:
            start = waiting.pop()
            part = content[start : start + size]
            number = first_vesicle + start + np.arange(len(part))
            members = Members(np.zeros(len(part), int), number, part)
            done[start] = run_batch(job, members, start, programs[lane], meter)
        return done

    found = _in_lanes(work, min(len(chosen), len(starts)), meter)
    seconds = sum(p.compile_seconds for p in programs)
    return make_record(
        job, content, [found[s] for s in starts], seconds, time.perf_counter() - meter.begun - seconds
    )


def _in_lanes(work: Callable[[int], dict[int, Any]], lanes: int, meter: Meter) -> dict[int, Any]:
    """The results of all lanes; a fault or an interrupt stops the others at their next chunk."""
    found: dict[int, Any] = {}
    with ThreadPoolExecutor(lanes) as pool:
        running = [pool.submit(work, lane) for lane in range(lanes)]
        try:
            for lane in as_completed(running):
                found.update(lane.result())
        except BaseException:
            meter.stop = True
            raise
    return found


def lanes_of(devices: list[Any]) -> list[Any]:
    """The device of each lane: batches that run at once.

    A CPU runs one for each core, because the many small steps of a batch leave the other cores idle.
    """
    if devices[0].platform != "cpu":
        return devices
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return devices * max(1, cores // len(devices))


def plan(
    synapse: Synapse,
    *,
    vesicles: int,
    duration: float,
    record_interval: float,
    numerics: Numerics | None = None,
) -> Needs:
    """What a run would need; refuses what `run` would refuse."""
    lanes = lanes_of([default_device()])
    numerics = settled(numerics or Numerics(), synapse, lanes[0])
    job = make_job(synapse, 0, duration, record_interval, numerics)
    content = release.contents(synapse.vesicle, 0, 0, min(vesicles, 4096))
    size = patches_of_a_batch(job, content, numerics, lanes)
    memory = memory_of(job, content, size, vesicles, lanes)
    view = size_of(job, float(content.sum(axis=1).mean()))
    return Needs(_step_in_words(job), len(job.substeps) + 1, memory, view)


def _step_in_words(job: Job) -> str:
    if job.executor == "warp" and job.lowered.step is not None:
        return f"{job.lowered.step * 1e3:.3g} us for motion; events in their exact order (executor warp)"
    if job.executor == "warp":
        return "none: events in their exact order, motion exact between binding attempts (executor warp)"
    steps = int(job.substeps.sum())
    if job.lowered.step is not None:
        return f"{job.lowered.step * 1e3:.3g} us ({steps} steps)"
    shortest = job.interval / job.substeps.max()
    longest = job.interval / job.substeps.min()
    return (
        f"{shortest * 1e3:.3g} us after a release, growing to {longest * 1e3:.3g} us ({steps} steps); "
        "motion exact between binding attempts"
    )


def memory_of(job: Job, content: np.ndarray, size: int, vesicles: int, lanes: list[Any]) -> int:
    """Memory of a run [bytes].

    Raises:
        ValidationError: If this machine does not have it.
    """
    numbers = job.lowered.shape.transitions + len(job.lowered.names) + 3
    # instants and rejections in each interval, then dwell times and journeys in float64
    numbers += 2 * job.lowered.shape.columns + 4 * len(job.lowered.names) if job.scored else 0
    record = 4 * numbers
    each = (len(job.substeps) + 1) * record
    molecules = float(content.sum(axis=1).mean())
    if job.executor == "warp":
        batches = event_size.patch_bytes(job, molecules) * min(size, vesicles)
    else:
        batches = begin.memory(job.lowered, content[:size], lanes[0].platform)
    at_once = 1 if lanes[0].platform != "cpu" else min(len(lanes), math.ceil(vesicles / size))
    kernel, here = at_once * batches, _physical_memory()
    if kernel > here:
        raise ValidationError(
            "numerics.batch",
            size,
            "smaller",
            f"these batches take {_gib(kernel)}, and there are {_gib(here)}",
        )
    whole = kernel + each * vesicles + (view := _VIEWED * size_of(job, molecules).bytes)
    if view > here / 2:
        hint = f"{len(job.moments):,} frames take {_gib(view)}, and there are {_gib(here)}"
        hint += "; or keep fewer molecules (numerics.view_molecules)"
        raise ValidationError("numerics.view_interval", f"of {len(job.moments):,} frames", "longer", hint)
    if whole > here:
        most = max(1, int((here - kernel) / each))
        hint = f"the records take {_gib(whole)}, and there are {_gib(here)}; run parts with first_vesicle"
        raise ValidationError("vesicles", vesicles, f"at most {most} with {len(job.substeps)} records", hint)
    return int(whole)


def _physical_memory() -> float:
    """Memory of this machine [bytes]; infinite where it cannot be told."""
    try:
        return float(os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE"))
    except (AttributeError, ValueError, OSError):
        return math.inf


def _gib(size: float) -> str:
    return f"{size / 2**30:.3g} GiB"


def patches_of_a_batch(job: Job, content: np.ndarray, numerics: Numerics, lanes: list[Any]) -> int:
    """Patches of a batch, for either executor."""
    platform, most = lanes[0].platform, MOST_SITES // job.lowered.shape.sites
    if numerics.batch > most:
        raise ValidationError("numerics.batch", numerics.batch, f"at most {most} for so many sites")
    if job.executor != "warp":
        return numerics.batch or begin.batch(job.lowered, content, len(lanes), platform)
    molecules = float(content.sum(axis=1).mean())
    return event_size.batch(job, molecules, len(content), len(lanes), platform, numerics.batch)


def default_device() -> Any:
    """The device that JAX takes where none is asked for."""
    return getattr(jax.config, "jax_default_device", None) or jax.devices()[0]


def make_job(
    synapse: Synapse,
    seed: int,
    duration: float,
    interval: float,
    numerics: Numerics,
    scores: bool = False,
    dilution: tuple[float, float] = (1.0, 1.0),
    first_vesicle: int = 0,
) -> Job:
    """What the batches of a run of one parameter set share.

    Raises:
        ValidationError: If it cannot be computed as asked.
    """
    check_numerics(numerics)
    check_times(synapse, numerics, duration)
    dilution, drawn = placing(synapse, dilution)
    lowered = lower(synapse, numerics, scores, dilution)
    records = record_intervals(duration, interval)
    times = np.asarray(synapse.vesicle.times, np.float64)
    if numerics.executor == "warp":
        steps = np.ones(records, np.int32)  # only their number counts
    else:
        steps = substeps(numerics, lowered.fastest, times, records, interval, lowered.step, lowered.link)
        check_steps(numerics, lowered, interval, int(steps.max()))
    diffusion = float(lowered.tables.diffusion)
    sites = np.asarray(synapse.vesicle.sites, np.float64)
    pore = release.pore_table(synapse.vesicle, diffusion)
    stride = 0 if numerics.view_interval is None else max(1, round(numerics.view_interval / interval))
    height = float(synapse.cleft.height)
    lamina = height * float(synapse.esterase.position)
    point = Point(lowered, pore, sites, seed, height, dilution, drawn, lamina)
    return Job(
        (point,), times, interval, steps, numerics.chunk, records * interval, stride,
        "warp" if numerics.executor == "warp" else "jax", view_moments(numerics, times, interval, records),
        first_vesicle if numerics.view_patch is None else numerics.view_patch, numerics.view_molecules,
    )  # fmt: skip


def run_batch(job: Job, members: Members, start: int, programs: Programs, meter: Meter) -> Outcome | None:
    """One batch from beginning to end (None if the run is to stop); `start` names it for the meter."""
    # in 32 bits whatever JAX's default, so that the bits are the same; the setting belongs to this thread alone
    with jax.default_device(programs.device), jax.enable_x64(False):
        batch = make_batch(job, members, start, programs)
        while not (batch.done or meter.stop):
            batch.advance()
            meter.report(start, batch.at, batch.patches, programs.compile_seconds)
        return batch.outcome() if batch.done else None


def make_batch(job: Job, members: Members, start: int, programs: Programs) -> Any:
    """A batch of the job's executor."""
    if job.executor != "warp":
        return Batch(job, members, programs, start == 0)
    from nmjmc.kernel.event import start as event_start

    device = event_start.device_of(programs.device)
    seconds = event_start.make_ready(device, job.lowered.step is not None)
    if seconds:
        programs.compile_seconds += seconds
        programs.compiled += 1
    from nmjmc.kernel.event.batch import EventBatch

    return EventBatch(job, members, device)


def make_record(
    job: Job, content: np.ndarray, parts: list[Any], compile_seconds: float, run_seconds: float
) -> Record:
    """The outcomes of batches, in the order of their patches, as one record."""
    whole_tally = np.concatenate([p.tally for p in parts])
    tally = whole_tally[..., : job.lowered.shape.transitions + 1]
    released = np.concatenate([p.released for p in parts])
    start = np.concatenate([p.start for p in parts])
    counts = {}
    for column, name in enumerate(job.lowered.names):
        change = job.lowered.stoichiometry[:, column].astype(np.int32)
        counts[name] = start[:, column, None].astype(np.int32) + tally @ change
    counts["free_ach"] = counts["free_ach"] + released
    counts["released"] = released.astype(np.int32)
    times = np.arange(len(job.substeps) + 1) * job.interval
    events = sum(p.handled for p in parts)
    seen = next((part.seen for part in parts if part.seen is not None), None)
    moments, views = _stack(parts[0].views if seen is None else free_places(seen))
    whole = content.sum(axis=1)
    sums = [p.sums for p in parts]
    scores = None
    if job.scored:
        scores = statistics(job.lowered, job.points[0].dilution, job.interval, whole_tally, start, sums)
    return Record(
        times, counts, tally, whole, compile_seconds, run_seconds, events, moments, views, scores, seen
    )


def _stack(views: list[tuple[float, np.ndarray]]) -> tuple[np.ndarray, np.ndarray]:
    """Views of different numbers of molecules as one array."""
    stacked = np.full((len(views), max((len(v) for _, v in views), default=0), 3), np.nan, np.float32)
    for row, (_, found) in zip(stacked, views, strict=True):
        row[: len(found)] = found
    return np.array([time for time, _ in views]), stacked
