"""A fit as a table: rows of text for a terminal and a notebook, and arrays with their units for xarray."""

from __future__ import annotations

import html
import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from nmjmc.units import to_text

if TYPE_CHECKING:
    from nmjmc.data.fits import FitRecord

_INTERVALS = {"profile": "profile", "fisher": "Fisher"}
_LEAST = 1e-3  # p values below it are no longer told apart
_HEAD = ("parameter", "unit", "estimate", "interval", "started from", "from")


def heading(summary: Mapping[str, Any]) -> str:
    """One line: how many parameters were fitted to how many data sets."""
    return (
        f"fit of {_number(summary['parameters'], 'parameter')} to {_number(summary['datasets'], 'data set')}"
    )


def parameter_rows(summary: Mapping[str, Any]) -> list[tuple[str, ...]]:
    """Name, unit, estimate, interval, start, seed noise (empty without any) and where the interval comes from."""
    rows = []
    for name, row in summary["parameters"].items():
        low, high = number(row["low"], "no lower end"), number(row["high"], "no upper end")
        is_noisy = row["seed_sd"] > 0
        noise = f"{100 * row['seed_sd'] / row['relative_sd']:.0f} % of the SD" if is_noisy else ""
        rows.append(
            (name, row["unit"], number(row["estimate"]), f"{low} to {high}", number(row["start"]), noise,
             _INTERVALS[row["interval"]])
        )  # fmt: skip
    return rows


def posterior_rows(summary: Mapping[str, Any]) -> list[tuple[str, ...]]:
    """Name, unit, median, interval, R-hat and effective draws of each parameter; empty without draws."""
    rows = []
    for name, row in summary["parameters"].items():
        if "posterior" not in row:
            continue
        draws = row["posterior"]
        interval = f"{number(draws['low'])} to {number(draws['high'])}"
        mixing = (
            f"{draws['rhat']:.3f}" if draws["rhat"] else "",
            f"{draws['ess']:.0f}" if draws["ess"] else "",
        )
        rows.append((name, row["unit"], number(draws["median"]), interval, *mixing))
    return rows


def data_rows(summary: Mapping[str, Any]) -> list[tuple[str, ...]]:
    """Name, kind, numbers compared and goodness of fit of each data set."""
    return [
        (name, row.get("kind", ""), str(row["numbers"]), chance(row["p_value"]))
        for name, row in summary["datasets"].items()
    ]


def ending(summary: Mapping[str, Any]) -> str:
    """How the fit ended."""
    verdict = "converged" if summary["converged"] else "not converged"
    return f"loss {summary['loss']:.6g}, {verdict} after {summary['steps']} steps"


def chance(p_value: float | None) -> str:
    """A goodness of fit in words."""
    if p_value is None:
        return "no p: as many parameters as numbers"
    if p_value >= _LEAST:
        return f"p = {p_value:.2g}"
    return f"p < {_LEAST:g}: the model does not have this shape"


def number(value: float | None, missing: str = "") -> str:
    """Four digits, without a needless exponent."""
    if value is None:
        return missing
    return f"{value:.4g}" if 1e-3 <= abs(value) < 1e4 or value == 0 else to_text(value, "", 4)


def _number(of: Any, word: str) -> str:
    return f"{len(of)} {word}{'' if len(of) == 1 else 's'}"


def as_html(record: FitRecord) -> str:
    """The tables and the notes for a notebook."""
    summary = record.summary()
    rows = [(*row[:5], row[6]) for row in parameter_rows(summary)]
    head = [f"{100 * record.level:g} % interval" if name == "interval" else name for name in _HEAD]
    parts = [
        f"<p><b>{html.escape(heading(summary))}</b>, {html.escape(ending(summary))}</p>",
        _table(head, rows),
    ]
    parts.append(_table(["data set", "compared as", "numbers", "goodness of fit"], data_rows(summary)))
    notes = "".join(f"<li>{html.escape(note)}</li>" for note in record.notes)
    return "".join(parts) + (f"<ul>{notes}</ul>" if notes else "")


def _table(head: list[str], rows: list[tuple[str, ...]]) -> str:
    first = "".join(f"<th>{html.escape(cell)}</th>" for cell in head)
    body = "".join("<tr>" + "".join(f"<td>{html.escape(c)}</td>" for c in row) + "</tr>" for row in rows)
    return f"<table><thead><tr>{first}</tr></thead><tbody>{body}</tbody></table>"


def to_xarray(record: FitRecord) -> Any:
    """Estimates, intervals, descent and draws as an `xarray.Dataset`.

    Args:
        record: The fit.

    Returns:
        Variables along `parameter`, each number in the unit that the coordinate `unit` says; NaN for an interval
        without an end.
    """
    import xarray

    def stated(values: Any) -> np.ndarray:
        table = np.asarray(values, np.float64)
        scale = np.array([record.scale(index) for index in range(len(record.names))])
        return np.where(np.isfinite(table), table / scale, math.nan)

    intervals = np.array([record.interval(name) for name in record.names])
    p = "parameter"
    variables: dict[str, Any] = {
        "estimate": (p, stated(record.estimate)), "low": (p, stated(intervals[:, 0])),
        "high": (p, stated(intervals[:, 1])), "start": (p, stated(record.start)),
        "relative_sd": (p, record.relative_sd), "seed_sd": (p, record.seed_sd),
        "correlation": ((p, "other_parameter"), record.correlation),
        "loss": ("step", record.losses), "trace": (("step", p), stated(record.trace)),
    }  # fmt: skip
    if record.bootstrap.size:
        variables["bootstrap"] = (("repeat", p), stated(record.bootstrap))
    if record.posterior is not None:
        variables["posterior"] = (("chain", "draw", p), stated(record.posterior.draws))
    names = list(record.names)
    coordinates = {p: names, "other_parameter": names, "unit": (p, list(record.units))}
    attributes = {"level": record.level, "p_value": record.p_value, "notes": list(record.notes)}
    made = {f"provenance_{k}": str(v) for k, v in record.provenance.items()}
    return xarray.Dataset(variables, coords=coordinates, attrs=attributes | made)
