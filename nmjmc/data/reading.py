"""What `nmjmc read` gives: a file's contents, its data put right, how good they are, and what they can be used for."""

from __future__ import annotations

import html
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from nmjmc import above
from nmjmc.analysis.observations import EventTable
from nmjmc.analysis.quality import Quality
from nmjmc.analysis.recording import Recording
from nmjmc.analysis.stimuli import Stimuli
from nmjmc.data import table
from nmjmc.data.atomic import write_text
from nmjmc.data.recordings.chosen import steps_of
from nmjmc.data.recordings.contents import Contents
from nmjmc.data.recordings.hdf5 import write_recording
from nmjmc.data.recordings.text import Columns
from nmjmc.data.recordings.uses import uses_of
from nmjmc.data.seal import sealed

FIGURE = "recording.png"
_SHOWN = {"nA": (1e3, "pA"), "mV": (1.0, "mV")}


@dataclass(frozen=True, eq=False, repr=False)
class Reading:
    """One file, read.

    Attributes:
        name: Of the file, or of the recording in memory.
        data: A recording; a table of events; or the columns of another table.
        contents: What the file tells of itself.
        config: What was said of it.
        stimuli: When stimuli were given, and how that was told.
        quality: Of a recording, sweep by sweep; None of a table.
        file: As it was given; empty for what was in memory.
    """

    name: str
    data: Recording | EventTable | Columns
    contents: Contents
    config: Mapping[str, Any] = field(default_factory=dict)
    stimuli: Stimuli = field(default_factory=Stimuli)
    quality: Quality | None = None
    file: str = ""

    @property
    def kind(self) -> str:
        """`recording`, `events` or `table`."""
        kinds = {Recording: "recording", EventTable: "events"}
        return kinds.get(type(self.data), "table")

    @property
    def recording(self) -> Recording:
        """The recording.

        Raises:
            TypeError: If the file holds none.
        """
        if not isinstance(self.data, Recording):
            raise TypeError(f"{self.name} holds no recording but a table")
        return self.data

    def lines(self) -> list[tuple[str, str]]:
        """What is in the file and how good it is, each thing with its name."""
        found = self.contents.lines("column" if self.kind != "recording" else "channel")
        if isinstance(self.data, Recording):
            found += _of_recording(self.data) + _of_quality(self.quality)
            if len(self.stimuli):
                shown = ", ".join(f"{time:.6g}" for time in self.stimuli.times[:8])
                more = f" and {len(self.stimuli) - 8} more" if len(self.stimuli) > 8 else ""
                found.append(("stimuli", f"at {shown}{more} ms of each sweep: {self.stimuli.by}"))
            if self.stimuli.passed_over:
                found.append(("passed over", self.stimuli.passed_over))
            found += [("put right", said) for said in self.data.source.split("; ")[1:]]
        elif isinstance(self.data, EventTable):
            found += _of_events(self.data)
        else:
            found.append(("rows", f"{len(self.data.values):,}"))
        return found

    @property
    def notes(self) -> tuple[str, ...]:
        """What a reader must know, in whole sentences."""
        remarks = self.quality.remarks() if self.quality is not None else []
        return (*self.contents.left_out, *remarks)

    @property
    def uses(self) -> tuple[str, ...]:
        """What of it can be used for what, each as the command or the sentence that says what is missing."""
        return uses_of(self.data, self.stimuli, self.file or self.name, self.config)

    def row(self) -> dict[str, Any]:
        """One row of a data set of several cells: the numbers that tell one recording from another."""
        found: dict[str, Any] = {"name": self.name, "kind": self.kind}
        if isinstance(self.data, Recording) and self.quality is not None:
            found |= {
                "unit": self.data.unit, "sweeps": self.data.sweeps, "rate_kHz": 1.0 / self.data.sampling_interval,
                "duration_s": self.data.duration / 1e3, "holding_potential_mV": self.data.holding_potential,
                "stimuli": len(self.stimuli), "baseline": float(np.median(self.quality.baseline)),
                "noise_sd": float(np.median(self.quality.noise_sd)),
                "series_resistance_MOhm": self.quality.typical_resistance,
                "series_resistance_change": self.quality.change,
            }  # fmt: skip
        elif isinstance(self.data, EventTable):
            found |= {
                "unit": self.data.unit,
                "events": len(self.data),
                "duration_s": self.data.duration / 1e3,
            }
        return found

    def to_xarray(self) -> Any:
        """The samples, the command and the quality, or the columns, as an `xarray.Dataset` (needs xarray)."""
        import xarray

        if isinstance(self.data, Recording):
            return _dataset(xarray, self)
        columns = self.data.columns if isinstance(self.data, EventTable) else _named(self.data)
        return xarray.Dataset(
            {name: ("row", values) for name, values in columns.items()}, attrs={"source": self.name}
        )

    def plot(self, path: str | Path | None = None) -> Any:
        """Draw what was read; the suffix of the path decides the format."""
        return above.ask("plot", self, path)

    def summary(self) -> dict[str, Any]:
        """Everything that is printed, as values that JSON can hold."""
        said = {name: value for name, value in self.config.items() if value is not None}
        return {
            "name": self.name, "kind": self.kind, "contents": [list(line) for line in self.lines()],
            "notes": list(self.notes), "uses": list(self.uses), "said": said,
        }  # fmt: skip

    def save(self, folder: str | Path) -> Path:
        """Write the figure, `summary.json` and, of a recording, `recording.h5` into a folder, and give it back."""
        place = Path(folder)
        self.plot(place / FIGURE)
        write_text(
            place / "summary.json", sealed(json.loads(json.dumps(self.summary(), default=str)), indent=2)
        )
        if isinstance(self.data, Recording):
            write_recording(self.data, place / "recording.h5")
        return place

    def files(self) -> list[str]:
        """Names of the files that `save` writes."""
        return [FIGURE, "summary.json", *(["recording.h5"] if self.kind == "recording" else [])]

    def __str__(self) -> str:
        width = max(len(name) for name, _ in self.lines())
        told = [f"  {name.ljust(width)}  {value}" for name, value in self.lines()]
        return "\n".join(
            [f"{self.name}: {self.kind}", *told, *self.notes, *(f"- {use}" for use in self.uses)]
        )

    __repr__ = __str__

    def _repr_html_(self) -> str:
        said = "".join(f"<p>{html.escape(note)}</p>" for note in self.notes)
        uses = "".join(f"<li>{html.escape(use)}</li>" for use in self.uses)
        made = table.html_of(("", ""), list(self.lines()))
        return f"<p><b>{html.escape(self.name)}: {self.kind}</b></p>{made}{said}<ul>{uses}</ul>"


def _of_recording(data: Recording) -> list[tuple[str, str]]:
    kind = "current in nA" if data.unit == "nA" else "potential in mV"
    step = data.sampling_interval
    length = (
        f"{data.sweep_duration:g} ms"
        if data.even
        else f"{data.length.min() * step:g} to {data.sweep_duration:g} ms"
    )
    found = [
        ("signal", f"{kind}, {1 / step:.6g} kHz"),
        ("sweeps", f"{data.sweeps:,} of {length}, {data.duration / 1e3:.6g} s in all"),
    ]
    if data.sweeps > 1:
        gaps = np.diff(data.sweep_start) / 1e3
        first = f"{data.sweep_start[0] / 1e3:g}"
        every = (
            f"every {gaps[0]:.6g} s"
            if np.ptp(gaps) < 1e-3
            else f"{gaps.min():.6g} to {gaps.max():.6g} s apart"
        )
        found.append(("starts", f"from {first} s on, {every}"))
    for name, unit in (("holding_potential", "mV"), ("bandwidth", "kHz"), ("temperature", "degC")):
        if np.isfinite(value := getattr(data, name)):
            found.append((name.replace("_", " "), f"{value:g} {unit}"))
    found.append(("command", _command(data)))
    return found


def _command(data: Recording) -> str:
    """What the command does, in words."""
    if not data.command.size:
        return "the file tells nothing of it"
    steps = steps_of(data)
    unit = "mV" if data.unit == "nA" else "nA"
    finite = data.command[np.isfinite(data.command)]
    if not finite.size:
        return "cannot be told from the file"
    if not steps:
        return f"rests at {finite[0]:g} {unit}"
    shown = ", ".join(f"{time:.6g}" for time in steps[:6]) + (
        f" and {len(steps) - 6} more" if len(steps) > 6 else ""
    )
    return f"steps at {shown} ms of each sweep, from {finite.min():g} to {finite.max():g} {unit}"


def _of_quality(quality: Quality | None) -> list[tuple[str, str]]:
    if quality is None:
        return []
    scale, unit = _SHOWN[quality.unit]
    low, high = scale * quality.baseline.min(), scale * quality.baseline.max()
    level = f"{low:.4g} {unit}" if quality.baseline.size == 1 else f"{low:.4g} to {high:.4g} {unit}"
    drift = f", drifts by {scale * quality.drift:+.3g} {unit} a minute" if np.isfinite(quality.drift) else ""
    found = [
        ("baseline", f"{level} (median of each sweep{drift})"),
        ("noise", f"SD {scale * np.median(quality.noise_sd):.3g} {unit} (median of windows of 10 ms)"),
    ]
    if np.isfinite(quality.typical_resistance):
        change = f", changes by {100 * quality.change:+.0f} %" if np.isfinite(quality.change) else ""
        count = int(np.isfinite(quality.series_resistance).sum())
        told = f"{quality.typical_resistance:.3g} MOhm (test pulse of {count} sweeps){change}"
        found.append(("series resistance", told))
    return found


def _of_events(data: EventTable) -> list[tuple[str, str]]:
    scale, unit = _SHOWN[data.unit]
    values = data["amplitude"][np.isfinite(data["amplitude"])]
    found = [("events", f"{len(data):,}, mean amplitude {scale * values.mean():.4g} {unit}"),
             ("columns", ", ".join(data.columns)), ("source", data.source)]  # fmt: skip
    if np.isfinite(data.duration):
        found.insert(
            1, ("searched", f"{data.duration / 1e3:g} s, {1e3 * data.frequency:.3g} events a second")
        )
    return found


def _named(data: Columns) -> dict[str, np.ndarray]:
    """Columns by their names; numbered where they have none, or one twice."""
    single = len(set(data.names)) == len(data.names) and all(data.names)
    return {name if single else f"column_{i + 1}": data.values[:, i] for i, name in enumerate(data.names)}


def _dataset(xarray: Any, reading: Reading) -> Any:
    data = reading.recording
    parts: dict[str, Any] = {"signal": (("sweep", "time"), data.signal, {"units": data.unit})}
    if data.command.size:
        unit = "mV" if data.unit == "nA" else "nA"
        parts["command"] = (("sweep", "time"), data.command, {"units": unit})
    if reading.quality is not None:
        parts["baseline"] = ("sweep", reading.quality.baseline, {"units": data.unit})
        parts["noise_sd"] = ("sweep", reading.quality.noise_sd, {"units": data.unit})
        parts["series_resistance"] = ("sweep", reading.quality.series_resistance, {"units": "MOhm"})
    coords = {
        "time": ("time", data.time, {"units": "ms"}),
        "sweep_start": ("sweep", data.sweep_start, {"units": "ms"}),
        "stimulus_time": ("stimulus", reading.stimuli.times, {"units": "ms"}),
    }
    said = {name: str(value) for name, value in reading.config.items() if value is not None}
    return xarray.Dataset(parts, coords=coords, attrs={"source": data.source, **said})
