"""A stand-in for the kernel: records of the right form, made from formulas, so that files, tables and the
command line are tested without simulating anything."""

import dataclasses
from types import SimpleNamespace

import numpy as np

import nmjmc
from nmjmc.data.result import Result


def formula_run(
    synapse,
    *,
    vesicles,
    seed,
    duration,
    record_interval,
    numerics=None,
    first_vesicle=0,
    on_chunk=None,
    devices=None,
):
    """What `nmjmc.kernel.simulate.run` gives, with each vesicle a function of (seed, its number) alone."""
    time = np.arange(round(duration / record_interval) + 1) * record_interval
    rows = [_vesicle(synapse, time, seed, first_vesicle + index) for index in range(vesicles)]
    names = (*synapse.receptor.scheme.states, *synapse.esterase.scheme.states)
    names = (*names, "free_ach", "hydrolysed", "escaped", "released")
    if on_chunk is not None:
        for part in (0.5, 1.0):
            on_chunk(
                SimpleNamespace(
                    simulated_ms=part * duration, duration_ms=duration, vesicles_done=int(part * vesicles),
                    vesicles=vesicles, quanta_ms_per_s=100.0, compile_seconds=1.0, elapsed_seconds=part,
                    remaining_seconds=1.0 - part,
                )
            )  # fmt: skip
    return SimpleNamespace(
        time=time,
        counts={name: np.stack([row[name] for row in rows]) for name in names},
        content=np.array([row["released"][0] for row in rows], np.int32),
        status=0,
        compile_seconds=1.0,
        run_seconds=2.0,
        view_time=np.zeros(0),
        views=np.zeros((0, 0, 3), np.float32),
    )


def formula_many(requests, *, devices, on_chunk=None):
    """What `nmjmc.kernel.many.run_many` gives: each point by whatever stands in for the kernel at this moment."""
    from nmjmc.errors import NmjmcError
    from nmjmc.kernel import simulate

    for index, request in enumerate(requests):
        arguments = {item.name: getattr(request, item.name) for item in dataclasses.fields(request)}
        try:
            yield (
                index,
                simulate.run(arguments.pop("synapse"), **arguments, devices=devices, on_chunk=on_chunk),
            )
        except NmjmcError as error:
            yield index, error


def _vesicle(synapse, time, seed, number):
    """A MEPC of about 800 channels with noise, briefer in the warm; every molecule is somewhere."""
    rng = np.random.default_rng([seed, number])
    content = int(rng.normal(4800, 500))
    receptors, esterase = synapse.receptor.scheme, synapse.esterase.scheme
    decay = 3.0 * 2.7 ** ((22.0 - float(synapse.temperature)) / 10.0)
    shape = (1 - np.exp(-time / 0.1)) ** 2 * np.exp(-time / decay)
    opened = rng.binomial(content, np.clip(0.19 * shape, 0, 1)).astype(np.int32)
    single = rng.binomial(content, np.clip(0.05 * shape, 0, 1)).astype(np.int32)
    zero = np.zeros_like(opened)
    counts = {state: zero for state in (*receptors.states, *esterase.states)}
    counts[receptors.resting] = zero + 60_000 - opened - single
    counts["A2Ro"], counts["AR"] = opened, single
    counts[esterase.resting] = zero + 14_000
    outside = content - 2 * opened - single
    free = np.minimum(outside, (content * np.exp(-time / 0.05)).astype(np.int32)).astype(np.int32)
    gone = outside - free
    escaped = (0.2 * gone).astype(np.int32)
    return {
        **counts, "free_ach": free, "escaped": escaped, "hydrolysed": (gone - escaped).astype(np.int32),
        "released": zero + np.int32(content),
    }  # fmt: skip


def formula_result(vesicles=6, seed=3, preparation="human"):
    """A whole result of the stand-in."""
    synapse = nmjmc.preparation(preparation)
    record = formula_run(synapse, vesicles=vesicles, seed=seed, duration=6.0, record_interval=0.01)
    return Result(
        time=record.time,
        counts=record.counts,
        content=record.content,
        synapse=synapse,
        seed=seed,
        settings={
            "vesicles": vesicles, "first_vesicle": 0, "duration": 6.0, "record_interval": 0.01,
            "numerics": {"transport": "auto"},
        },
        provenance={"device": "cpu", "git_dirty": -1, "run_seconds": 2.5},
    )  # fmt: skip


def stand_in_for_the_kernel(monkeypatch, tmp_path):
    """The formulas in the place of the kernel, in a folder of their own."""
    monkeypatch.setattr("nmjmc.kernel.simulate.run", formula_run)
    monkeypatch.setattr("nmjmc.kernel.many.run_many", formula_many)
    monkeypatch.setenv("COLUMNS", "120")
    monkeypatch.chdir(tmp_path)
