"""What a sweep of many small points costs beside its simulations: memory against points, bookkeeping, collecting.

    python scripts/sweep_load.py --points 1000 --vesicles 4
    python scripts/sweep_load.py --points 1000 --vesicles 20 --canonical
    python scripts/sweep_load.py --points 1000 --key receptor.density --low "2000 /um^2" --high "9000 /um^2"
    python scripts/sweep_load.py --throughput          # 100 points of 10 vesicles beside one run of 1,000
    python scripts/sweep_load.py --throughput --canonical --points 30

Points are small on purpose: the bookkeeping of a point costs the same for a small one and a large one. Times are of
the processor, all threads together, so that they hold on a machine that is shared.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import json
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

import nmjmc
from nmjmc.api import Point, simulate_many
from nmjmc.cli.main import main
from nmjmc.data.sweep import Sweep
from nmjmc.data.sweep_table import write, write_csv
from nmjmc.kernel.jax_pass import programs
from nmjmc.sweeps import work as sweep_work
from nmjmc.sweeps.gather import gather
from nmjmc.viz.style import COLOURS, MILLIMETRE, save, style

SMALL = {"cleft.side": "0.3 um", "vesicle.content_mean": 300}
HOW_SMALL = {"duration": "1 ms", "record_interval": "20 us"}
HOW = HOW_SMALL | {"device": "cpu"}


def resident() -> float:
    """Memory of this process [MB]."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * 4096 / 1e6


class Watch:
    """Stands before the kernel of a sweep: how much is computed in it, and the memory after each point."""

    def __init__(self) -> None:
        self.memory: list[float] = []
        self.kept: list[int] = []
        self.beside, self.left = 0.0, time.thread_time()
        self.plain = sweep_work.simulate_many

    def __call__(self, *arguments: Any, **how: Any) -> Iterator[Any]:
        """The points as they are finished; what this thread does between two of them is bookkeeping."""
        found = self.plain(*arguments, **how)
        self.beside += time.thread_time() - self.left
        for item in found:
            self.memory.append(round(resident(), 1))
            self.kept.append(len(programs._COMPILED))
            self.left = time.thread_time()
            yield item
            self.beside += time.thread_time() - self.left
        self.left = time.thread_time()


def draw(watch: Watch, path: str) -> None:
    """Memory and programs against the points that are finished."""
    with style():
        figure = Figure(figsize=(120 * MILLIMETRE, 60 * MILLIMETRE), layout="constrained")
        memory = figure.subplots()
        done = np.arange(1, len(watch.memory) + 1)
        memory.plot(done, watch.memory, color=COLOURS[0])
        memory.set(xlabel="points finished", ylabel="memory of the process (MB)",
                   ylim=(0, 1.2 * max(watch.memory)))  # fmt: skip
        count = memory.twinx()
        count.plot(done, watch.kept, color=COLOURS[1])
        count.set(ylabel="programs it keeps", ylim=(0, 2 * max(watch.kept)))
        count.yaxis.set_major_locator(MaxNLocator(integer=True))
        count.spines["right"].set_visible(True)
        memory.yaxis.label.set_color(COLOURS[0])
        count.yaxis.label.set_color(COLOURS[1])
    save(figure, path)


def load(
    points: int,
    vesicles: int,
    key: str,
    low: str,
    high: str,
    folder: str,
    figure: str | None,
    canonical: bool,
) -> dict[str, Any]:
    """Run the sweep and collect it."""
    watch = sweep_work.simulate_many = Watch()
    started, watch.left = time.process_time(), time.thread_time()
    how = {"duration": "3 ms", "device": "cpu"} if canonical else SMALL | HOW
    words = [f"{name}={value}" for name, value in how.items()]
    with contextlib.redirect_stdout(io.StringIO()):
        main(["sweep", "preparation=slab", *words, f"vesicles={vesicles}", f"folder={folder}", "progress=false",
              f"{key}=linspace({low}, {high}, {points})"])  # fmt: skip
    whole = time.process_time() - started
    watch.beside += time.thread_time() - watch.left
    started = time.process_time()
    table = gather(folder)
    write(table, Path(folder) / "sweep.nc")
    write_csv(table, Path(folder) / "sweep.csv")
    collecting = time.process_time() - started
    if figure:
        draw(watch, figure)
    tenth = max(points // 10, 1)
    return {
        "points": len(Sweep.open(folder).states()),
        "cpu_s": round(whole, 1),
        "bookkeeping_cpu_ms_a_point": round(1e3 * watch.beside / points, 2),
        "bookkeeping_percent": round(100 * watch.beside / whole, 2),
        "collect_cpu_s": round(collecting, 2),
        "memory_mb": watch.memory[tenth - 1 :: tenth],
        "programs": watch.kept[tenth - 1 :: tenth],
    }


def throughput(points: int, vesicles: int, canonical: bool) -> dict[str, float]:
    """Processor time of many small points in company, and of one run with as many quanta; programs compiled before."""
    same, how = ({}, {"duration": "3 ms"}) if canonical else (SMALL, HOW_SMALL)

    def sweep(seed: int, count: int) -> float:
        rates = np.linspace(4e7, 6e7, points)[:count]
        changed = [same | {"receptor.binding_rate": f"{rate:g} /M/s"} for rate in rates]
        asked = [
            Point(nmjmc.preparation("slab", **c), vesicles, seed + i, **how) for i, c in enumerate(changed)
        ]
        started = time.process_time()
        for _, result in simulate_many(asked, device="cpu"):
            assert result.conserved()
        return time.process_time() - started

    def one(seed: int, count: int) -> float:
        middle = nmjmc.preparation("slab", **same, **{"receptor.binding_rate": "5e7 /M/s"})
        started = time.process_time()
        assert nmjmc.simulate(middle, count, seed, **how, device="cpu").conserved()
        return time.process_time() - started

    # all programs that the timed calls need
    sweep(0, points), one(0, points * vesicles)
    many, single = sweep(1000, points), one(1000, points * vesicles)
    return {"many_cpu_s": round(many, 2), "one_cpu_s": round(single, 2), "ratio": round(many / single, 3)}


if __name__ == "__main__":
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--points", type=int)
    parser.add_argument("--vesicles", type=int)
    parser.add_argument("--key", default="receptor.binding_rate")
    parser.add_argument("--low", default="4e7 /M/s")
    parser.add_argument("--high", default="6e7 /M/s")
    parser.add_argument("--figure", help="where the memory is drawn")
    parser.add_argument("--throughput", action="store_true")
    parser.add_argument("--canonical", action="store_true", help="points of the canonical slab")
    given = parser.parse_args()
    if given.throughput:
        print(json.dumps(throughput(given.points or 100, given.vesicles or 10, given.canonical), indent=1))
    else:
        with tempfile.TemporaryDirectory() as place:
            asked = (given.points or 1000, given.vesicles or 4, given.key, given.low, given.high)
            print(json.dumps(load(*asked, f"{place}/s", given.figure, given.canonical), indent=1))
