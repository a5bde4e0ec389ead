"""What every experiment shares: estimates with intervals, the lines of a report, figure and output."""

from __future__ import annotations

import argparse
import dataclasses
import importlib
import json
import math
import shutil
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from scipy import stats

from nmjmc.analysis.waveform import measure
from nmjmc.data import provenance
from nmjmc.data.atomic import atomic
from nmjmc.viz.style import MILLIMETRE, style

EXPERIMENTS = (
    "canonical_quantum", "convergence", "stiles_1996", "wathey_1979", "colquhoun_sakmann_1985", "hatton_2003",
    "hartzell_1975", "meanfield_human", "closed_forms", "estimators", "recovery", "land_1984", "terminal", "fibre",
    "healthy_muscle", "myasthenia", "lambert_eaton", "congenital", "competitive_block", "botulism", "contraction",
    "quantal_analysis", "executors",
)  # fmt: skip
CONFIDENCE = 0.95
DOTS_PER_INCH = 150


@dataclass(frozen=True)
class Estimate:
    """A number and its 95 % interval; one that is clearly lopsided is written by its ends."""

    value: float
    low: float
    high: float

    def __str__(self) -> str:
        half = 0.5 * (self.high - self.low)
        if not math.isfinite(half) or half <= 0:
            return f"{self.value:.4g}"
        digits = max(0, 1 - math.floor(math.log10(half)))
        if abs(self.value - 0.5 * (self.low + self.high)) > 0.3 * half:
            return f"{self.value:.{digits}f} ({self.low:.{digits}f} to {self.high:.{digits}f})"
        return f"{self.value:.{digits}f} ± {half:.{digits}f}"


def exact(value: float) -> Estimate:
    """A number without sampling error."""
    return Estimate(float(value), float(value), float(value))


def of_mean(samples: np.ndarray) -> Estimate:
    """Mean of independent samples [n], by Student's t; samples without a value (NaN) are left out."""
    samples = np.asarray(samples, np.float64)
    samples = samples[np.isfinite(samples)]
    half = stats.t.ppf(0.5 + CONFIDENCE / 2, samples.size - 1) * samples.std(ddof=1) / math.sqrt(samples.size)
    return Estimate(float(samples.mean()), float(samples.mean() - half), float(samples.mean() + half))


def of_replicates(value: float, replicates: np.ndarray) -> Estimate:
    """A statistic with the spread of its bootstrap replicates [b], centred on it (basic bootstrap)."""
    tail = 50 * (1 - CONFIDENCE)
    low, high = np.nanpercentile(np.asarray(replicates), [tail, 100 - tail])
    return Estimate(float(value), float(2 * value - high), float(2 * value - low))


def of_normal(value: float, error: float) -> Estimate:
    """A number with a known standard error, normally distributed."""
    half = float(stats.norm.ppf(0.5 + CONFIDENCE / 2)) * float(error)
    return Estimate(float(value), float(value) - half, float(value) + half)


def resamples(count: int, number: int = 400, seed: int = 0) -> np.ndarray:
    """Bootstrap weights [number, count], each row adding up to one."""
    generator = np.random.default_rng(seed)
    return generator.multinomial(count, np.full(count, 1 / count), size=number) / count


@dataclass(frozen=True)
class Shape:
    """Features of a mean trace, with bootstrap replicates over quanta.

    Attributes:
        value: feature by name (those of `nmjmc.analysis.waveform`, times in ms).
        replicates: the same for each resample [b].
    """

    value: dict[str, float]
    replicates: dict[str, np.ndarray]

    def estimate(self, name: str, factor: float = 1.0) -> Estimate:
        """A feature with its interval, in another unit if a factor is given."""
        return of_replicates(factor * self.value[name], factor * self.replicates[name])

    def ratio(self, other: Shape, name: str, factor: float = 1.0) -> Estimate:
        """This feature over that of another; resample b is set against resample b."""
        return of_replicates(
            factor * self.value[name] / other.value[name],
            factor * self.replicates[name] / other.replicates[name],
        )


def shape_of_mean(time_ms: np.ndarray, traces: np.ndarray, weights: np.ndarray | None = None) -> Shape:
    """Features of the mean of upward traces [v, t], and of each resample.

    Two runs that are paired (the same seed) take the same `weights`, so that their ratio gains from it.
    """
    weights = resamples(len(traces)) if weights is None else weights
    value = measure(time_ms, traces.mean(axis=0), polarity=1).as_dict()
    again = measure(time_ms, weights @ traces, polarity=1).as_dict()
    return Shape({k: float(v) for k, v in value.items()}, again)


@dataclass(frozen=True)
class Line:
    """One published number beside the simulated one.

    Attributes:
        quantity: what it is.
        unit: its unit.
        published: the published value, in words.
        mark: how sure the published value is (V read in its abstract or text, M from memory, C calculated).
        limits: range that counts as agreement, or None where nothing is judged.
        simulated: the simulated value.
        note: what a reader must know.
    """

    quantity: str
    unit: str
    published: str
    mark: str
    limits: tuple[float, float] | None
    simulated: Estimate
    note: str = ""

    @property
    def within(self) -> str:
        """`yes`, `no`, `on the limit` (the interval covers a limit) or `not judged`."""
        if self.limits is None:
            return "not judged"
        low, high = self.limits
        inside = low <= self.simulated.value <= high
        if any(self.simulated.low < edge < self.simulated.high for edge in self.limits):
            return "on the limit"
        return "yes" if inside else "no"

    @property
    def range_text(self) -> str:
        """The limits in words."""
        if self.limits is None:
            return "-"
        low, high = self.limits
        if math.isinf(high):
            return f"at least {low:g}"
        return f"at most {high:g}" if math.isinf(low) else f"{low:g} to {high:g}"

    def __str__(self) -> str:
        unit = f" {self.unit}" if self.unit else ""
        return (
            f"{self.quantity}: published {self.published} ({self.mark}) / simulated {self.simulated}{unit} "
            f"/ within {self.range_text}? {self.within}"
        )


@dataclass
class Report:
    """What an experiment found: its lines, its settings and its figure, written to one folder."""

    name: str
    folder: Path
    fast: bool = False
    lines: list[Line] = field(default_factory=list)
    facts: dict[str, Any] = field(default_factory=dict)
    began: float = field(default_factory=time.perf_counter)

    def say(self, quantity: str, unit: str, published: str, mark: str, *rest: Any) -> None:
        """Add a `Line` (its fields in order) and print it."""
        line = Line(quantity, unit, published, mark, *rest)
        self.lines.append(line)
        print(line, flush=True)
        if line.note:
            print(f"    {line.note}")

    def deviation(
        self,
        quantity: str,
        unit: str,
        source: str,
        expected: float,
        found: float,
        error: float,
        limit: float,
        note: str = "",
    ) -> None:
        """Add a line on a number beside the one that a calculation gives, in per cent of the latter.

        Args:
            quantity: what it is.
            unit: its unit.
            source: where the expected number comes from, for example "exact".
            expected: the calculated number.
            found: the simulated number.
            error: its standard error; zero where there is none.
            limit: deviation that counts as agreement [%].
            note: what a reader must know.
        """
        digits = 4 if error <= 0 else max(0, min(9, 1 - math.floor(math.log10(error))))
        unit = f" {unit}" if unit else ""
        self.say(
            f"{quantity}: simulated {found:.{digits}f}{unit}, standard error {error:.{digits}f}",
            "%",
            f"{source} {expected:.{digits}f}{unit}",
            "C",
            (-limit, limit),
            of_normal(100 * (found / expected - 1), 100 * error / abs(expected)),
            note,
        )

    def draw(self, figure: Figure) -> None:
        """Write the figure as `figure.png`, whole or not at all."""
        with atomic(self.folder / "figure.png") as temporary, style():
            figure.savefig(temporary, format="png", dpi=DOTS_PER_INCH)

    def finish(self) -> None:
        """Write `result.json` and `table.md`."""
        found = {
            "experiment": self.name,
            "command": f"python -m experiments.{self.name}" + (" --fast" if self.fast else ""),
            "fast": self.fast,
            "seconds": round(time.perf_counter() - self.began, 1),
            "lines": [{**dataclasses.asdict(line), "within": line.within} for line in self.lines],
            "facts": self.facts,
            "provenance": provenance.collect(),
        }
        with atomic(self.folder / "result.json") as temporary:
            Path(temporary).write_text(json.dumps(_plain(found), indent=1) + "\n", encoding="utf-8")
        with atomic(self.folder / "table.md") as temporary:
            Path(temporary).write_text(self.table(), encoding="utf-8")

    def table(self) -> str:
        """The lines as a Markdown table."""
        rows = [
            "| quantity | published (mark) | agreement means | simulated | within |",
            "|---|---|---|---|---|",
        ]
        for line in self.lines:
            unit = f" {line.unit}" if line.unit else ""
            rows.append(
                f"| {line.quantity} | {line.published} ({line.mark}) | {line.range_text} "
                f"| {line.simulated}{unit} | {line.within} |"
            )
        return "\n".join(rows) + "\n"


def canvas(width: float, height: float) -> Figure:
    """An empty figure [mm]; draw into it inside `style()`."""
    return Figure(figsize=(width * MILLIMETRE, height * MILLIMETRE), layout="constrained")


def main(name: str, run: Callable[[Report], None], arguments: Iterable[str] | None = None) -> Report:
    """The command line of one experiment.

    Args:
        name: of the experiment.
        run: fills the report and draws the figure.
        arguments: as from a shell; None takes the shell's.
    """
    parser = argparse.ArgumentParser(prog=f"python -m experiments.{name}")
    parser.add_argument("--fast", action="store_true", help="a few vesicles, to see that it runs")
    parser.add_argument(
        "--out", default=f"outputs/experiments/{name}", help="folder for figure and result.json"
    )
    chosen = parser.parse_args(None if arguments is None else list(arguments))
    report = Report(name, Path(chosen.out), chosen.fast)
    report.folder.mkdir(parents=True, exist_ok=True)
    print(f"{name}{' (fast: numbers mean nothing)' if chosen.fast else ''}")
    run(report)
    report.finish()
    print(f"wrote {report.folder}", flush=True)
    return report


def main_all(names: Iterable[str]) -> None:
    """Run several experiments, one after the other."""
    parser = argparse.ArgumentParser(prog="python -m experiments")
    parser.add_argument("names", nargs="*", help=f"of {', '.join(names)}; all by default")
    parser.add_argument("--fast", action="store_true")
    parser.add_argument(
        "--docs", action="store_true", help="put figures and tables of the full runs into docs/"
    )
    chosen = parser.parse_args()
    if chosen.docs and chosen.fast:
        parser.error("--docs takes full runs only, but --fast was given")
    for name in chosen.names or names:
        module = importlib.import_module(f"experiments.{name}.run")
        report = main(name, module.run, ["--fast"] if chosen.fast else [])
        if chosen.docs:
            publish(report, Path("docs"))


def publish(report: Report, docs: Path) -> None:
    """Put an experiment's figure and table where the documentation shows them.

    The table goes between the two comments `<!-- NAME -->` and `<!-- end NAME -->` of the page that has them.
    """
    begin, end = f"<!-- {report.name} -->\n", f"<!-- end {report.name} -->"
    pages = [p for p in sorted(docs.glob("*.md")) if begin in p.read_text(encoding="utf-8")]
    page = pages[0] if pages else docs / "validation.md"
    before, found, rest = page.read_text(encoding="utf-8").partition(begin)
    _, closed, after = rest.partition(end)
    if not found or not closed:
        raise ValueError(f"{page} must hold {begin.strip()} and {end}, but does not.")
    (docs / "figures").mkdir(exist_ok=True)
    shutil.copyfile(report.folder / "figure.png", docs / "figures" / f"{report.name}.png")
    with atomic(page) as temporary:
        Path(temporary).write_text(f"{before}{begin}{report.table()}{end}{after}", encoding="utf-8")


def _plain(value: Any) -> Any:
    """As JSON can hold it: numbers that are none become null."""
    if isinstance(value, dict):
        return {str(k): _plain(v) for k, v in value.items()}
    if isinstance(value, list | tuple | np.ndarray):
        return [_plain(v) for v in value]
    if isinstance(value, bool | str) or value is None:
        return value
    if isinstance(value, int | np.integer):
        return int(value)
    number = float(value)
    return number if math.isfinite(number) else None
