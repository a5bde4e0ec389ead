"""What is to be found out on the day a GPU is at hand, in under eight minutes; each part has a time-out of its own.

    python scripts/gpu_day.py --out day                  # on a machine with a GPU
    python scripts/gpu_day.py --out day --rehearse       # the same on a CPU, a hundred times smaller
    python scripts/gpu_day.py --out day --only rns jax   # the parts with such a word in their names, again

Parts: the tests marked `gpu`; the canonical quantum against the numbers of a PDE; quanta per second at several numbers
of vesicles for both executors; a sweep whose points ride together; the bedside test `rns`. Results are written as they
come, to DIR/day.json and DIR/day.md; a part that fails or takes too long costs only itself. On a machine whose memory
JAX would take whole, XLA_PYTHON_CLIENT_PREALLOCATE=false is set, so that Warp has a share.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
PDE = {"peak": 1936.3, "escaped": 1527.0, "hydrolysed": 6459.0}
"""Canonical quantum, 3 ms: open channels at the peak of the mean, and ACh at the end (docs/validation.md)."""

WORK = """
import json, sys, time
import numpy as np
import nmjmc
from nmjmc.kernel.numerics import Numerics
from nmjmc.kernel.simulate import run
from nmjmc.runtime import choose_devices, use_cache
use_cache()
vesicles, executor, device = int(sys.argv[1]), sys.argv[2], sys.argv[3]
devices = choose_devices(device)
how = dict(duration=3.0, record_interval=0.02, devices=devices, numerics=Numerics(executor=executor))
synapse = nmjmc.preparation("slab")
begun = time.perf_counter()
first = run(synapse, vesicles=min(vesicles, 100), seed=2, **how)
opening = time.perf_counter() - begun
begun = time.perf_counter()
record = run(synapse, vesicles=vesicles, seed=1, **how)
wall = time.perf_counter() - begun - record.compile_seconds
mean = {k: v.mean(axis=0) for k, v in record.counts.items()}
at = int(mean["A2Ro"].argmax())
error = lambda v: float(v.std(ddof=1) / len(v) ** 0.5)
print(json.dumps({
    "device": devices[0].device_kind, "executor": executor, "vesicles": vesicles, "wall_s": wall,
    "first_run_s": opening, "compile_s": first.compile_seconds + record.compile_seconds,
    "quanta_per_s": vesicles / wall, "events_per_s": record.events / wall,
    "peak": float(mean["A2Ro"][at]), "peak_error": error(record.counts["A2Ro"][:, at]),
    **{k: float(mean[k][-1]) for k in ("escaped", "hydrolysed")},
    **{k + "_error": error(record.counts[k][:, -1]) for k in ("escaped", "hydrolysed")},
}))
"""


def main() -> None:
    """Run the parts, and write down what each found."""
    options = parse()
    folder = Path(options.out)
    folder.mkdir(parents=True, exist_ok=True)
    kept = folder / "day.json"
    found: list[dict[str, Any]] = json.loads(kept.read_text()) if options.only and kept.exists() else []
    for name, seconds, command in parts(options):
        if options.only and not any(word in name for word in options.only):
            continue
        found = [row for row in found if row["part"] != name]
        found.append({"part": name, **measured(command, seconds, options)})
        kept.write_text(json.dumps(found, indent=1) + "\n")
        (folder / "day.md").write_text(table(found))
        print(json.dumps(found[-1])[:400], flush=True)


def parse() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--out", default="gpu_day")
    parser.add_argument("--rehearse", action="store_true", help="on the CPU, a hundred times smaller")
    parser.add_argument(
        "--only", nargs="+", metavar="WORD", help="parts with one of these words in their names"
    )
    return parser.parse_args()


def parts(options: argparse.Namespace) -> list[tuple[str, float, list[str]]]:
    """Name, time-out [s] and command of each part, in the order of what matters most."""
    scale, device = (100, "cpu") if options.rehearse else (1, "gpu")
    python = sys.executable

    def quanta(vesicles: int, executor: str) -> list[str]:
        return [python, "-c", WORK, str(max(4, vesicles // scale)), executor, device]

    sweep = ["preparation=slab", "duration=3 ms", "record_interval=0.1 ms", f"vesicles={max(1, 40 // scale)}",
             "receptor.density=linspace(2000, 9000, 10)", "esterase.density=linspace(1000, 3000, 10)",
             f"device={device}", "progress=false", "results=false",
             f"folder={Path(options.out).resolve() / 'sweep'}"]  # fmt: skip
    # reading all tests for those few would take a part of the time
    files = [str(path) for path in sorted(ROOT.glob("tests/*/test_*.py")) if "mark.gpu" in path.read_text()]
    tests = [python, "-m", "pytest", "-n", "0", "-q", "-m", "gpu", *(files or ["tests"])]
    nmjmc = [python, "-m", "nmjmc"]
    few = ["fibres=10", "quanta=4", "stimuli=4"] if options.rehearse else []
    slower = 5 if options.rehearse else 1  # a CPU that others use as well
    return [
        ("accuracy, warp, 2,000", 60 * slower, quanta(2000, "warp")),
        *((f"speed, warp, {n:,}", 60 * slower, quanta(n, "warp")) for n in (100, 1000, 10_000, 100_000)),
        *((f"speed, jax, {n:,}", 60 * slower, quanta(n, "jax")) for n in (100, 1000)),
        ("sweep of 100 points", 60 * slower, [*nmjmc, "sweep", *sweep]),
        ("rns", 60 * slower, [*nmjmc, "rns", f"device={device}", "progress=false", *few]),
        ("tests", 120 * slower, [*tests, *(["--collect-only"] if options.rehearse else [])]),
    ]


def measured(command: list[str], seconds: float, options: argparse.Namespace) -> dict[str, Any]:
    """What a part printed as JSON, or how it ended, and its seconds."""
    environment = {**os.environ, "XLA_PYTHON_CLIENT_PREALLOCATE": "false"}
    if options.rehearse:
        environment["JAX_PLATFORMS"] = "cpu"
    begun = time.perf_counter()
    try:
        done = subprocess.run(
            command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=seconds
        )
    except subprocess.TimeoutExpired:
        return {"ended": f"out of time after {seconds:g} s"}
    result: dict[str, Any] = {"seconds": round(time.perf_counter() - begun, 1), "exit": done.returncode}
    last = done.stdout.strip().splitlines()[-1:] or [""]
    try:
        result |= json.loads(last[0])
    except (ValueError, TypeError):
        result["ended"] = (done.stderr if done.returncode else done.stdout).strip()[-400:]
    return result


def table(found: list[dict[str, Any]]) -> str:
    """The parts as Markdown; agreement with the PDE in standard errors."""
    lines = [
        "| part | device | s | quanta/s | compile s | peak (z) | escaped (z) | how it ended |",
        "|---" * 8 + "|",
    ]
    for row in found:
        scores = [_score(row, name) for name in ("peak", "escaped")]
        rate = f"{row['quanta_per_s']:,.0f}" if "quanta_per_s" in row else ""
        compiled = f"{row['compile_s']:.1f}" if "compile_s" in row else ""
        ended = str(row.get("ended", "")).replace("\n", " ").replace("|", "/")[-120:]
        cells = [row["part"], row.get("device", ""), row.get("seconds", ""), rate, compiled, *scores, ended]
        lines.append("| " + " | ".join(str(cell) for cell in cells) + " |")
    return "\n".join(lines) + "\n"


def _score(row: dict[str, Any], name: str) -> str:
    if name not in row:
        return ""
    return f"{row[name]:.1f} ({(row[name] - PDE[name]) / max(row[name + '_error'], 1e-9):+.1f})"


if __name__ == "__main__":
    main()
