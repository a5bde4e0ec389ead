"""What the analyses of quantal data found: numbers with intervals, beside the truth where it is known, and curves."""

from __future__ import annotations

import csv
import dataclasses
import html
import io
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from nmjmc import above
from nmjmc.analysis.bench.measured import Measured
from nmjmc.data.atomic import write_text
from nmjmc.data.seal import sealed
from nmjmc.diagnostics.finding import Row, rounded
from nmjmc.errors import ValidationError, nearest

COLUMNS = ("", "value", "95 % interval", "truth", "by")
FIGURE = "quantal.png"


@dataclass(frozen=True, eq=False)
class Curve:
    """Columns of one length: what a panel of the figure is drawn from.

    Attributes:
        columns: By name, each [row].
        units: Of the columns, by the same names.
    """

    columns: Mapping[str, np.ndarray]
    units: Mapping[str, str]

    def __getitem__(self, name: str) -> np.ndarray:
        return self.columns[name]

    def __contains__(self, name: str) -> bool:
        return name in self.columns


@dataclass(frozen=True, eq=False, repr=False)
class QuantalReport:
    """The analyses of one recording, table or simulation.

    Attributes:
        title: What was analysed, in words.
        kind: `miniatures`, `evoked`, `conditions`, `recovery` or `intervals`.
        rows: The numbers, each with its interval and how it was made.
        curves: By name: `miniatures`, `intervals`, `channel_noise`, `variance_mean`, `train`, `release_rate` and more.
        notes: Sentences: what was left out, and which assumption the data speak against.
        truth: What a simulation knows, by the name of the row.
        config: Sources and settings.
    """

    title: str
    kind: str
    rows: tuple[Measured, ...]
    curves: Mapping[str, Curve]
    notes: tuple[str, ...] = ()
    truth: Mapping[str, float] = field(default_factory=dict)
    config: Mapping[str, Any] = field(default_factory=dict)

    def __getitem__(self, name: str) -> Measured:
        """A number by the name of its row.

        Raises:
            ValidationError: If there is none, with the nearest.
        """
        for row in self.rows:
            if row.name == name:
                return row
        names = [row.name for row in self.rows]
        raise ValidationError("the row", repr(name), "one of the report", nearest(name, names))

    def table(self) -> dict[str, list[Any]]:
        """The numbers as columns, as `pandas.DataFrame(report.table())` takes them."""
        names = [f.name for f in dataclasses.fields(Measured)]
        by_name = {name: [getattr(row, name) for row in self.rows] for name in names}
        return by_name | {"truth": [self.truth.get(row.name, float("nan")) for row in self.rows]}

    def lines(self) -> list[tuple[str, ...]]:
        """The rows of the table as text, in the order of `COLUMNS`."""
        return [self._line(row) for row in self.rows]

    def _line(self, row: Measured) -> tuple[str, ...]:
        value, low, high = in_text(row)
        true = f"{self.truth[row.name]:.4g}" if row.name in self.truth else ""
        return row.name, f"{value} {row.unit}".strip(), f"{low} to {high}" if low else "", true, row.how

    def summary(self) -> dict[str, Any]:
        """Everything that the table shows, as values that JSON can hold; infinite ends are the text `inf`."""
        rows = {
            row.name: {"value": _plain(row.value), "low": _plain(row.low), "high": _plain(row.high),
                       "unit": row.unit, "by": row.how, "truth": _plain(self.truth.get(row.name, np.nan))}
            for row in self.rows
        }  # fmt: skip
        return {"title": self.title, "kind": self.kind, "rows": rows, "notes": list(self.notes),
                "config": dict(self.config)}  # fmt: skip

    def save(self, folder: str | Path) -> Path:
        """Write `table.csv`, a CSV for each curve, the figure and `summary.json` into a folder, and give it back."""
        place = Path(folder)
        for name, text in self._texts().items():
            write_text(place / f"{name}.csv", text)
        self.plot(place / FIGURE)
        write_text(
            place / "summary.json", sealed(json.loads(json.dumps(self.summary(), default=str)), indent=2)
        )
        return place

    def files(self) -> list[str]:
        """Names of the files that `save` writes."""
        return [*(f"{name}.csv" for name in self._texts()), FIGURE, "summary.json"]

    def _texts(self) -> dict[str, str]:
        table = self.table()
        by_name = {"table": _csv(list(table), zip(*table.values(), strict=True))}
        for name, curve in self.curves.items():
            heads = [f"{key} ({curve.units[key]})" if curve.units.get(key) else key for key in curve.columns]
            by_name[name] = _csv(heads, zip(*(c.tolist() for c in curve.columns.values()), strict=True))
        return by_name

    def plot(self, path: str | Path | None = None) -> Any:
        """Draw the curves; the suffix of the path decides the format."""
        return above.ask("plot", self, path)

    def to_xarray(self) -> Any:
        """Numbers and curves as an `xarray.Dataset` (needs xarray); each curve has a dimension of its own."""
        import xarray

        names = [row.name for row in self.rows]
        parts = {
            key: ("row", values)
            for key, values in self.table().items()
            if key in ("value", "low", "high", "truth")
        }
        made = xarray.Dataset(parts, coords={"row": names}, attrs={"title": self.title})
        for name, curve in self.curves.items():
            for key, values in curve.columns.items():
                made[f"{name}_{key}"] = (name, values)
                made[f"{name}_{key}"].attrs["units"] = curve.units.get(key, "") or "1"
        return made

    def __str__(self) -> str:
        lines = self.lines()
        widths = [max(len(line[i]) for line in [COLUMNS, *lines]) for i in range(len(COLUMNS))]
        text = [
            "  ".join(cell.ljust(w) for cell, w in zip(line, widths, strict=True)).rstrip()
            for line in [COLUMNS, *lines]
        ]
        return "\n".join([self.title, *text, *self.notes])

    __repr__ = __str__

    def _repr_html_(self) -> str:
        head = "".join(f"<th>{html.escape(name)}</th>" for name in COLUMNS)
        body = "".join(
            "<tr>" + "".join(f"<td>{html.escape(c)}</td>" for c in line) + "</tr>" for line in self.lines()
        )
        notes = "".join(f"<p>{html.escape(note)}</p>" for note in self.notes)
        return f"<p><b>{html.escape(self.title)}</b></p><table><tr>{head}</tr>{body}</table>{notes}"


def in_text(row: Measured) -> tuple[str, str, str]:
    """Value and ends of the interval as text; an end that the data do not set is `inf`."""
    if np.isnan(row.value):
        return "none", "", ""
    if not np.isfinite(row.value) or not np.isfinite(row.high):
        low = f"{row.low:.3g}" if np.isfinite(row.low) else ""
        return f"{row.value:.3g}", low, "inf" if low else ""
    return rounded(Row(row.name, row.unit, row.value, row.low, row.high, row.how))


def _plain(value: float) -> float | str | None:
    if np.isnan(value):
        return None
    return float(value) if np.isfinite(value) else ("inf" if value > 0 else "-inf")


def _csv(heads: list[str], rows: Any) -> str:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(heads)
    writer.writerows(rows)
    return text.getvalue()
