"""A summary as a table: rows of text, drawn plainly, as HTML, or by the command line in colour."""

from __future__ import annotations

import html
from typing import Any

# label, unit shown, factor from the stored unit
FEATURES = {
    "amplitude": ("amplitude", "nA", 1.0),
    "rise_20_80": ("rise, 20-80 %", "us", 1e3),
    "rise_10_90": ("rise, 10-90 %", "us", 1e3),
    "time_to_peak": ("time to peak", "us", 1e3),
    "decay_time": ("decay constant", "ms", 1.0),
    "charge": ("charge", "pC", 1.0),
}
COLUMNS = ("", "unit", "mean", "SD", "SE", "of mean trace")
NOT_CONSERVED = "ACh is NOT conserved: this is a fault of the program, please report it."
FATE_COLUMNS = ("ACh at the end", "unit", "mean", "SD", "SE", "fraction")


def title(summary: dict[str, Any]) -> str:
    """One line: what was simulated, how many vesicles, for how long, from which seed."""
    count, quanta = summary["vesicles"], summary.get("quanta_of_a_patch", 1)
    noun = "vesicle" if quanta == 1 else "patch"
    several = "vesicles" if quanta == 1 else "patches"
    vesicles = f"1 {noun}" if count == 1 else f"{count:,} {several}"
    vesicles += "" if quanta == 1 else f" of {quanta} vesicles"
    return f"{summary['name']}: {vesicles}, {summary['duration_ms']:g} ms, seed {summary['seed']}"


def feature_rows(summary: dict[str, Any]) -> list[tuple[str, ...]]:
    """Rows of the table of features, as text."""
    rows = []
    for name, (label, unit, factor) in FEATURES.items():
        values = summary["features"][name]
        if values["measured"] < summary["vesicles"]:
            label = f"{label} ({values['measured']} of {summary['vesicles']})"
        keys = ("mean", "sd", "standard_error", "of_mean_trace")
        rows.append((label, unit, *(number(values[key], factor) for key in keys)))
    peak = summary["peak_open_channels"]
    keys = ("mean", "sd", "standard_error", "of_mean_trace")
    rows.append(("open channels, peak", "", *(number(peak[key]) for key in keys)))
    return rows


def fate_rows(summary: dict[str, Any]) -> list[tuple[str, ...]]:
    """Rows of the table of where the ACh went, as text."""
    rows = []
    for name, values in summary["fate_of_ach"].items():
        numbers = (number(values[key]) for key in ("mean", "sd", "standard_error"))
        rows.append((name, "molecules", *numbers, f"{100 * (values['fraction'] or 0):.2f} %"))
    return rows


def number(value: float | None, factor: float = 1.0) -> str:
    """Four significant digits without an exponent where that is readable; a dash where there is no number."""
    if value is None:
        return "-"
    scaled = value * factor
    if scaled == 0 or 1e-3 <= abs(scaled) < 1e6:
        digits = 4 if scaled == 0 or abs(scaled) < 1e4 else 6
        return f"{scaled:#.{digits}g}".rstrip(".")
    return f"{scaled:.3e}"


def as_text(summary: dict[str, Any]) -> str:
    """The whole table in plain text."""
    parts = [title(summary), _aligned((COLUMNS, *feature_rows(summary)))]
    parts.append(_aligned((FATE_COLUMNS, *fate_rows(summary))))
    if not summary["conserved"]:
        parts.append(NOT_CONSERVED)
    return "\n\n".join(parts)


def _aligned(rows: tuple[tuple[str, ...], ...]) -> str:
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    lines = []
    for row in rows:
        # names and units to the left, numbers to the right
        cells = [
            c.ljust(w) if i < 2 else c.rjust(w) for i, (c, w) in enumerate(zip(row, widths, strict=True))
        ]
        lines.append("  ".join(cells).rstrip())
    lines.insert(1, "-" * max(map(len, lines)))
    return "\n".join(lines)


def as_html(summary: dict[str, Any]) -> str:
    """The whole table for a notebook."""
    tables = "".join(
        html_of(columns, rows)
        for columns, rows in ((COLUMNS, feature_rows(summary)), (FATE_COLUMNS, fate_rows(summary)))
    )
    return f"<p><b>{html.escape(title(summary))}</b></p>{tables}"


def html_of(columns: tuple[str, ...], rows: list[tuple[str, ...]]) -> str:
    """A table for a notebook."""
    head = "".join(f"<th>{html.escape(cell)}</th>" for cell in columns)
    body = "".join("<tr>" + "".join(f"<td>{html.escape(c)}</td>" for c in row) + "</tr>" for row in rows)
    return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"
