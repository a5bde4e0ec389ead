"""Files of the bedside tests: netCDF-4, self-describing, written atomically."""

from __future__ import annotations

import html
import io
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar

import h5netcdf
import h5py
import numpy as np

from nmjmc import above
from nmjmc.data import table
from nmjmc.data.atomic import write_bytes
from nmjmc.data.guard import DAMAGE, opened
from nmjmc.data.seal import with_seal
from nmjmc.data.variables import in_parts, joined
from nmjmc.diagnostics.finding import Array, Finding, Row, grows, missing, rounded
from nmjmc.errors import ValidationError
from nmjmc.folders import user_path
from nmjmc.numbers import finite_or_none

SCHEMA_VERSION = 1


@dataclass(frozen=True, eq=False, repr=False)
class Examination:
    """A bedside test: what it found, of which junction, from which seed, and made by what.

    Attributes:
        finding: Numbers, arrays and meaning.
        config: The whole config, plain: settings, diseases, drugs, every parameter with its unit.
        seed: Seed of all randomness.
        provenance: Versions, device, git revision, the quanta that were used.
    """

    COLUMNS: ClassVar[tuple[str, ...]] = ("", "value", "95 % interval", "by")

    finding: Finding
    config: Mapping[str, Any]
    seed: int
    provenance: Mapping[str, Any] = field(default_factory=dict)

    @property
    def test(self) -> str:
        """Name of the test."""
        return self.finding.test

    @property
    def title(self) -> str:
        """The test, the preparation, its diseases and its drugs in words."""
        sick = [
            f"{name.replace('_', ' ')} {value:g}" for name, value in self.config.get("pathology", {}).items()
        ]
        treated = [f"{name} {dose}" for name, dose in self.config.get("drug", {}).items()]
        # of a junction whose parameters were changed after its diseases and drugs, these have no amounts
        sick += [str(name).replace("_", " ") for name in self.config.get("history", {}).get("applied", ())]
        who = ", ".join([str(self.config.get("name", "junction")), *(sick or ["healthy"])])
        return f"{self.test}: {who}" + (f"; {', '.join(treated)}" if treated else "")

    @property
    def over(self) -> str:
        """What most intervals are over, as `200 fibres`."""
        return self.finding.rows[0].how.partition(", ")[2]

    def rows(self) -> list[tuple[str, ...]]:
        """Rows of the table, as text: name, value with its unit, interval, and how that was made."""
        return [_cells(row, self.over) for row in self.finding.rows]

    def made(self) -> str:
        """One line: how quanta became a current, from how many, how well known, and what the run took."""
        made = self.provenance
        if "quanta_per_bank" not in made:
            return ""
        how = self.finding.facts.get("quanta_were", "superposed")
        error = made.get("bank_standard_error_%")
        known = "" if error is None else f" (their mean peak is known to {error:g} %)"
        kept = "simulated now" if made["banks_simulated"] else "kept from an earlier run"
        return (
            f"Quanta {how}, drawn from {made['quanta_per_bank']}{known}, {kept}; "
            f"{made['seconds']:.1f} s on {made['device']}"
        )

    def summary(self) -> dict[str, Any]:
        """Everything that a table shows, as values that JSON can hold."""
        rows = {
            r.name: {
                "value": finite_or_none(r.value), "low": finite_or_none(r.low), "high": finite_or_none(r.high),
                "unit": r.unit, "interval": r.how,
            }
            for r in self.finding.rows
        }  # fmt: skip
        return {
            "test": self.test, "title": self.title, "rows": rows, "meaning": self.finding.meaning,
            "facts": dict(self.finding.facts), "seed": self.seed, "provenance": dict(self.provenance),
        }  # fmt: skip

    def save(self, path: str | Path) -> Path:
        """Write the file, whole or not at all, and give back its path."""
        return save_examination(self, path)

    def to_xarray(self) -> Any:
        """Its arrays as an `xarray.Dataset` with units, as `xarray.open_dataset` reads its file (needs xarray)."""
        import xarray

        coordinates, data = {}, {}
        for name, array in self.finding.arrays.items():
            entry = (
                array.dimensions, np.asarray(array.values), {"units": array.units, "long_name": array.long_name},
            )  # fmt: skip
            (coordinates if array.dimensions == (name,) else data)[name] = entry
        return xarray.Dataset(data, coords=coordinates, attrs=_head(self))

    def plot(self, path: str | Path | None = None) -> Any:
        """Draw the figure of the test; the suffix of the path decides the format."""
        return above.ask("plot", self, path)

    def rerun(self, **changes: Any) -> Examination:
        """Run the test again, from the same seed; keywords of its function change it."""
        return above.ask("rerun", self, **changes)

    def __str__(self) -> str:
        return f"{self.title}\n{self.finding}"

    __repr__ = __str__

    def _repr_html_(self) -> str:
        words = (self.finding.meaning, self.made())
        below = "".join(f"<p>{html.escape(line)}</p>" for line in words if line)
        head = f"<p><b>{html.escape(self.title)}</b></p>"
        return f"{head}{table.html_of(self.COLUMNS, self.rows())}{below}"


def _cells(row: Row, over: str) -> tuple[str, ...]:
    """A row as text."""
    how = row.how.removesuffix(f", {over}")
    if not np.isfinite(row.value):
        return row.name, missing(row), "", how
    unit, before = f" {row.unit}" if row.unit else "", ""
    if grows(row):
        row, before = row._replace(value=-row.value, low=-row.high, high=-row.low), "none: grows by "
    value, low, high = rounded(row)
    return row.name, f"{before}{value}{unit}", f"{low} to {high}" if low else "", how


def save_examination(examination: Examination, path: str | Path) -> Path:
    """Write a bedside test, usually as `result.h5`; the file appears whole or not at all."""
    finding = examination.finding
    image = io.BytesIO()
    with h5netcdf.File(image, "w") as file:
        for name, array in finding.arrays.items():
            for axis, size in zip(array.dimensions, array.values.shape, strict=True):
                if name == axis or axis not in file.dimensions:
                    file.dimensions[axis] = size
            _write(file, name, array)
        for name, value in _head(examination).items():
            file.attrs[name] = value
    return write_bytes(path, with_seal(image.getbuffer()))


def _head(examination: Examination) -> dict[str, Any]:
    """Global attributes of its file: what it is, its seed, and in one text its rows, facts, config and provenance."""
    finding = examination.finding
    told = {
        "rows": [list(map(_text, row)) for row in finding.rows], "meaning": finding.meaning,
        "facts": dict(finding.facts), "config": dict(examination.config),
        "provenance": dict(examination.provenance),
    }  # fmt: skip
    return {
        "title": f"nmjmc: {examination.title}", "Conventions": "CF-1.11", "test": finding.test,
        "examination_schema_version": SCHEMA_VERSION, "seed": str(examination.seed),
        **in_parts("told", json.dumps(told)),
    }  # fmt: skip


def _text(value: Any) -> Any:
    return value if isinstance(value, str) else finite_or_none(value)


def _write(file: Any, name: str, array: Array) -> None:
    storage: dict[str, Any] = {}
    if array.values.ndim > 1 and array.values.size:
        storage = {"compression": "gzip", "compression_opts": 3, "shuffle": True}
    made = file.create_variable(name, array.dimensions, data=np.asarray(array.values), **storage)
    made.attrs["units"] = array.units
    made.attrs["long_name"] = array.long_name


def load_examination(path: str | Path) -> Examination:
    """Read the file of a bedside test.

    Args:
        path: A file that `Examination.save` wrote, or the folder of a run that holds `result.h5`.

    Raises:
        ValidationError: If there is no such file, or it is no bedside test of this package.
    """
    place = user_path(path, "path")
    place = place / "result.h5" if place.is_dir() else place
    wanted = "a file of nmjmc rns, sfemg, tof, dose_response, epp, epc, mepc, twitch or chain"
    if not place.is_file():
        raise ValidationError("path", f"{path}, where there is no file", wanted)
    with opened(place, wanted, own=True), h5netcdf.File(place, "r") as file:
        version = int(file.attrs.get("examination_schema_version", 0))
        if version not in range(1, SCHEMA_VERSION + 1):
            actual = f"{path}, which is none of this version of nmjmc"
            raise ValidationError("path", actual, wanted)
        return _read(file)


def is_examination(path: str | Path) -> bool:
    """Whether a file is one of a bedside test."""
    place = user_path(path, "path")
    place = place / "result.h5" if place.is_dir() else place
    try:
        with h5py.File(place, "r") as file:
            return "examination_schema_version" in file.attrs
    except DAMAGE:
        return False


def _row(name: str, unit: str, value: Any, low: Any, high: Any, how: str) -> Row:
    value, low, high = (np.nan if x is None else float(x) for x in (value, low, high))
    return Row(name, unit, value, low, high, how)


def _read(file: Any) -> Examination:
    told = json.loads(joined("told", dict(file.attrs)))
    arrays = {
        name: Array(tuple(v.dimensions), v[...], str(v.attrs["units"]), str(v.attrs["long_name"]))
        for name, v in file.variables.items()
    }
    rows = tuple(_row(*row) for row in told["rows"])
    finding = Finding(str(file.attrs["test"]), rows, told["meaning"], arrays, told["facts"])
    return Examination(finding, told["config"], int(file.attrs["seed"]), told["provenance"])
