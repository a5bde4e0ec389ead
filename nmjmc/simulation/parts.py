"""Parts of a run, made at once or in blocks that are kept, and put together as a result."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float, Int

from nmjmc import ending
from nmjmc.data import checkpoint as blocks
from nmjmc.data import provenance
from nmjmc.data.molecules import Molecules
from nmjmc.data.result import FATES, Result
from nmjmc.kernel import executor
from nmjmc.kernel.many import Request as Run
from nmjmc.kernel.numerics import Numerics
from nmjmc.synapse.build import describe
from nmjmc.synapse.model import Synapse

_VIEWS = ("view_time", "views")
_SEEN = "seen_"


@dataclass(frozen=True)
class Part:
    """What the kernel recorded of some vesicles of a run, as plain arrays.

    Attributes:
        time: Of the records [ms].
        content: Molecules of each vesicle.
        counts: By the name of what is counted, int [v, t].
        seconds: `compile_seconds` and `run_seconds`.
        views: what is seen of the viewed patch, empty in other parts: the fields of `Molecules` with `seen_` before
            them, or, by the pass of JAX, `view_time` [ms] and `views` [um].
    """

    time: Float[np.ndarray, " t"]
    content: Int[np.ndarray, " v"]
    counts: Mapping[str, Int[np.ndarray, "v t"]]
    seconds: Mapping[str, float]
    views: Mapping[str, np.ndarray]


@dataclass(frozen=True)
class Way:
    """Where a run is made, and who hears of its progress.

    Attributes:
        devices: Of JAX.
        on_chunk: Called between compiled chunks.
    """

    devices: Sequence[Any]
    on_chunk: Callable[[Any], None] | None = None


def run_at_once(run: Run, way: Way, viewed: bool = True) -> Part:
    """One call of the kernel.

    Args:
        run: What is simulated.
        way: Where.
        viewed: Whether these vesicles may hold the one that is viewed.
    """
    from nmjmc.kernel import simulate as kernel

    arguments = {item.name: getattr(run, item.name) for item in dataclasses.fields(run)}
    record = kernel.run(arguments.pop("synapse"), **arguments, devices=way.devices, on_chunk=way.on_chunk)
    return part_of(record, viewed)


def part_of(record: Any, viewed: bool) -> Part:
    """What the kernel recorded; with its views where they are of the run's viewed vesicle."""
    seconds = {"compile_seconds": record.compile_seconds, "run_seconds": record.run_seconds}
    counts = {name: np.asarray(values) for name, values in record.counts.items()}
    views = {}
    if viewed and record.view_time.size:
        views = {"view_time": record.view_time, "views": record.views}
        if record.seen is not None:
            views = {_SEEN + name: values for name, values in record.seen.items()}
    return Part(record.time, record.content, counts, seconds, views)


def run_in_blocks(run: Run, way: Way, folder: str | Path, size: int) -> list[Part]:
    """The run in blocks of vesicles, each kept as soon as it is finished; finished ones are not run again."""
    key = blocks.fingerprint(_origin(run, way))
    finished = blocks.load_blocks(folder, key)
    first, end = run.first_vesicle, run.first_vesicle + run.vesicles
    parts = []
    while first < end:
        ending.look()
        count = min(size, end - first)
        arrays = finished.get(first)
        if arrays is None or not _fits(arrays, run.synapse, count):
            told = Way(way.devices, _of_the_whole(way.on_chunk, first - run.first_vesicle, run.vesicles))
            block = dataclasses.replace(run, first_vesicle=first, vesicles=count)
            here = first == run.first_vesicle or run.numerics.view_patch is not None
            arrays = _arrays(run_at_once(block, told, viewed=here))
            blocks.save_block(folder, key, first, arrays)
        parts.append(_part(arrays))
        first += count
    return parts


def _origin(run: Run, way: Way) -> dict[str, Any]:
    """What decides the bits of a block: the synapse, the settings, and what computes them."""
    decisive = {name: getattr(run, name) for name in ("first_vesicle", "seed", "duration", "record_interval")}
    decisive["numerics"] = dataclasses.asdict(run.numerics)
    origin = {**provenance.versions(), "device": provenance.device_name(way.devices[0])}
    origin |= {"precision": provenance.precision(), "revision": provenance.revision_of_code()[0]}
    origin |= made_by(run.numerics)
    return {"synapse": describe(run.synapse), "run": decisive, **origin}


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


def _arrays(part: Part) -> dict[str, np.ndarray]:
    """A part as named arrays for a checkpoint."""
    counts = {f"count_{name}": values for name, values in part.counts.items()}
    seconds = {name: np.asarray(value, np.float64) for name, value in part.seconds.items()}
    return {"time": part.time, "content": part.content, **counts, **seconds, **part.views}


def _part(arrays: Mapping[str, np.ndarray]) -> Part:
    """The inverse of `_arrays`."""
    counts = {name.removeprefix("count_"): v for name, v in arrays.items() if name.startswith("count_")}
    seconds = {name: float(value) for name, value in arrays.items() if name.endswith("_seconds")}
    views = {name: values for name, values in arrays.items() if name in _VIEWS or name.startswith(_SEEN)}
    return Part(arrays["time"], arrays["content"], counts, seconds, views)


def made_by(numerics: Numerics) -> dict[str, str]:
    """The executor of a run, and the version of NVIDIA Warp where that is it."""
    warp = {"version_warp": executor.version()} if numerics.executor == "warp" else {}
    return {"executor": numerics.executor, **warp}


def result_of(run: Run, parts: Sequence[Part], devices: Sequence[Any]) -> Result:
    """The parts put together, with where they came from."""
    seconds = {name: sum(part.seconds[name] for part in parts) for name in parts[0].seconds}
    names = ("vesicles", "first_vesicle", "duration", "record_interval")
    return Result(
        time=np.asarray(parts[0].time, np.float64),
        counts={
            name: np.concatenate([part.counts[name] for part in parts]).astype(np.int32, copy=False)
            for name in parts[0].counts
        },
        content=np.concatenate([part.content for part in parts]).astype(np.int32, copy=False),
        synapse=run.synapse,
        seed=run.seed,
        settings={**{n: getattr(run, n) for n in names}, "numerics": dataclasses.asdict(run.numerics)},
        provenance={**provenance.collect(list(devices)), **made_by(run.numerics), **seconds},
        positions=parts[0].views.get("views"),
        position_time=parts[0].views.get("view_time"),
        molecules=_molecules(parts),
    )


def _molecules(parts: Sequence[Part]) -> Molecules | None:
    """What was seen of the viewed patch, in whichever part it is."""
    for part in parts:
        by_name = {name.removeprefix(_SEEN): v for name, v in part.views.items() if name.startswith(_SEEN)}
        if by_name:
            return Molecules(**by_name)
    return None
