"""A sweep as one table: parameters, status, seed, every feature with its errors; written as netCDF-4 and as CSV."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import h5netcdf
import h5py
import numpy as np

from nmjmc.data.atomic import write_bytes
from nmjmc.data.features import UNITS
from nmjmc.data.guard import DAMAGE, check_file
from nmjmc.data.seal import DamageError, check, with_seal
from nmjmc.data.sums import write_sums
from nmjmc.data.variables import in_parts, joined
from nmjmc.errors import ValidationError

COLLECTION_VERSION = 1
STATUS = ("missing", "done", "failed")
_ENDINGS = {"": "mean over the vesicles", "_se": "standard error of the mean", "_sd": "SD over the vesicles"}


@dataclass(frozen=True)
class Parameter:
    """What was swept.

    Attributes:
        name: Path of the parameter or setting.
        unit: Its stated unit; None where the values are words.
        values: float64 [n] in the stated unit, NaN where unknown; or words [n].
    """

    name: str
    unit: str | None
    values: np.ndarray


@dataclass(frozen=True)
class Table:
    """A sweep, half-finished or whole.

    Attributes:
        name: What was simulated.
        parameters: What was swept.
        status: `done`, `failed` or `missing` [n].
        seed: Seed of each point, int64 [n]; -1 where there is none.
        features: For each feature its mean, standard error and SD over the vesicles, float64 [3, n], NaN where missing.
        measured: For each feature the vesicles that have it, int32 [n].
        errors: The sentence of each failed point, "" for the others [n].
        about: The whole request and the versions, plain.
    """

    name: str
    parameters: tuple[Parameter, ...]
    status: np.ndarray
    seed: np.ndarray
    features: Mapping[str, np.ndarray]
    measured: Mapping[str, np.ndarray]
    errors: tuple[str, ...]
    about: Mapping[str, Any]

    @property
    def size(self) -> int:
        """Number of points."""
        return self.status.shape[0]

    def where(self, status: str) -> list[int]:
        """Numbers of the points of one status."""
        return np.flatnonzero(self.status == status).tolist()


def write_both(table: Table, path: Path) -> tuple[Path, Path, Path]:
    """Write the dataset, the CSV beside it, and the list of their checksums.

    Args:
        table: The sweep.
        path: The netCDF-4 file.

    Returns:
        The three paths.
    """
    both = write(table, path), write_csv(table, path.with_suffix(".csv"))
    return (*both, write_sums(both))


def write(table: Table, path: str | Path) -> Path:
    """Write the dataset: one dimension `point`, parameters as coordinates, features with their standard errors.

    Args:
        table: The sweep.
        path: The netCDF-4 file, written whole or not at all.

    Returns:
        The path.
    """
    image = io.BytesIO()
    with h5netcdf.File(image, "w") as file:
        file.dimensions["point"] = table.size
        coordinates = " ".join(p.name for p in table.parameters)
        for name, values, attributes in _variables(table):
            made = _create(file, name, values)
            for key, value in attributes.items():
                made.attrs[key] = value
            if name != "point" and coordinates and name not in coordinates.split():
                made.attrs["coordinates"] = coordinates
        file.attrs["title"] = f"nmjmc sweep: {table.name}"
        file.attrs["Conventions"] = "CF-1.11"
        file.attrs["schema_version"] = COLLECTION_VERSION
        for key, value in in_parts("sweep", json.dumps(table.about)).items():
            file.attrs[key] = value
    return write_bytes(path, with_seal(image.getbuffer()))


def read(path: Path) -> Table:
    """The table that `write` wrote.

    Raises:
        ValidationError: If it is damaged, or of a later version.
    """
    try:
        check(path)
        with h5py.File(path, "r") as file:
            check_file(file, path)
            if (version := int(np.asarray(file.attrs["schema_version"]).ravel()[0])) > COLLECTION_VERSION:
                allowed = f"a table of version {COLLECTION_VERSION} or before"
                raise ValidationError("path", f"{path}, of version {version}", allowed)
            held = {str(n): item for n, item in file.items() if isinstance(item, h5py.Dataset) and item.shape}
            columns = {name: _plain_texts(np.asarray(item[...])) for name, item in held.items()}
            swept = str(held["status"].attrs.get("coordinates", "")).split()
            parameters = [Parameter(n, _unit(held[n].attrs.get("units")), columns[n]) for n in swept]
            about = json.loads(joined("sweep", dict(file.attrs)))
            title = str(file.attrs["title"]).removeprefix("nmjmc sweep: ")
        return _table(title, tuple(parameters), columns, about)
    except (*DAMAGE, DamageError, KeyError, ValueError) as error:
        value = f"{path}, which is damaged ({error})"
        raise ValidationError("path", value, "as nmjmc collect wrote it") from error


def _table(
    title: str, parameters: tuple[Parameter, ...], columns: Mapping[str, np.ndarray], about: Mapping[str, Any]
) -> Table:
    """A table of its columns by name; an earlier version had fewer features."""
    status = np.asarray([STATUS[code] for code in columns["status"]])
    none = np.full(status.size, np.nan)
    features = {name: np.stack([columns.get(name + ending, none) for ending in _ENDINGS]) for name in UNITS}
    measured = {name: columns.get(f"{name}_n", np.zeros(status.size, np.int32)) for name in UNITS}
    errors = tuple(map(str, columns["error"]))
    return Table(
        title, parameters, status, columns["seed"].astype(np.int64), features, measured, errors, about
    )


def _unit(stated: object) -> str | None:
    return None if stated is None else "" if str(stated) == "1" else str(stated)


def _plain_texts(values: np.ndarray) -> np.ndarray:
    """Texts as str; numbers as they are."""
    if values.dtype.kind != "O":
        return values
    return np.asarray(
        [value.decode() if isinstance(value, bytes) else str(value) for value in values], object
    )


def to_xarray(table: Table) -> Any:
    """The dataset that `write` writes, as an `xarray.Dataset`; parameters are coordinates."""
    import xarray

    names = ("point", *(p.name for p in table.parameters))
    by_name = {name: ("point", values, attributes) for name, values, attributes in _variables(table)}
    coordinates = {name: entry for name, entry in by_name.items() if name in names}
    data = {name: entry for name, entry in by_name.items() if name not in names}
    return xarray.Dataset(data, coords=coordinates, attrs={"title": f"nmjmc sweep: {table.name}"})


def _create(file: Any, name: str, values: np.ndarray) -> Any:
    if values.dtype.kind in "UO":
        made = file.create_variable(name, ("point",), dtype=h5py.string_dtype())
        made[...] = values.astype(object)
        return made
    # a checksum in each chunk, which every reader of HDF5 looks at
    checked = {"chunks": values.shape, "fletcher32": True} if values.size else {}
    return file.create_variable(name, ("point",), data=values, **checked)


def _variables(table: Table) -> Iterator[tuple[str, np.ndarray, dict[str, Any]]]:
    """Name, values and attributes of each variable, coordinates first."""
    yield "point", np.arange(table.size, dtype=np.int32), {"long_name": "number of the point", "units": "1"}
    for parameter in table.parameters:
        attributes = {"long_name": parameter.name}
        if parameter.unit is not None:
            attributes["units"] = parameter.unit or "1"
        yield parameter.name, parameter.values, attributes
    codes = np.asarray([STATUS.index(status) for status in table.status], np.int8)
    flags = {"flag_values": np.arange(len(STATUS), dtype=np.int8), "flag_meanings": " ".join(STATUS)}
    yield "status", codes, {"long_name": "status of the point", **flags}
    if not _sweeps_seed(table):
        yield "seed", table.seed, {"long_name": "seed of the point, -1 where there is none", "units": "1"}
    yield "error", np.asarray(table.errors, object), {"long_name": "why the point failed"}
    for name, unit in UNITS.items():
        for values, (ending, words) in zip(table.features[name], _ENDINGS.items(), strict=True):
            yield name + ending, values, {"units": unit or "1", "long_name": f"{name}, {words}"}
        yield (
            f"{name}_n",
            table.measured[name],
            {"units": "1", "long_name": f"vesicles that have a {name}"},
        )


def _sweeps_seed(table: Table) -> bool:
    """Whether the seed is one of the parameters, and so stands in the table already."""
    return any(parameter.name == "seed" for parameter in table.parameters)


def write_csv(table: Table, path: str | Path) -> Path:
    """Write the table as CSV; the first line names the columns with their units in brackets."""
    columns = [("point", range(table.size)), ("status", table.status)]
    if not _sweeps_seed(table):
        columns.append(("seed", table.seed))
    for parameter in table.parameters:
        columns.append((_headed(parameter.name, parameter.unit), parameter.values))
    for name, unit in UNITS.items():
        for values, ending in zip(table.features[name], _ENDINGS, strict=True):
            columns.append((_headed(name + ending, unit), values))
        columns.append((f"{name}_n", table.measured[name]))
    columns.append(("error", table.errors))
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow([name for name, _ in columns])
    for row in zip(*(values for _, values in columns), strict=True):
        writer.writerow([_cell(value) for value in row])
    return write_bytes(path, text.getvalue().encode())


def _headed(name: str, unit: str | None) -> str:
    return f"{name} [{unit}]" if unit else name


def _cell(value: Any) -> str:
    """A cell: seven digits, which is more than any standard error leaves; empty where there is no number."""
    if isinstance(value, float):
        return "" if np.isnan(value) else f"{value:.7g}"
    return str(value)
