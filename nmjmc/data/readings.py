"""Several cells read as one data set: a row a cell, each with what could not be read and why."""

from __future__ import annotations

import csv
import html
import io
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from nmjmc import above
from nmjmc.data import table
from nmjmc.data.atomic import write_text
from nmjmc.data.reading import FIGURE, Reading
from nmjmc.data.seal import sealed
from nmjmc.errors import ValidationError, nearest


@dataclass(frozen=True, eq=False, repr=False)
class Readings(Mapping[str, Reading]):
    """Files of a folder or of a pattern, by name.

    Attributes:
        title: What was read.
        cells: Those that could be read.
        refused: Why the others could not, a sentence each.
        config: What was said of them.
    """

    title: str
    cells: Mapping[str, Reading]
    refused: Mapping[str, str] = field(default_factory=dict)
    config: Mapping[str, Any] = field(default_factory=dict)

    def __getitem__(self, name: str) -> Reading:
        if name not in self.cells:
            raise ValidationError("the cell", repr(name), "one that was read", nearest(str(name), self.cells))
        return self.cells[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self.cells)

    def __len__(self) -> int:
        return len(self.cells)

    def table(self) -> dict[str, list[Any]]:
        """A row a cell, as columns, as `pandas.DataFrame(readings.table())` takes them."""
        rows = [{**cell.row(), "name": name} for name, cell in self.cells.items()]
        keys = dict.fromkeys(key for row in rows for key in row)
        return {key: [row.get(key, float("nan")) for row in rows] for key in keys}

    def lines(self) -> tuple[tuple[str, ...], list[tuple[str, ...]]]:
        """The heads and the rows of the table as text."""
        columns = self.table()
        rows = zip(*columns.values(), strict=True)
        heads = tuple(name.replace("_", " ") for name in columns)
        return heads, [tuple(_cell(value) for value in row) for row in rows]

    def to_xarray(self) -> Any:
        """The table as an `xarray.Dataset` over the cells (needs xarray)."""
        import xarray

        columns = self.table()
        names = columns.pop("name", [])
        return xarray.Dataset({k: ("cell", v) for k, v in columns.items()}, coords={"cell": names},
                              attrs={"title": self.title})  # fmt: skip

    def plot(self, path: str | Path | None = None) -> Any:
        """Draw a panel a cell; the suffix of the path decides the format."""
        return above.ask("plot", self, path)

    def save(self, folder: str | Path) -> Path:
        """Write `cells.csv`, the figure and `summary.json` into a folder, and give it back."""
        place = Path(folder)
        text = io.StringIO()
        writer = csv.writer(text, lineterminator="\n")
        columns = self.table()
        writer.writerow(columns)
        writer.writerows(zip(*columns.values(), strict=True))
        write_text(place / "cells.csv", text.getvalue())
        if self.cells:
            self.plot(place / FIGURE)
        cells = {name: cell.summary() for name, cell in self.cells.items()}
        found = {
            "title": self.title,
            "cells": cells,
            "refused": dict(self.refused),
            "said": dict(self.config),
        }
        write_text(place / "summary.json", sealed(json.loads(json.dumps(found, default=str)), indent=2))
        return place

    def files(self) -> list[str]:
        """Names of the files that `save` writes."""
        return ["cells.csv", *([FIGURE] if self.cells else []), "summary.json"]

    def __str__(self) -> str:
        heads, rows = self.lines()
        widths = [max(map(len, column)) for column in zip(heads, *rows, strict=True)]
        text = [
            "  ".join(cell.ljust(w) for cell, w in zip(line, widths, strict=True)).rstrip()
            for line in (heads, *rows)
        ]
        left = [f"not read: {why}" for why in self.refused.values()]
        return "\n".join([self.title, *text, *left])

    __repr__ = __str__

    def _repr_html_(self) -> str:
        heads, rows = self.lines()
        left = "".join(
            f"<p>{html.escape(name)}: {html.escape(why)}</p>" for name, why in self.refused.items()
        )
        return f"<p><b>{html.escape(self.title)}</b></p>{table.html_of(heads, rows)}{left}"


def _cell(value: Any) -> str:
    if isinstance(value, float):
        return "" if np.isnan(value) else f"{value:.4g}"
    return str(value)
