"""Fits as files: the record of a fit, self-describing."""

from __future__ import annotations

import io
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import yaml

from nmjmc import above
from nmjmc.data import fit_table
from nmjmc.data.atomic import write_bytes, write_text
from nmjmc.data.fit_folder import RECORD, save_folder
from nmjmc.data.guard import opened
from nmjmc.data.seal import with_seal
from nmjmc.errors import ValidationError
from nmjmc.folders import user_path
from nmjmc.numbers import finite_or_none
from nmjmc.synapse.build import build
from nmjmc.synapse.model import Synapse
from nmjmc.units import to_internal, to_text

SCHEMA_VERSION = 1


@dataclass(frozen=True, eq=False)
class DataFit:
    """One data set beside its model.

    Attributes:
        name: Of the data set.
        kind: `waveform`, `histogram` or `statistics`.
        labels: What each number is.
        position: Where each number stands on the axis: time [ms] or amplitude; NaN for none [z].
        data: [z].
        model: [z].
        error: Standard error of the data [z].
        residual: In units of the error [z].
        p_value: Of the goodness of fit of this data set alone.
        time: Of the mean event, where the data are events [t] [ms].
        mean: The mean event, between the bins too [t] [nA].
        curve: The model at these times, where the mean field gives it [t] [nA].
        note: What was read, in words.
    """

    name: str
    kind: str
    labels: tuple[str, ...]
    position: np.ndarray
    data: np.ndarray
    model: np.ndarray
    error: np.ndarray
    residual: np.ndarray
    p_value: float
    time: np.ndarray = field(default_factory=lambda: np.zeros(0))
    mean: np.ndarray = field(default_factory=lambda: np.zeros(0))
    curve: np.ndarray = field(default_factory=lambda: np.zeros(0))
    note: str = ""


@dataclass(frozen=True, eq=False)
class ProfileCurve:
    """A profile likelihood: values (internal units), twice the rise of the loss, and the interval."""

    values: np.ndarray
    rise: np.ndarray
    low: float
    high: float


@dataclass(frozen=True, eq=False)
class PosteriorDraws:
    """Draws from the posterior.

    Attributes:
        draws: Internal units [chain, draw, p].
        rhat: Rank-normalised split R-hat of each parameter [p].
        ess: Effective number of draws [p].
        divergent: Draws whose trajectory diverged.
    """

    draws: np.ndarray
    rhat: np.ndarray
    ess: np.ndarray
    divergent: int

    def interval(self, level: float) -> np.ndarray:
        """Low end, median and high end of each parameter [3, p]."""
        ends = [0.5 * (1.0 - level), 0.5, 0.5 * (1.0 + level)]
        return np.quantile(self.draws.reshape(-1, self.draws.shape[-1]), ends, axis=0)


@dataclass(frozen=True, eq=False, repr=False)
class FitRecord:
    """What a fit found. Values of parameters are in internal units; `text` gives them in their stated units.

    Attributes:
        names: Free parameters [p].
        units: Their stated units.
        start: Where the fit began [p].
        estimate: [p].
        low: Ends of the intervals from the Fisher information and the seed noise, at `level` [p].
        high: Likewise [p].
        level: Of the intervals.
        relative_sd: SD of the logarithm, or of the value where it is not fitted by its logarithm [p].
        seed_sd: The part of it that is Monte Carlo noise of the fit itself [p].
        correlation: Of the estimates [p, p].
        bounds: Lower and upper [p, 2].
        losses: Minus log likelihood and prior after each step [step].
        trace: Parameters after each step [step, p].
        gradient_noise: Of each step, relative to the gradient [step].
        datasets: Each beside its model.
        p_value: Goodness of fit of all data together.
        notes: What a reader must know, in sentences: the estimator and its bias, flat combinations, bounds reached.
        profiles: By parameter.
        bootstrap: Estimates from resampled events [repeat, p].
        posterior: Draws, if there are any.
        converged: Whether the fit ended because it could not get better.
        synapse: With the estimates.
        fixed: Parameters of release and recording, internal units, estimates among them.
        settings: Of the fit, plain.
        provenance: Versions, device, git revision.
        config: Everything that was asked for, with nothing left to defaults; empty in files of older versions.
    """

    names: tuple[str, ...]
    units: tuple[str, ...]
    start: np.ndarray
    estimate: np.ndarray
    low: np.ndarray
    high: np.ndarray
    level: float
    relative_sd: np.ndarray
    seed_sd: np.ndarray
    correlation: np.ndarray
    bounds: np.ndarray
    losses: np.ndarray
    trace: np.ndarray
    gradient_noise: np.ndarray
    datasets: tuple[DataFit, ...]
    p_value: float
    notes: tuple[str, ...]
    converged: bool
    synapse: Mapping[str, Any]
    fixed: Mapping[str, float]
    profiles: Mapping[str, ProfileCurve] = field(default_factory=dict)
    bootstrap: np.ndarray = field(default_factory=lambda: np.zeros((0, 0)))
    posterior: PosteriorDraws | None = None
    settings: Mapping[str, Any] = field(default_factory=dict)
    provenance: Mapping[str, Any] = field(default_factory=dict)
    config: Mapping[str, Any] = field(default_factory=dict)

    def __getitem__(self, name: str) -> float:
        return float(self.estimate[self.names.index(name)])

    def interval(self, name: str) -> tuple[float, float]:
        """The interval of a parameter, internal units: of its profile where there is one."""
        if name in self.profiles:
            return self.profiles[name].low, self.profiles[name].high
        index = self.names.index(name)
        return float(self.low[index]), float(self.high[index])

    def to_synapse(self) -> Synapse:
        """The synapse with the estimates."""
        return build(self.synapse)

    def text(self, name: str, value: float) -> str:
        """A value of a parameter in its stated unit."""
        if not np.isfinite(value):
            return "beyond its bound"
        return to_text(float(value), self.units[self.names.index(name)], 4)

    def summary(self) -> dict[str, Any]:
        """Everything that a table shows, as values that JSON can hold."""
        parameters = {}
        for index, name in enumerate(self.names):
            low, high = self.interval(name)
            parameters[name] = {
                "unit": self.units[index],
                "estimate": self.stated(index, self[name]), "low": self.stated(index, low),
                "high": self.stated(index, high), "start": self.stated(index, float(self.start[index])),
                "relative_sd": float(self.relative_sd[index]), "seed_sd": float(self.seed_sd[index]),
                "interval": "profile" if name in self.profiles else "fisher",
            }  # fmt: skip
        for index, row in enumerate(parameters.values() if self.posterior is not None else ()):
            row["posterior"] = self._posterior(index)
        fits = {
            d.name: {"kind": d.kind, "p_value": finite_or_none(d.p_value), "numbers": len(d.labels)}
            for d in self.datasets
        }
        whole = {
            "parameters": parameters, "level": self.level, "loss": float(self.losses[-1]),
            "steps": self.losses.size - 1, "converged": self.converged, "p_value": finite_or_none(self.p_value),
            "datasets": fits, "notes": list(self.notes), "settings": dict(self.settings),
            "provenance": dict(self.provenance),
        }  # fmt: skip
        notes = {d.name: d.note for d in self.datasets if d.note}
        return whole | ({"data": notes} if notes else {})

    def _posterior(self, index: int) -> dict[str, Any]:
        """One parameter's posterior, in its stated unit."""
        assert self.posterior is not None
        low, median, high = self.posterior.interval(self.level)[:, index]
        return {
            "median": self.stated(index, median), "low": self.stated(index, low), "high": self.stated(index, high),
            "rhat": finite_or_none(self.posterior.rhat[index]), "ess": finite_or_none(self.posterior.ess[index]),
        }  # fmt: skip

    def stated(self, index: int, value: float) -> float | None:
        """A value as a number in its stated unit; None for infinity."""
        if not np.isfinite(value):
            return None
        return value / self.scale(index)

    def scale(self, index: int) -> float:
        """The stated unit of a parameter in internal units."""
        unit = self.units[index]
        return to_internal(f"1 {unit}" if unit else "1", unit, self.names[index])

    def save(self, path: str | Path) -> Path:
        """Write the record as HDF5, whole or not at all; or all files of a fit, figures too, into a folder.

        Args:
            path: A file with an ending, usually `fit.h5`; any other path is that of a folder.
        """
        place = Path(path)
        return save_fit(self, place) if place.suffix and not place.is_dir() else save_folder(self, place)

    def plot(self, path: str | Path | None = None) -> Any:
        """Draw the data beside the model; `nmjmc.viz.fit` has the other figures.

        Args:
            path: Where to write the figure, if anywhere; the suffix decides the format.

        Returns:
            The matplotlib figure.
        """
        return above.ask("plot", self, path)

    def to_xarray(self) -> Any:
        """Estimates, intervals, descent and draws as an `xarray.Dataset` in the stated units (needs xarray)."""
        return fit_table.to_xarray(self)

    def _repr_html_(self) -> str:
        return fit_table.as_html(self)

    def save_preparation(self, path: str | Path) -> Path:
        """Write the fitted synapse as YAML that `nmjmc.build` and `nmjmc simulate` take."""
        head = "# @package _global_\n# Fitted by nmjmc: these parameters are estimates, the others as before the fit.\n"
        lines = [
            f"#   {n}: {self.text(n, self[n])} ({self.text(n, a)} to {self.text(n, b)}, {100 * self.level:g} %)\n"
            for n in self.names for a, b in [self.interval(n)]
        ]  # fmt: skip
        write_text(path, head + "".join(lines) + yaml.safe_dump(dict(self.synapse), sort_keys=False))
        return Path(path)

    def __str__(self) -> str:
        width = max(map(len, self.names))
        lines = [
            f"fit of {len(self.names)} parameters to {len(self.datasets)} data sets, {100 * self.level:g} % intervals"
        ]
        for name in self.names:
            low, high = self.interval(name)
            ends = f"{self.text(name, low)} to {self.text(name, high)}"
            lines.append(f"  {name:{width}}  {self.text(name, self[name])}  ({ends})")
        lines.append(f"goodness of fit: p = {self.p_value:.3g}")
        return "\n".join([*lines, *self.notes])

    __repr__ = __str__


_ARRAYS = (
    "start", "estimate", "low", "high", "relative_sd", "seed_sd", "correlation", "bounds", "losses", "trace",
    "gradient_noise", "bootstrap",
)  # fmt: skip
_TEXTS = ("synapse", "fixed", "settings", "provenance", "config")  # the last since there are folders of fits
_POSTERIOR = ("draws", "rhat", "ess")
_DATA = ("position", "data", "model", "error", "residual", "time", "mean", "curve")


def save_fit(record: FitRecord, path: str | Path) -> Path:
    """Write a fit, usually as `fit.h5`; the file appears whole or not at all."""
    image = io.BytesIO()
    with h5py.File(image, "w") as file:
        file.attrs.update(
            {"title": "nmjmc: fit", "fit_schema_version": SCHEMA_VERSION, "level": record.level}
        )
        file.attrs.update({"p_value": record.p_value, "converged": int(record.converged)})
        for name in ("names", "units", "notes"):
            file.attrs[name] = json.dumps(list(getattr(record, name)))
        for name in _TEXTS:
            file.create_dataset(name, data=json.dumps(dict(getattr(record, name)), default=str))
        for name in _ARRAYS:
            file.create_dataset(name, data=getattr(record, name))
        for entry in record.datasets:
            group = file.create_group(f"data/{entry.name}")
            group.attrs.update(
                {
                    "kind": entry.kind,
                    "labels": json.dumps(entry.labels),
                    "p_value": entry.p_value,
                    "note": entry.note,
                }
            )
            for name in _DATA:
                group.create_dataset(name, data=getattr(entry, name))
        if record.posterior is not None:
            group = file.create_group("posterior")
            group.attrs["divergent"] = record.posterior.divergent
            for name in _POSTERIOR:
                group.create_dataset(name, data=getattr(record.posterior, name))
        for name, curve in record.profiles.items():
            group = file.create_group(f"profile/{name}")
            group.attrs.update({"low": curve.low, "high": curve.high})
            group.create_dataset("values", data=curve.values)
            group.create_dataset("rise", data=curve.rise)
    return write_bytes(path, with_seal(image.getbuffer()))


def is_fit(path: str | Path) -> bool:
    """Whether a file is a fit of this package."""
    path = user_path(path, "path")
    if not path.is_file() or not h5py.is_hdf5(path):
        return False
    with opened(path) as file:
        return "fit_schema_version" in file.attrs


def load_fit(path: str | Path) -> FitRecord:
    """Read a fit.

    Args:
        path: Its file, or the folder that it lies in.

    Raises:
        ValidationError: If there is no such file, or it is no fit of this package.
    """
    path = user_path(path, "path")
    path = path / RECORD if path.is_dir() else path
    if not path.is_file():
        raise ValidationError("path", f"{path}, where there is no file", "a file of a fit, such as fit.h5")
    with opened(path, "a file of a fit", own=True) as file:
        if int(file.attrs.get("fit_schema_version", 0)) not in range(1, SCHEMA_VERSION + 1):
            raise ValidationError(
                "path", f"{path}, which is no fit of this version of nmjmc", "a file of a fit"
            )
        texts: dict[str, Any] = {name: json.loads(file[name][()]) for name in _TEXTS if name in file}
        lists: dict[str, Any] = {
            name: tuple(json.loads(file.attrs[name])) for name in ("names", "units", "notes")
        }
        return FitRecord(
            **{name: file[name][...] for name in _ARRAYS}, **texts, **lists,
            level=float(file.attrs["level"]), p_value=float(file.attrs["p_value"]),
            converged=bool(file.attrs["converged"]),
            datasets=tuple(_read_data(name, group) for name, group in file.get("data", {}).items()),
            posterior=_read_posterior(file.get("posterior")),
            profiles={name: _read_profile(group) for name, group in file.get("profile", {}).items()},
        )  # fmt: skip


def _read_data(name: str, group: Any) -> DataFit:
    labels = tuple(json.loads(group.attrs["labels"]))
    arrays = {key: group[key][...] for key in _DATA if key in group}
    return DataFit(
        name=name, kind=group.attrs["kind"], labels=labels, p_value=float(group.attrs["p_value"]),
        note=str(group.attrs.get("note", "")), **arrays,
    )  # fmt: skip


def _read_posterior(group: Any) -> PosteriorDraws | None:
    if group is None:
        return None
    return PosteriorDraws(**{n: group[n][...] for n in _POSTERIOR}, divergent=int(group.attrs["divergent"]))


def _read_profile(group: Any) -> ProfileCurve:
    low, high = float(group.attrs["low"]), float(group.attrs["high"])
    return ProfileCurve(group["values"][...], group["rise"][...], low, high)
