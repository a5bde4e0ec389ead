"""Runs of the kernel at once or in blocks that are kept, and their parts put together as a result."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from nmjmc import ending
from nmjmc.data import checkpoint as blocks
from nmjmc.data import provenance
from nmjmc.data.result import FATES, Result
from nmjmc.kernel import executor
from nmjmc.kernel.numerics import Numerics
from nmjmc.synapse.build import describe
from nmjmc.synapse.model import Synapse

_VIEWS = ("view_time", "views")


def run_at_once(
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
    return part_of(record, first == run["first_vesicle"])


def part_of(record: Any, viewed: bool) -> dict[str, Any]:
    """What the kernel recorded, as plain arrays; with its views where they belong to the run's first vesicle."""
    seconds = {"compile_seconds": record.compile_seconds, "run_seconds": record.run_seconds}
    counts = {name: np.asarray(values) for name, values in record.counts.items()}
    part = {"time": record.time, "content": record.content, "counts": counts, "seconds": seconds}
    if viewed and record.view_time.size:
        part |= {"view_time": record.view_time, "views": record.views}
    return part


def run_in_blocks(
    synapse: Synapse, run: dict[str, Any], how: dict[str, Any], folder: str | Path, size: int
) -> list[dict[str, Any]]:
    """The run in blocks of vesicles, each kept as soon as it is finished; finished ones are not run again."""
    decisive = {name: value for name, value in run.items() if name != "vesicles"}
    decisive["numerics"] = dataclasses.asdict(run["numerics"])
    origin = {**provenance.versions(), "device": provenance.device_name(how["devices"][0])}
    origin |= {"precision": provenance.precision(), "revision": provenance.revision_of_code()[0]}
    origin |= made_by(run["numerics"])
    key = blocks.fingerprint({"synapse": describe(synapse), "run": decisive, **origin})
    finished = blocks.load_blocks(folder, key)
    first, end = run["first_vesicle"], run["first_vesicle"] + run["vesicles"]
    parts = []
    while first < end:
        ending.look()
        count = min(size, end - first)
        arrays = finished.get(first)
        if arrays is None or not _fits(arrays, synapse, count):
            told = _of_the_whole(how["on_chunk"], first - run["first_vesicle"], run["vesicles"])
            arrays = _flat(run_at_once(synapse, run, {**how, "on_chunk": told}, first, count))
            blocks.save_block(folder, key, first, arrays)
        parts.append(_unflat(arrays))
        first += count
    return parts


def _fits(arrays: Mapping[str, np.ndarray], synapse: Synapse, count: int) -> bool:
    """Whether a kept block holds all that is recorded of so many vesicles."""
    states = (*synapse.receptor.scheme.states, *synapse.esterase.scheme.states)
    names = {f"count_{name}" for name in (*states, *FATES)}
    if not {"time", "content", "compile_seconds", "run_seconds", *names} <= set(arrays):
        return False
    shape = (count, arrays["time"].size)
    return arrays["content"].shape == (count,) and all(arrays[name].shape == shape for name in names)


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


def made_by(numerics: Numerics) -> dict[str, str]:
    """The executor of a run, and the version of NVIDIA Warp where that is it."""
    warp = {"version_warp": executor.version()} if numerics.executor == "warp" else {}
    return {"executor": numerics.executor, **warp}


def result_of(synapse: Synapse, run: dict[str, Any], parts: list[dict[str, Any]], devices: list) -> Result:
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
        provenance={**provenance.collect(devices), **made_by(run["numerics"]), **seconds},
        positions=parts[0].get("views"),
        position_time=parts[0].get("view_time"),
    )
