"""What a sweep of many small points costs beside its simulations: memory against points, bookkeeping, collecting.

    python scripts/sweep_load.py --points 1000 --vesicles 32

Points are small on purpose: the bookkeeping of a point costs the same for a small one and a large one.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from pathlib import Path

from nmjmc.cli import sweep_run
from nmjmc.cli.main import main
from nmjmc.data.collect import write, write_csv
from nmjmc.data.gather import gather
from nmjmc.data.sweep import Sweep


def resident() -> float:
    """Memory of this process [MB]."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * 4096 / 1e6


def measure(points: int, vesicles: int, duration: str, folder: str) -> dict:
    """Run the sweep, and take memory and time at every hundredth of it."""
    memory, simulating = [], [0.0]
    plain = sweep_run.simulate_many

    def timed(*arguments, **how):
        found = plain(*arguments, **how)
        while True:
            started = time.perf_counter()
            try:
                item = next(found)
            except StopIteration:
                return
            finally:
                simulating[0] += time.perf_counter() - started
            memory.append(round(resident(), 1))
            yield item

    sweep_run.simulate_many = timed
    started = time.perf_counter()
    main(["sweep", "preparation=slab", "cleft.side=0.3 um", "vesicle.content_mean=300", f"vesicles={vesicles}",
          f"receptor.binding_rate=linspace(4e7 /M/s, 6e7 /M/s, {points})", f"duration={duration}",
          "record_interval=20 us", f"folder={folder}", "device=cpu", "progress=false"])  # fmt: skip
    whole = time.perf_counter() - started
    started = time.perf_counter()
    table = gather(folder)
    write(table, Path(folder) / "sweep.nc")
    write_csv(table, Path(folder) / "sweep.csv")
    collecting = time.perf_counter() - started
    beside = whole - simulating[0]
    return {
        "points": len(Sweep.open(folder).states()),
        "whole_s": round(whole, 1),
        "simulating_s": round(simulating[0], 1),
        "beside_ms_a_point": round(1e3 * beside / points, 2),
        "beside_percent": round(100 * beside / whole, 2),
        "collect_s": round(collecting, 2),
        "memory_mb": memory[:: max(len(memory) // 10, 1)],
    }


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--points", type=int, default=1000)
    parser.add_argument("--vesicles", type=int, default=32)
    parser.add_argument("--duration", default="1 ms")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as place:
        print(json.dumps(measure(given.points, given.vesicles, given.duration, f"{place}/s"), indent=1))
