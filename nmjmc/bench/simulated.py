"""Simulations as sources, with what they know and a recording does not: `nmjmc simulate`, `mepc`, `epc` and `epp`."""

from __future__ import annotations

import numpy as np

from nmjmc.analysis.bench.responses import of_simulated
from nmjmc.analysis.observations import EventTable
from nmjmc.analysis.waveform import measure
from nmjmc.bench.sources import Evoked, Miniatures, Source
from nmjmc.data.examination import Examination
from nmjmc.data.result import Result
from nmjmc.errors import ValidationError
from nmjmc.units import to_internal

READABLE = ("epc", "mepc", "epp")


def of_result(result: Result) -> Miniatures:
    """The single quanta of `nmjmc simulate`: each vesicle an event."""
    conducting = [g for g in result.synapse.receptor.scheme.conductance if g > 0]
    driving = float(result.synapse.fibre.holding_potential) - float(
        result.synapse.receptor.reversal_potential
    )
    unitary = abs(driving) * float(result.synapse.conductance()) * float(np.mean(conducting))
    truth = {"current of one channel": unitary}
    if len(set(conducting)) == 1:
        mean = result.open_channels.mean(axis=0)
        truth["channels open at the peak"] = float(mean.max())
    notes = (
        () if len(set(conducting)) == 1 else ("Open states differ in conductance; the truth is their mean.",)
    )
    return _events(
        result.time, result.current, f"{result.synapse.name}, {result.vesicles:,} quanta", truth, notes
    )


def of_examination(examination: Examination) -> Source:
    """The currents or potentials of `nmjmc epc`, `epp` or `mepc`.

    Raises:
        ValidationError: For another test.
    """
    if examination.test == "mepc":
        return _events(
            examination.finding["time"],
            examination.finding["current"].astype(np.float64),
            examination.title,
            {},
            (),
        )
    if examination.test not in READABLE:
        raise ValidationError(
            "the source", f"a test of {examination.test}", "one of epc, epp, mepc, or a simulation"
        )
    arrays = examination.finding.arrays
    quanta = np.asarray(arrays["quantal_content"].values, float)
    amplitudes = np.nan_to_num(np.asarray(arrays["amplitude"].values, float))
    notes = [
        "Rows are fibres, which differ in their terminals: variances hold what differs between fibres too, beside what "
        "differs from trial to trial."
    ]
    means = quanta.mean(axis=0)
    truth = {f"quantal content, {method}": float(means[0]) for method in ("direct", "failures", "variance")}
    truth["quanta released"] = float(means[0])
    if means.size > 1 and means[0] > 0:
        truth["paired-pulse ratio"] = float(means[1] / means[0])
    small = np.asarray(arrays["miniature"].values, float) if "miniature" in arrays else np.zeros(0)
    every = np.asarray(arrays["current" if "current" in arrays else "potential"].values, float)
    traces = every[:, 0]
    reach = _driving_force(examination, traces) if examination.test == "epp" else float("nan")
    times, time = (np.asarray(arrays[name].values, float) for name in ("stimulus_time", "time"))
    unit = "nA" if examination.test == "epc" else "mV"
    return Evoked(
        amplitudes, examination.title, unit, times, time, traces - traces[:, :1], small, 0.0, reach, "fibres",
        of_simulated(every, amplitudes, time, -1 if unit == "nA" else 1), truth, tuple(notes),
    )  # fmt: skip


def _driving_force(examination: Examination, potential: np.ndarray) -> float:
    """From the mean potential before the first response to the reversal potential of the receptor [mV]."""
    config = examination.config
    for part in (config, config.get("synapse", {})):
        receptor = part.get("receptor", {}) if hasattr(part, "get") else {}
        if "reversal_potential" in receptor:
            reversal = to_internal(receptor["reversal_potential"], "mV", "receptor.reversal_potential")
            return float(reversal - potential[:, 0].mean())
    return float("nan")


def _events(
    time: np.ndarray, traces: np.ndarray, name: str, truth: dict[str, float], notes: tuple[str, ...]
) -> Miniatures:
    sign = -1 if traces.sum() < 0 else 1
    shape = measure(time, traces, polarity=sign, baseline=0.0)
    columns = {
        "amplitude": shape.amplitude, "rise_20_80": shape.rise_20_80, "rise_10_90": shape.rise_10_90,
        "decay": shape.decay_time, "charge": shape.charge,
    }  # fmt: skip
    step = float(np.diff(time).mean())
    even = bool(np.allclose(np.diff(time), step, rtol=1e-3))
    table = EventTable(columns, "nA", sign, float("nan"), name)
    kept = (time, traces) if even else (np.zeros(0), np.zeros((0, 0)))
    return Miniatures(table, name, *kept, truth=truth, notes=notes)
