"""What `nmjmc fit` prints: what would be fitted, and what was found."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

from rich import box
from rich.table import Table

from nmjmc.cli import report
from nmjmc.cli.fit_config import Prepared
from nmjmc.fitting.parameters import extra_value
from nmjmc.fitting.reach import data_span, model_span
from nmjmc.fitting.terms import Term
from nmjmc.units import to_text

_INTERVALS = {"profile": "profile", "fisher": "Fisher"}
_LEAST = 1e-3  # p values below it are no longer told apart


def plan(made: Prepared) -> dict[str, str]:
    """What would be fitted, as names and sentences."""
    found = {}
    for term in made.data.terms:
        changed = (
            ", ".join(f"{path} = {value}" for path, value in term.condition.changes) or "as the preparation"
        )
        found[f"data {term.name}"] = (
            f"{made.data.kinds[term.name]}: {made.data.notes[term.name]}; {term.data.size} numbers, "
            f"{term.condition.duration:g} ms, {changed}{_spans(made, term)}"
        )
    p = made.parameters
    for i, name in enumerate(p.names):
        start, low, high = (to_text(float(v), p.units[i], 4) for v in (p.start[i], p.low[i], p.high[i]))
        prior = ""
        if math.isfinite(p.prior_sd[i]) and p.logarithmic[i]:
            median = to_text(math.exp(p.prior_mean[i]), p.units[i], 4)
            prior = f", prior {median} within a factor of {math.exp(p.prior_sd[i]):.3g}"
        elif math.isfinite(p.prior_sd[i]):
            prior = f", prior {p.prior_mean[i]:.4g} with SD {p.prior_sd[i]:.3g}"
        found[f"free {name}"] = f"from {start}, within {low} to {high}{prior}"
    found["estimator"] = made.why
    if made.config.how["estimator"] == "auto" and made.estimator.name == "mean_field":
        found["estimator"] += (
            "; it goes on to corrected where the data know a parameter better than that bias"
        )
    for number, remark in enumerate(made.data.remarks, 1):
        found[f"note {number}"] = remark
    return found


def _spans(made: Prepared, term: Term) -> str:
    """Where the amplitudes of a data set lie, and a bound on those of the model."""
    data = data_span(term)
    if data is None:
        return ""
    known = {name: extra_value(name, value) for name, value in made.config.fixed.items()}
    model = model_span(made.config.synapse, term, made.parameters, known)
    bound = f"; the model can give {model} within the bounds" if model is not None else ""
    return f"; data at {data}{bound}"


def print_fit(summary: dict[str, Any], folder: Path | None = None) -> None:
    """Print the tables of a fit, what a reader must know, and where its files stand.

    Args:
        summary: As `FitRecord.summary` gives it.
        folder: Of the files.
    """
    out = report.console()
    percent = 100 * summary["level"]
    sets = summary["datasets"]
    out.print(
        f"\nfit of {_number(summary['parameters'], 'parameter')} to {_number(sets, 'data set')}",
        style="bold",
    )
    out.print(_parameters(summary["parameters"], f"{percent:g} % interval"))
    if any("posterior" in row for row in summary["parameters"].values()):
        out.print(_posterior(summary["parameters"], f"{percent:g} % of the posterior"))
    out.print(_datasets(sets))
    out.print(f"goodness of fit of all: {_chance(summary['p_value'])}; {_ended(summary)}")
    for note in summary["notes"]:
        out.print(note, soft_wrap=True)
    if folder is not None:
        out.print(f"In {report.short(folder)}: {', '.join(files(folder))}", soft_wrap=True)


def files(folder: Path) -> list[str]:
    """The files of a fit that are there, in the order of use."""
    names = ("fit.h5", "summary.json", "fitted.yaml", "data.png", "descent.png", "pairs.png", "profiles.png",
             "posterior.png", "config.yaml", "nmjmc.log")  # fmt: skip
    return [name for name in names if (folder / name).is_file()]


def _number(of: Any, name: str) -> str:
    return f"{len(of)} {name}{'' if len(of) == 1 else 's'}"


def _ended(summary: dict[str, Any]) -> str:
    how = "converged" if summary["converged"] else "not converged"
    return f"loss {summary['loss']:.6g}, {how} after {summary['steps']} steps"


def _parameters(rows: dict[str, Any], level: str) -> Table:
    made = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for name in ("parameter", "unit"):
        made.add_column(name, no_wrap=True)
    for name in ("estimate", level, "started from"):
        made.add_column(name, justify="right", no_wrap=True)
    noisy = any(row["seed_sd"] > 0 for row in rows.values())
    if noisy:
        made.add_column("seed noise", justify="right", no_wrap=True)
    made.add_column("from", no_wrap=True)
    for name, row in rows.items():
        low, high = (
            _value(row[end], bound) for end, bound in (("low", "no lower end"), ("high", "no upper end"))
        )
        made.add_row(
            name, row["unit"], _value(row["estimate"]), f"{low} to {high}", _value(row["start"]),
            *([f"{100 * row['seed_sd'] / row['relative_sd']:.0f} % of the SD"] if noisy else []),
            _INTERVALS[row["interval"]],
        )  # fmt: skip
    return made


def _posterior(rows: dict[str, Any], level: str) -> Table:
    made = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for name in ("parameter", "unit"):
        made.add_column(name, no_wrap=True)
    for name in ("median", level, "R-hat", "effective draws"):
        made.add_column(name, justify="right", no_wrap=True)
    for name, row in rows.items():
        found = row["posterior"]
        made.add_row(
            name, row["unit"], _value(found["median"]), f"{_value(found['low'])} to {_value(found['high'])}",
            f"{found['rhat']:.3f}" if found["rhat"] else "", f"{found['ess']:.0f}" if found["ess"] else "",
        )  # fmt: skip
    return made


def _datasets(rows: dict[str, Any]) -> Table:
    made = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for name in ("data set", "compared as"):
        made.add_column(name, no_wrap=True)
    for name in ("numbers", "goodness of fit"):
        made.add_column(name, justify="right", no_wrap=True)
    for name, row in rows.items():
        made.add_row(name, row.get("kind", ""), str(row["numbers"]), _chance(row["p_value"]))
    return made


def _chance(p_value: float | None) -> str:
    if p_value is None:
        return "no p: as many parameters as numbers"
    return (
        f"p = {p_value:.2g}" if p_value >= _LEAST else f"p < {_LEAST:g}: the model does not have this shape"
    )


def _value(value: float | None, missing: str = "") -> str:
    """Four digits, without a needless exponent."""
    if value is None:
        return missing
    return f"{value:.4g}" if 1e-3 <= abs(value) < 1e4 or value == 0 else to_text(value, "", 4)


def show(path: Path) -> bool:
    """Print the fit in a file; false if the file is of another kind.

    Raises:
        ValidationError: If it is a fit that cannot be read.
    """
    from nmjmc.data.fits import is_fit, load_fit

    path = path / "fit.h5" if (path / "fit.h5").is_file() else path
    if not is_fit(path):
        return False
    print_fit(load_fit(path).summary())
    return True
