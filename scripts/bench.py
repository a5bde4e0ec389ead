"""Speed of the kernel, and of Smoldyn on the same model in the same run.

    python scripts/bench.py                                  # canonical quantum: 100 and 1,000 vesicles
    python scripts/bench.py --vesicles 100,1000,10000 --out bench.json
    python scripts/bench.py --smoldyn 0.5                    # Smoldyn at 0.5 us too (pip install '.[bench]')

CPU-seconds are process time (all cores), compiling apart. The unit of work is the event: an arrival of a molecule or
a tick of a site's clock. The kernel takes no steps between events, so "molecule-steps" are given as what a code with
steps of 0.5 us would have taken for the same free ACh.
"""

from __future__ import annotations

import argparse
import json
import platform
import resource
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import jax
import jaxlib
import numpy as np

import nmjmc
from nmjmc.kernel.simulate import run
from nmjmc.runtime import use_cache

STEP_US = 0.5
DURATION, INTERVAL = 3.0, 0.005


def measure(preparation: str, vesicles: int, repeats: int) -> dict[str, Any]:
    """The cost of one quantum: the least of a few runs, after a first one that compiles."""
    synapse = nmjmc.preparation(preparation)
    settings = {"vesicles": vesicles, "duration": DURATION, "record_interval": INTERVAL}
    first = run(synapse, seed=0, **settings)
    cpu, wall = [], []
    for seed in range(1, repeats + 1):
        begun, clock = time.process_time(), time.perf_counter()
        record = run(synapse, seed=seed, **settings)
        cpu.append(time.process_time() - begun)
        wall.append(time.perf_counter() - clock)
    opened = record.counts["A2Ro"].mean(axis=0)
    free = record.counts["free_ach"].mean(axis=0).sum() * INTERVAL * 1e3
    return {
        "preparation": preparation,
        "vesicles": vesicles,
        "compile_seconds": round(first.compile_seconds, 2),
        "cpu_seconds_per_quantum": float(np.median(cpu)) / vesicles,
        "quanta_per_second": vesicles / float(np.median(wall)),
        "events_per_quantum": record.events / vesicles,
        "events_per_cpu_second": record.events / float(np.median(cpu)),
        "equivalent_molecule_steps_per_cpu_second": free / STEP_US * vesicles / float(np.median(cpu)),
        "peak_open": float(opened.max()),
        "peak_memory_gib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20,
    }


SMOLDYN = """
dim 3
boundaries x -0.6 0.6 a
boundaries y -0.6 0.6 a
boundaries z -0.01 0.04 r
species ACh R AR A2R A2Ro E EA
difc ACh 400
start_surface bottom
action ACh both reflect
panel rect +z -0.5 -0.5 0 1 1
end_surface
start_surface top
action ACh both reflect
panel rect -z -0.5 -0.5 0.03 1 1
end_surface
start_surface sides
action ACh both absorb
panel rect +x -0.5 -0.5 -0.01 1 0.05
panel rect -x 0.5 -0.5 -0.01 1 0.05
panel rect +y -0.5 -0.5 -0.01 1 0.05
panel rect -y -0.5 0.5 -0.01 1 0.05
end_surface
start_surface lamina
action ACh both transmit
panel rect +z -0.5 -0.5 0.015 1 1
end_surface
surface_mol 10000 R(up) bottom rect all
surface_mol 2500 E(up) lamina rect all
mol 10000 ACh 0 0 0.0299
reaction bind1 ACh + R(up) -> AR(up) 0.13284
reaction unbind1 AR(up) -> ACh + R(up) 5000
reaction bind2 ACh + AR(up) -> A2R(up) 0.06642
reaction unbind2 A2R(up) -> ACh + AR(up) 10000
reaction open A2R(up) -> A2Ro(up) 25000
reaction close A2Ro(up) -> A2R(up) 1200
reaction split ACh + E(up) -> EA(up) 0.33211
reaction free EA(up) -> E(up) 16000
time_start 0
time_stop {stop}
time_step {step}
output_files counts.txt
cmd i 0 {stop} 5e-6 molcount counts.txt
end_file
"""


def measure_smoldyn(step_us: float) -> dict[str, Any]:
    """One canonical quantum in Smoldyn (random sites, its own binding radii) [step us]."""
    try:
        import smoldyn
    except ImportError:
        sys.exit("bench: Smoldyn is not installed; pip install '.[bench]' (Python 3.11: smoldyn 2.74)")
    with tempfile.TemporaryDirectory() as folder:
        config = Path(folder) / "quantum.txt"
        config.write_text(SMOLDYN.format(stop=DURATION * 1e-3, step=step_us * 1e-6))
        begun = time.process_time()
        smoldyn.Simulation.fromFile(str(config), "q").runSim()
        seconds = time.process_time() - begun
        counts = np.loadtxt(Path(folder) / "counts.txt")
    return {
        "program": f"Smoldyn {smoldyn.__version__}",
        "step_us": step_us,
        "cpu_seconds_per_quantum": seconds,
        "peak_open": float(counts[:, 5].max()),
    }


def machine() -> dict[str, Any]:
    """What the figures were measured on."""
    info = Path("/proc/cpuinfo")
    names = [line.split(":")[1].strip() for line in info.read_text().splitlines() if line.startswith("model name")]
    return {
        "processor": names[0] if names else platform.processor(),
        "cores": len(names),
        "device": str(jax.devices()[0].device_kind),
        "python": platform.python_version(),
        "jax": jax.__version__,
        "jaxlib": jaxlib.__version__,
        "nmjmc": nmjmc.__version__,
    }


def show(rows: list[dict[str, Any]]) -> None:
    """The rows as aligned `name value` lines."""
    for row in rows:
        sys.stdout.write("\n")
        for name, value in row.items():
            text = f"{value:.4g}" if isinstance(value, float) else str(value)
            sys.stdout.write(f"{name:44s} {text}\n")
    sys.stdout.flush()


def main() -> None:
    """Measure, print and, if asked, write JSON."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--preparation", default="slab")
    parser.add_argument("--vesicles", default="100,1000", help="numbers of vesicles, separated by commas")
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--smoldyn", type=float, metavar="US", help="run Smoldyn at this step too")
    parser.add_argument("--cache", action="store_true", help="use the cache of compiled programs")
    parser.add_argument("--out", type=Path, help="write the figures as JSON")
    options = parser.parse_args()
    use_cache(options.cache)
    rows = [machine()]
    show(rows)
    for count in options.vesicles.split(","):
        rows.append(measure(options.preparation, int(count), options.repeats))
        show(rows[-1:])
    if options.smoldyn:
        rows.append(measure_smoldyn(options.smoldyn))
        show(rows[-1:])
    if options.out:
        options.out.write_text(json.dumps(rows, indent=2) + "\n")


if __name__ == "__main__":
    main()
