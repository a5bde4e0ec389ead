"""Neurodata Without Borders (.nwb), through its own library: each series of an electrode is a sweep.

A channel is what one electrode, or one name, recorded of one kind (voltage clamp, current clamp, any other series).
Series of several columns are a channel a column. The stimulus of the same sweep is the command.
"""

from __future__ import annotations

import re
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from nmjmc.analysis.recording import Recording, padded
from nmjmc.data import guard
from nmjmc.data.recordings.contents import Channel, Contents, Tag, of_tags
from nmjmc.data.recordings.corrections import known_unit, said_unit
from nmjmc.data.recordings.optional import library, to_unit
from nmjmc.data.recordings.times import even_step
from nmjmc.errors import ValidationError
from nmjmc.units import internal_unit, to_internal

_NUMBER = r"[ _-]*\d+$"  # of a sweep, behind the name of its series
_UNITS = {"amperes": "A", "ampere": "A", "volts": "V", "volt": "V", "a.u.": "", "n.a.": "", "unknown": ""}


class _Sweep(NamedTuple):
    """One series, or one column of it: the series, its column (-1 for the only one), its number and its start [s]."""

    series: Any
    column: int
    number: int | None
    start: float


def read_nwb(path: str | Path, *, channel: int = 0, unit: str | None = None, **known: Any) -> Recording:
    """Read one channel of an .nwb file.

    Args:
        path: The file.
        channel: Number of the channel, in the order of the names (`nmjmc read` lists them).
        unit: Of the samples, where the file says a wrong one or none.
        **known: Fields of `Recording` that stand above what the file says.

    Returns:
        The recording, every series whole.

    Raises:
        ValidationError: If pynwb is missing or cannot read the file, or if it has no such channel.
    """
    place = Path(path)
    with _opened(place) as file:
        channels = _channels(file)
        if not channels:
            raise ValidationError("path", f"{path}, which holds no series of samples", "a recording")
        if channel not in range(len(channels)):
            raise ValidationError("channel", channel, f"from 0 to {len(channels) - 1} in {place.name}")
        name, sweeps = list(channels.items())[channel]
        written, said = said_unit(unit, _unit(sweeps[0].series))
        if not known_unit(written):
            hint = "say it, for example unit=pA, or choose another channel"
            raise ValidationError(
                f"unit of channel {channel} ({name})", repr(written), "one of current or potential", hint
            )
        values, length = padded([_samples(sweep, written) for sweep in sweeps])
        interval = _interval(sweeps, place)
        inside = to_unit([0.0], written, name)[1]
        command = _command(file, sweeps, inside, values.shape)
        found = {
            "sampling_interval": interval,
            "sweep_start": np.array([1e3 * sweep.start for sweep in sweeps]),
            "length": length,
            "command": command,
            "holding_potential": _holding(command, inside),
            "name": place.stem,
            "source": "; ".join(
                filter(None, (f"{place.name}, channel {channel} ({name}), read by pynwb", said))
            ),
        }
        return Recording(values, unit=inside, **{**found, **known})


def nwb_contents(path: Path, channel: int = 0) -> Contents:
    """What an .nwb file tells of itself.

    Args:
        path: The file.
        channel: That was read.
    """
    with _opened(path) as file:
        channels = _channels(file)
        told = tuple(
            Channel(number, f"{name}, {len(sweeps)} sweeps", _unit(sweeps[0].series), _gain(sweeps[0].series))
            for number, (name, sweeps) in enumerate(channels.items())
        )
        tags = tuple(sorted(_tags(file)))
        stimuli = {str(getattr(one, "stimulus_description", "")) for one in file.acquisition.values()}
        sweeps = list(channels.values())[channel] if channels else []
        start = 1e3 * sweeps[0].start if sweeps else 0.0
        protocol = ", ".join(sorted(stimuli - {"", "N/A", "n/a"})[:6])
        names = tuple(f"stimulus series {name}" for name in list(file.stimulus)[:6])
        made = str(file.session_start_time)
        return Contents(
            f"NWB {file.nwb_version}" if getattr(file, "nwb_version", None) else "NWB", told, channel, protocol, made,
            str(file.session_description or ""), tags, names, of_tags(tags, len(sweeps), start),
        )  # fmt: skip


@contextmanager
def _opened(path: Path) -> Iterator[Any]:
    """The file of a path, open for reading.

    Raises:
        ValidationError: If pynwb is missing or cannot read it.
    """
    nwb = library("pynwb", path)
    with guard.opened(path, "an .nwb file") as held:
        guard.check_file(held, path)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            reader = nwb.NWBHDF5IO(str(path), mode="r", load_namespaces=True)
            file = reader.read()
        except Exception as error:  # pynwb and hdmf raise many kinds for a broken file
            reason = " ".join(str(error).split())[:200] or type(error).__name__
            raise ValidationError(
                "path", f"{path}, which pynwb cannot read ({reason})", "an .nwb file"
            ) from error
        try:
            yield file
        finally:
            reader.close()


def _channels(file: Any) -> Mapping[str, list[_Sweep]]:
    """Sweeps of each channel by its name, in the order of their starts."""
    found: dict[str, list[_Sweep]] = {}
    for name, series in file.acquisition.items():
        if not hasattr(series, "data") or not hasattr(series, "rate") or np.ndim(series.data) not in (1, 2):
            continue
        shape = np.shape(series.data)
        if shape[0] < 2 or not np.issubdtype(np.asarray(series.data[:1]).dtype, np.number):
            continue
        kind = re.sub(r"(?<!^)(?=[A-Z])", " ", type(series).__name__).casefold().removesuffix(" series")
        electrode = getattr(getattr(series, "electrode", None), "name", "") or re.sub(_NUMBER, "", name)
        number = getattr(series, "sweep_number", None)
        start = float(series.timestamps[0] if series.starting_time is None else series.starting_time)
        columns = range(shape[1]) if len(shape) == 2 and shape[1] > 1 else [-1]
        for column in columns:
            behind = f", column {column}" if column >= 0 else ""
            sweep = _Sweep(series, column, None if number is None else int(number), start)
            found.setdefault(f"{electrode}, {kind}{behind}", []).append(sweep)
    return {key: sorted(found[key], key=lambda one: (one.start, one.number or 0)) for key in sorted(found)}


def _unit(series: Any) -> str:
    said = str(getattr(series, "unit", "") or "").strip()
    return _UNITS.get(said.casefold(), said)


def _gain(series: Any) -> str:
    gain = getattr(series, "gain", None)
    unit = "V/A" if _unit(series) == "A" else "V/V"
    return f"{float(gain):.4g} {unit}" if gain and np.isfinite(float(gain)) else ""


def _scaled(series: Any, column: int = -1) -> np.ndarray:
    """Samples in the unit of the series [t]."""
    data = np.asarray(series.data[:], np.float64)
    data = data.reshape(len(data), -1)[:, max(column, 0)]
    conversion = float(getattr(series, "conversion", 1.0) or 1.0)
    return data * conversion + float(getattr(series, "offset", 0.0) or 0.0)


def _samples(sweep: _Sweep, written: str) -> np.ndarray:
    """Samples in nA or mV [t]."""
    return to_unit(_scaled(sweep.series, sweep.column), written, sweep.series.name)[0]


def _interval(sweeps: list[_Sweep], path: Path) -> float:
    """Time between samples of all sweeps [ms].

    Raises:
        ValidationError: If they differ, or times are uneven.
    """
    found = []
    for series in dict.fromkeys(sweep.series for sweep in sweeps):
        if series.rate:
            found.append(1e3 / float(series.rate))
            continue
        step = even_step(np.asarray(series.timestamps[:], np.float64))
        if step is None:
            raise ValidationError(
                f"timestamps of {series.name} of {path.name}",
                "uneven",
                "evenly spaced to 1 %",
                "resample it first",
            )
        found.append(1e3 * step.value)
    if np.ptp(found) > 1e-6 * found[0]:
        rates = f"{1 / max(found):g} to {1 / min(found):g} kHz"
        raise ValidationError(f"sampling of {path.name}", rates, "the same in all sweeps of a channel")
    return found[0]


def _command(file: Any, sweeps: list[_Sweep], unit: str, shape: tuple[int, ...]) -> np.ndarray:
    """The stimulus of each sweep in mV or nA [sweep, t]; empty where there is none."""
    found = np.full(shape, np.nan)
    pairs = dict(_pairs(file))
    for row, sweep in zip(found, sweeps, strict=True):
        series = pairs.get(sweep.series.name) or _of_number(file, sweep)
        if series is None or not hasattr(series, "data") or np.ndim(series.data) != 1:
            continue
        written = _unit(series)
        inside = internal_unit(written) if known_unit(written) else ""
        if inside != ("mV" if unit == "nA" else "nA"):
            continue
        values = to_internal(f"1 {written}", inside, "command") * _scaled(series)
        count = min(values.size, row.size)
        row[:count] = values[:count]
    return found if np.isfinite(found).any() else np.zeros(0)


def _pairs(file: Any) -> Iterator[tuple[str, Any]]:
    """Name of a response and its stimulus, as the table of intracellular recordings tells."""
    table = getattr(file, "intracellular_recordings", None)
    if table is None:
        return
    for row in range(len(table)):
        try:
            stimulus = table["stimuli"]["stimulus"][row].timeseries
            response = table["responses"]["response"][row].timeseries
        except (KeyError, AttributeError, IndexError, TypeError):
            continue
        if stimulus is not None and response is not None:
            yield response.name, stimulus


def _of_number(file: Any, sweep: _Sweep) -> Any:
    """The stimulus series with the number of a sweep; None where there is none or the sweep has none."""
    if sweep.number is None:
        return None
    fitting = [one for one in file.stimulus.values() if getattr(one, "sweep_number", None) == sweep.number]
    return fitting[0] if len(fitting) == 1 else None


def _holding(command: np.ndarray, unit: str) -> float:
    """Potential that the command has most of the time [mV]; NaN where it is not known."""
    finite = command[np.isfinite(command)] if command.size and unit == "nA" else np.zeros(0)
    if not finite.size:
        return float("nan")
    values, counts = np.unique(np.round(finite, 3), return_counts=True)
    return float(values[counts.argmax()])


def _tags(file: Any) -> Iterator[Tag]:
    """Annotations, and the beginnings of named epochs."""
    for series in file.acquisition.values():
        if type(series).__name__ == "AnnotationSeries":
            for time, text in zip(series.timestamps[:], series.data[:], strict=False):
                yield Tag(1e3 * float(time), str(text))
    epochs = getattr(file, "epochs", None)
    if epochs is not None:
        for row in range(len(epochs)):
            tags = epochs["tags"][row] if "tags" in epochs.colnames else ""
            yield Tag(1e3 * float(epochs["start_time"][row]), " ".join(map(str, np.atleast_1d(tags))))
