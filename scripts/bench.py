"""What a quantum costs: processor time, events, memory, compiling; and Smoldyn on the same model beside it.

    python scripts/bench.py                          # the canonical quantum, 100 and 1,000 vesicles
    python scripts/bench.py --vesicles 100 1000 10000
    python scripts/bench.py --cores 1                # as one of many processes with a core each
    python scripts/bench.py --executors warp         # one of the two executors; by default both, side by side
    python scripts/bench.py --variant noE --peers smoldyn --smoldyn-dt 0.5

Every measurement runs in a process of its own, so that memory and compiling are its own; a first one with an
empty cache of compiled programs, a second with the cache that it left. Processor time counts all threads.

Our unit of work is the event: a binding attempt, a transition of a site, the end of a journey that was cut
short, an escape. A count of molecule-steps has no meaning here, because a molecule goes from one attempt to the
next in one exact journey; to compare with codes that step, the table gives the time that molecules spent free,
in molecule-us per second of processor time (a code with steps of 1 us does as many molecule-steps).
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from peers import smoldyn_peak

ROOT = Path(__file__).resolve().parents[1]
VARIANTS: dict[str, dict[str, Any]] = {
    "std": {},
    "noE": {"esterase.active_fraction": 0.0},
    "myas": {"receptor.density": "3000 /um^2"},
}


def main() -> None:
    """Measure, print the table, write the JSON."""
    options = parse()
    if options.worker:
        print(json.dumps(WORKERS[options.worker](options)))
        return
    report: dict[str, Any] = {"machine": machine(), "options": vars(options), "nmjmc": [], "peers": []}
    for executor in options.executors:
        with tempfile.TemporaryDirectory() as cache:
            for label, vesicles in [("empty", options.vesicles[0]), *(("warm", v) for v in options.vesicles)]:
                row = measured("nmjmc", options, cache, vesicles, executor)
                report["nmjmc"].append({"cache": label, **row})
                show_ours(report["nmjmc"][-1], first=len(report["nmjmc"]) == 1)
    for name in options.peers:
        row = measured(name, options, None, options.peer_quanta)
        report["peers"].append(row)
        for ours in {ours["executor"]: ours for ours in report["nmjmc"]}.values():
            show_peer(row, ours)
    if options.json:
        Path(options.json).write_text(json.dumps(report, indent=1) + "\n")
        print(f"written: {options.json}")


def parse() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--vesicles", type=int, nargs="+", default=[100, 1000])
    parser.add_argument("--executors", nargs="+", choices=["warp", "jax"], default=["warp", "jax"])
    parser.add_argument("--executor", choices=["warp", "jax"], default="warp", help=argparse.SUPPRESS)
    parser.add_argument("--preparation", default="slab")
    parser.add_argument("--variant", choices=VARIANTS, default="std")
    parser.add_argument("--duration", type=float, default=3.0, help="ms")
    parser.add_argument("--record-interval", type=float, default=0.01, help="ms")
    parser.add_argument("--lanes", type=int, default=0, help="batches at once; 0 for one a core")
    parser.add_argument(
        "--cores", type=int, default=0, help="cores that the process may use; 0 for all (Linux)"
    )
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--peers", nargs="*", choices=["smoldyn"], default=[])
    parser.add_argument("--peer-quanta", type=int, default=1)
    parser.add_argument("--smoldyn-dt", type=float, default=1.0, help="us")
    parser.add_argument("--json", default="")
    parser.add_argument("--worker", choices=["nmjmc", "smoldyn"], help=argparse.SUPPRESS)
    return parser.parse_args()


def measured(
    worker: str, options: argparse.Namespace, cache: str | None, quanta: int, executor: str = "warp"
) -> dict[str, Any]:
    """One measurement in a process of its own.

    Raises:
        SystemExit: If it failed; its message is shown.
    """
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")])}
    if cache is not None:
        environment["NMJMC_CACHE_DIR"] = cache
    given = {
        **vars(options),
        "worker": worker,
        "executor": executor,
        "vesicles": [quanta],
        "peer_quanta": quanta,
        "json": "",
        "peers": [],
    }
    command = [sys.executable, str(Path(__file__).resolve())]
    for key, value in given.items():
        values = value if isinstance(value, list) else [value]
        if values and value != "":
            command += [f"--{key.replace('_', '-')}", *(str(v) for v in values)]
    done = subprocess.run(command, env=environment, capture_output=True, text=True)
    if done.returncode:
        raise SystemExit((done.stderr or done.stdout).strip())
    return json.loads(done.stdout.splitlines()[-1])


def run_nmjmc(options: argparse.Namespace) -> dict[str, Any]:
    """Quanta by this package; processor time of its threads while nothing compiles."""
    if options.cores:  # before JAX starts its threads
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[: options.cores])
    begun = time.perf_counter()
    import numpy as np

    import nmjmc
    from nmjmc.kernel.numerics import Numerics
    from nmjmc.kernel.simulate import run
    from nmjmc.runtime import choose_devices, use_cache
    from nmjmc.synapse import replace

    import_seconds = time.perf_counter() - begun
    use_cache()
    synapse = nmjmc.preparation(options.preparation)
    for path, value in VARIANTS[options.variant].items():
        synapse = replace(synapse, path, value)
    devices = choose_devices("auto")
    lanes = {"devices": [devices[0]] * options.lanes} if options.lanes else {}
    meter = Meter()
    vesicles = options.vesicles[0]
    how = {"duration": options.duration, "record_interval": options.record_interval}
    how["numerics"] = Numerics(executor=options.executor)
    # a first run of the same shape compiles; the second, with other random numbers, is what is timed
    first = run(synapse, vesicles=min(vesicles, 256), seed=options.seed + 1, **how, **lanes)
    first_wall, first_cpu = meter.lap()
    record = run(synapse, vesicles=vesicles, seed=options.seed, **how, **lanes)
    wall, cpu = meter.lap()
    free = np.trapezoid(record.counts["free_ach"].mean(axis=0), record.time) * 1e3
    return {
        "executor": options.executor,
        "vesicles": vesicles,
        "device": f"{devices[0].platform}: {devices[0].device_kind}",
        "import_s": import_seconds,
        "first_run_s": first_wall,
        "first_compile_s": first.compile_seconds,
        "first_cpu_s": first_cpu,
        "late_compile_s": record.compile_seconds,
        "wall_s": wall - record.compile_seconds,
        "cpu_s_per_quantum": (cpu - record.compile_seconds) / vesicles,
        "quanta_per_s": vesicles / (wall - record.compile_seconds),
        "events_per_quantum": record.events / vesicles,
        "events_per_cpu_s": record.events / (cpu - record.compile_seconds),
        "free_us_per_quantum": float(free),
        "free_us_per_cpu_s": float(free) * vesicles / (cpu - record.compile_seconds),
        "peak_memory_mb": peak_memory(),
        "peak_open": float(record.counts["A2Ro"].mean(axis=0).max()) if "A2Ro" in record.counts else None,
    }


def run_smoldyn(options: argparse.Namespace) -> dict[str, Any]:
    """The same slab in Smoldyn, reaction for reaction (lengths in um, times in ms).

    Receptors and esterases stand at random places, as Smoldyn puts them on a surface. The plane of the esterase
    lets ACh through; a molecule that it meets there is consumed.
    """
    try:
        import smoldyn
    except ImportError as error:
        message = (
            'Smoldyn is not installed: pip install "nmjmc[bench]" on Python 3.11 (2.76 does not import there)'
        )
        raise SystemExit(message) from error
    import nmjmc
    from nmjmc.synapse import replace

    if options.preparation != "slab":
        raise SystemExit("only the slab is set up for Smoldyn: choose --preparation slab")
    synapse = nmjmc.preparation("slab")
    for path, value in VARIANTS[options.variant].items():
        synapse = replace(synapse, path, value)
    meter, peaks = Meter(), []
    for number in range(options.peer_quanta):
        seed, step = options.seed + number, options.smoldyn_dt * 1e-3
        peaks.append(smoldyn_peak(smoldyn, synapse.effective(), seed, options.duration, step))
    wall, cpu = meter.lap()
    return {
        "name": f"Smoldyn {smoldyn.__version__}",
        "dt_us": options.smoldyn_dt,
        "quanta": options.peer_quanta,
        "wall_s": wall,
        "cpu_s_per_quantum": cpu / options.peer_quanta,
        "peak_memory_mb": peak_memory(),
        "peak_open": sum(peaks) / len(peaks),
    }


class Meter:
    """Wall and processor time between laps."""

    def __init__(self) -> None:
        self.wall, self.cpu = time.perf_counter(), time.process_time()

    def lap(self) -> tuple[float, float]:
        """Seconds of wall and of processor since the last lap."""
        wall, cpu = time.perf_counter(), time.process_time()
        found = wall - self.wall, cpu - self.cpu
        self.wall, self.cpu = wall, cpu
        return found


def peak_memory() -> float:
    """Largest resident memory of this process so far [MB]."""
    used = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return used / (1 << 20 if sys.platform == "darwin" else 1 << 10)


def machine() -> dict[str, Any]:
    """Where this was measured."""
    load = os.getloadavg()[0] if hasattr(os, "getloadavg") else None
    return {
        "cores": os.cpu_count(),
        "load": load,
        "python": platform.python_version(),
        "system": platform.platform(),
    }


def show_ours(row: dict[str, Any], first: bool) -> None:
    """A line of our table."""
    if first:
        print(f"device {row['device']}; import {row['import_s']:.2f} s")
        print(
            "executor  cache  vesicles  compile s  CPU-s/quantum  quanta/s  events/quantum  events/CPU-s  free us/CPU-s"
            "  memory MB  peak"
        )
    print(
        f"{row['executor']:<8}  {row['cache']:<6} {row['vesicles']:>8}  {row['first_compile_s']:>9.2f}"
        f"  {row['cpu_s_per_quantum']:>13.4f}"
        f"  {row['quanta_per_s']:>8.1f}  {row['events_per_quantum']:>14.0f}  {row['events_per_cpu_s']:>12.3g}"
        f"  {row['free_us_per_cpu_s']:>13.3g}  {row['peak_memory_mb']:>9.0f}  {row['peak_open'] or float('nan'):.0f}",
        flush=True,
    )


def show_peer(row: dict[str, Any], ours: dict[str, Any]) -> None:
    """A line about a peer, and how many of our quanta its time buys."""
    ratio = row["cpu_s_per_quantum"] / ours["cpu_s_per_quantum"]
    print(
        f"{row['name']}, dt {row['dt_us']:g} us: {row['cpu_s_per_quantum']:.2f} CPU-s/quantum "
        f"({ratio:.0f} of ours, {ours['executor']}), "
        f"{row['peak_memory_mb']:.0f} MB, peak {row['peak_open']:.0f}"
    )


WORKERS = {"nmjmc": run_nmjmc, "smoldyn": run_smoldyn}

if __name__ == "__main__":
    main()
