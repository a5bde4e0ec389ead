"""A sweep in its folder as an object: printed, tabulated, drawn, written for other programs; half-finished or whole."""

from __future__ import annotations

import functools
import html
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from nmjmc.data import hdf5, sweep_table
from nmjmc.data.features import UNITS
from nmjmc.data.result import Result
from nmjmc.data.sweep import Sweep
from nmjmc.data.sweep_table import Table
from nmjmc.data.table import number
from nmjmc.errors import ValidationError, nearest
from nmjmc.folders import user_path
from nmjmc.numbers import finite_or_none
from nmjmc.sweeps import study
from nmjmc.sweeps.gather import gather

_SHOWN = 20
"""Points that are printed; a choice."""
_FEATURES = ("amplitude", "decay_time")


class SweepResult:
    """What a sweep has found so far; `refresh()` looks again.

    Args:
        path: The folder of `nmjmc.sweep` or `nmjmc sweep`, or one that `nmjmc simulate ... -m` has left.

    Attributes:
        path: The folder.
    """

    def __init__(self, path: str | Path) -> None:
        self.path = user_path(path, "the folder")
        self.table  # noqa: B018 - a folder that holds no sweep is refused now

    @functools.cached_property
    def table(self) -> Table:
        """Parameters, status, seed, and every feature with its errors, a row a point."""
        return gather(self.path)

    @classmethod
    def of_file(cls, path: str | Path) -> SweepResult:
        """The sweep in a table that `save` or `nmjmc collect` wrote, without its folder: no whole results, no study.

        Raises:
            ValidationError: If it is damaged.
        """
        made = cls.__new__(cls)
        made.path = user_path(path, "path")
        made.table = sweep_table.read(made.path)
        return made

    def refresh(self) -> SweepResult:
        """The same sweep, as it stands now."""
        return self._of_its_kind(self.path)

    @property
    def _of_its_kind(self) -> Callable[[Path], SweepResult]:
        return SweepResult.of_file if self.path.is_file() else SweepResult

    def __len__(self) -> int:
        return self.table.size

    @property
    def done(self) -> list[int]:
        """Numbers of the finished points."""
        return self.table.where("done")

    @property
    def failed(self) -> dict[int, str]:
        """Why each failed point failed."""
        return {index: self.table.errors[index] for index in self.table.where("failed")}

    @property
    def missing(self) -> list[int]:
        """Numbers of the points without a record."""
        return self.table.where("missing")

    @property
    def running(self) -> list[int]:
        """Numbers of the points without a record that some process holds at this moment."""
        if not (self.path / "sweep.json").exists():
            return []
        sweep = Sweep.open(self.path)
        try:
            return sweep.running()
        finally:
            sweep.close()

    def parameter(self, name: str) -> np.ndarray:
        """The values of what was swept, in its stated unit; words as text [n].

        Raises:
            ValidationError: If that was not swept.
        """
        by_name = {parameter.name: parameter.values for parameter in self.table.parameters}
        if name not in by_name:
            raise ValidationError("name", repr(name), "a parameter of the sweep", nearest(name, by_name))
        return by_name[name]

    def feature(self, name: str) -> np.ndarray:
        """The mean over the vesicles of each point [n], NaN where there is none.

        Raises:
            ValidationError: If there is no such feature.
        """
        if name not in UNITS:
            raise ValidationError("name", repr(name), "a feature", nearest(name, UNITS))
        return self.table.features[name][0]

    def result(self, index: int) -> Result:
        """The whole result of a finished point.

        Raises:
            ValidationError: If it is not done, or whole results were not kept.
        """
        if index not in self.done:
            raise ValidationError("index", index, "the number of a finished point")
        return hdf5.load(self._folder().result_path(index))

    def _folder(self) -> Sweep:
        """The folder with the records of the points.

        Raises:
            ValidationError: If this is a table alone.
        """
        if self.path.is_file():
            hint = "load the folder of the sweep"
            raise ValidationError(
                "the sweep", f"{self.path}, a table alone", "a folder with its points", hint
            )
        return Sweep.open(self.path)

    def best(self) -> int | None:
        """Number of the best point of a study; None while none is done.

        Raises:
            ValidationError: If the sweep is no study.
        """
        sweep = self._folder()
        if sweep.definition["request"]["sampler"] != "optuna":
            raise ValidationError("the sweep", str(self.path), "one with sampler=optuna")
        found = study.best(sweep)
        sweep.close()
        return None if found is None else found[0]

    def summary(self) -> dict[str, Any]:
        """Points by their state, what was swept, and the features of each point, as values that JSON can hold."""
        parts = ("mean", "standard_error", "sd")
        features = {
            name: {
                "unit": UNITS[name],
                **{part: [*map(finite_or_none, row)] for part, row in zip(parts, rows, strict=True)},
            }
            for name, rows in self.table.features.items()
        }
        swept = {p.name: {"unit": p.unit, "values": p.values.tolist()} for p in self.table.parameters}
        states = {"done": self.done, "failed": list(self.failed), "missing": self.missing}
        return {
            "name": self.table.name, "points": len(self), **states, "parameters": swept, "features": features,
        }  # fmt: skip

    def to_xarray(self) -> Any:
        """The table as an `xarray.Dataset` with one dimension `point` (needs xarray)."""
        return sweep_table.to_xarray(self.table)

    def to_pandas(self) -> Any:
        """The table as a `pandas.DataFrame`, a row a point (needs xarray and pandas)."""
        return self.to_xarray().reset_coords().to_dataframe()

    def save(self, path: str | Path | None = None) -> Path:
        """Write the table as netCDF-4, with a CSV and the checksums beside it; by default into the sweep's folder.

        Returns:
            The path of the netCDF-4 file.

        Raises:
            ValidationError: If the name does not end in .nc or .h5.
        """
        beside = self.path if self.path.is_file() else self.path / "sweep.nc"
        out = beside if path is None else user_path(path, "path")
        if out.suffix not in (".nc", ".h5"):
            raise ValidationError("path", str(out), "a name that ends in .nc or .h5")
        return sweep_table.write_both(self.table, out)[0]

    def plot(
        self,
        path: str | Path | None = None,
        *,
        features: Sequence[str] = _FEATURES,
        kind: str = "",
        x: str | None = None,
        y: str | None = None,
        log: bool | None = None,
    ) -> Any:
        """Draw the finished points.

        Args:
            path: Where to write the figure, if anywhere.
            features: One panel each.
            kind: `line`, `dose` (a Hill curve) or `map`; by default what suits the parameters.
            x: The parameter along the abscissa.
            y: The one up the ordinate of a map, or the one that lines differ in.
            log: Whether the abscissa is logarithmic.

        Returns:
            The matplotlib figure.

        Raises:
            ValidationError: If no point is done, or something cannot be drawn so.
        """
        from nmjmc.viz.sweep import plot_sweep, view_of  # matplotlib takes a while

        return plot_sweep(self.table, view_of(self.table, features, kind, x, y, log), path)

    def _rows(self) -> list[list[str]]:
        """Heads and cells: number, parameters, and the mean of some features with its standard error."""
        table = self.table
        rows = [["point", *(f"{p.name} [{p.unit}]" if p.unit else p.name for p in table.parameters),
                 *(f"{name} [{UNITS[name]}]" for name in _FEATURES), "status"]]  # fmt: skip
        for index in range(min(table.size, _SHOWN)):
            values = [p.values[index] for p in table.parameters]
            cells = [f"{v:.6g}" if isinstance(v, float | np.floating) else str(v) for v in values]
            kept = [self._cell(name, index) for name in _FEATURES]
            rows.append([str(index), *cells, *kept, str(table.status[index])])
        return rows

    def _cell(self, name: str, index: int) -> str:
        value, error = self.table.features[name][:2, index]
        if np.isnan(value):
            return "-"
        return number(float(value)) + ("" if np.isnan(error) else f" ± {number(float(error))}")

    def _heading(self) -> str:
        counted = f"{len(self.done)} of {len(self)} points done"
        counted += f", {len(self.failed)} failed" if self.failed else ""
        return f"sweep of {self.table.name}: {counted}, in {self.path}"

    def _more(self) -> str:
        return f"and {len(self) - _SHOWN} more points" if len(self) > _SHOWN else ""

    def __str__(self) -> str:
        rows = self._rows()
        widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
        lines = ["  ".join(c.rjust(w) for c, w in zip(row, widths, strict=True)).rstrip() for row in rows]
        return "\n".join([self._heading(), "", *lines, *filter(None, [self._more()])])

    __repr__ = __str__

    def _repr_html_(self) -> str:
        head, *body = self._rows()
        made = "".join(f"<th>{html.escape(cell)}</th>" for cell in head)
        rows = "".join("<tr>" + "".join(f"<td>{html.escape(c)}</td>" for c in row) + "</tr>" for row in body)
        table = f"<table><thead><tr>{made}</tr></thead><tbody>{rows}</tbody></table>"
        return f"<p><b>{html.escape(self._heading())}</b></p>{table}<p>{html.escape(self._more())}</p>"
