"""Endplate currents under voltage clamp: evoked (EPC) and miniature (MEPC), with what each ion carries."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Float

from nmjmc.analysis.waveform import measure
from nmjmc.diagnostics.fibres import fibres_of
from nmjmc.diagnostics.finding import Array, Finding, Row, in_words
from nmjmc.diagnostics.intervals import of_mean
from nmjmc.errors import ValidationError
from nmjmc.junction.bank import Bank, tonic_conductance
from nmjmc.junction.clamp import clamped, driving_of, single_quanta
from nmjmc.junction.stimulus import stimulus_times, train
from nmjmc.junction.whole import Junction, bank_for
from nmjmc.synapse.ions import Currents

IONS = {"na": "sodium", "k": "potassium", "ca": "calcium"}
_FEATURES = {
    "amplitude": ("amplitude", "nA"), "20-80 % rise": ("rise_20_80", "ms"),
    "decay time": ("decay_time", "ms"), "charge": ("charge", "pC"),
}  # fmt: skip


@dataclass(frozen=True)
class Clamp:
    """Currents under voltage clamp; a sample is a fibre or a quantum [v], each with responses [k].

    Attributes:
        times: the stimuli [k] [ms]; a single zero for miniatures.
        time: [t] [ms].
        conductance: open [v k t] [uS].
        driving: of each ion [mV].
        holding: potential [mV].
        reversal: of the total [mV].
        quanta: quantal content [v k]; ones for miniatures.
        method: how the quanta became a current.
        steady: current that a bath keeps open at one patch [nA].
        rate: of miniatures [1/s]; NaN where stimuli are given.
    """

    times: Float[np.ndarray, " k"]
    time: Float[np.ndarray, " t"]
    conductance: Float[np.ndarray, "v k t"]
    driving: Currents
    holding: float
    reversal: float
    quanta: np.ndarray
    method: str = "superposed"
    steady: float = 0.0
    rate: float = float("nan")

    @property
    def current(self) -> Float[np.ndarray, "v k t"]:
        """Total current, inward negative [nA]."""
        return self.conductance * (self.holding - self.reversal)


def evoked_currents(
    junction: Junction,
    frequency: Any = 3.0,
    stimuli: int = 5,
    fibres: int = 30,
    seed: int = 0,
    bank: Bank | None = None,
    *,
    times: Any = None,
) -> Clamp:
    """Evoked endplate currents of a muscle's fibres at the holding potential.

    Args:
        junction: The junction; `synapse.fibre.holding_potential` is where it is clamped.
        frequency: Hz, or text with a unit.
        stimuli: How many.
        fibres: How many.
        seed: Seed.
        bank: Single quanta, if simulated before.
        times: Stimuli [ms] in place of a regular train.

    Raises:
        ValidationError: At the reversal potential, where there is no current.
    """
    check_holding(junction)
    times = train(frequency, stimuli) if times is None else stimulus_times(times)
    bank = bank or bank_for(junction, seed=seed)
    muscle = fibres_of(junction, fibres, seed)
    clamp = clamped(junction, times, muscle.terminals, bank, seed, muscle.quantum)
    return Clamp(
        times, clamp.time, clamp.conductance, driving_of(junction), *_potentials(junction), clamp.release.quanta,
        clamp.method, _steady(junction),
    )  # fmt: skip


def miniature_currents(junction: Junction, bank: Bank | None = None, seed: int = 0) -> Clamp:
    """Miniature endplate currents of a junction at the holding potential: its single quanta.

    Raises:
        ValidationError: At the reversal potential, where there is no current.
    """
    check_holding(junction)
    bank = bank or bank_for(junction, seed=seed)
    single = single_quanta(bank)
    time = np.arange(single.shape[1]) * bank.interval
    return Clamp(
        np.zeros(1), time, single[:, None], driving_of(junction), *_potentials(junction),
        np.ones((len(single), 1), int), "each by itself", _steady(junction),
        1e3 * float(junction.terminal.spontaneous_rate),
    )  # fmt: skip


def check_holding(junction: Junction) -> None:
    """Refuse a clamp at which no current flows, or whose current cannot be split by ion."""
    holding, reversal = _potentials(junction)
    if abs(holding - reversal) < 1e-6:
        allowed = f"away from receptor.reversal_potential ({reversal:g} mV), where no current flows"
        raise ValidationError("fibre.holding_potential", f"{holding:g} mV", allowed)
    driving_of(junction)


def _potentials(junction: Junction) -> tuple[float, float]:
    synapse = junction.synapse
    return float(synapse.fibre.holding_potential), float(synapse.receptor.reversal_potential)


def _steady(junction: Junction) -> float:
    holding, reversal = _potentials(junction)
    return tonic_conductance(junction.synapse) * (holding - reversal)


def epc_finding(currents: Clamp) -> Finding:
    """Numbers, arrays and meaning of evoked currents."""
    count = len(currents.conductance)
    what = f"{count} fibres"
    rows = [
        *_rows(currents, 0, "first stimulus", what),
        *([_row(currents, -1, "amplitude", "last stimulus", what)] if currents.times.size > 1 else []),
        of_mean("quantal content, first stimulus", "", currents.quanta[:, 0], what),
        *_charges(currents, what),
    ]
    arrays = {
        "stimulus_time": Array(("stimulus",), currents.times, "ms", "time of each stimulus"),
        "quantal_content": Array(("fibre", "stimulus"), currents.quanta, "1", "quantal content"),
        **_arrays(currents, "fibre"),
    }
    silent = int((currents.quanta[:, 0] == 0).sum())
    meaning = _meaning(currents, rows, "endplate current", silent)
    return Finding("epc", tuple(rows), meaning, arrays, _facts(currents, fibres=count))


def mepc_finding(currents: Clamp) -> Finding:
    """Numbers, arrays and meaning of miniature currents."""
    what = f"{len(currents.conductance)} quanta"
    rows = _rows(currents, 0, "", what)
    amplitude = measured(currents)["amplitude"][:, 0]
    known = amplitude[np.isfinite(amplitude)]
    spread = float(100 * known.std(ddof=1) / known.mean()) if known.size > 1 else np.nan
    rows.insert(1, Row("coefficient of variation of the amplitude", "%", spread, np.nan, np.nan, what))
    rows += [
        Row("rate of miniatures", "/s", currents.rate, np.nan, np.nan, "a parameter of the terminal"),
        *_charges(currents, what),
    ]
    arrays = _arrays(currents, "quantum")
    meaning = _meaning(currents, rows, "miniature current", 0)
    return Finding("mepc", tuple(rows), meaning, arrays, _facts(currents, quanta=len(currents.conductance)))


def measured(currents: Clamp) -> Mapping[str, np.ndarray]:
    """Features of each current, [v k] each."""
    sign = 1 if currents.holding > currents.reversal else -1
    return measure(currents.time, currents.current, polarity=sign).as_dict()


def _rows(currents: Clamp, k: int, when: str, what: str) -> list[Row]:
    return [_row(currents, k, name, when, what) for name in _FEATURES]


def _row(currents: Clamp, k: int, name: str, when: str, what: str) -> Row:
    feature, unit = _FEATURES[name]
    values = measured(currents)[feature][:, k]
    if feature == "amplitude":
        values = np.nan_to_num(values)  # no response is a response of 0
    return of_mean(f"{name}, {when}" if when else name, unit, values, what)


def _charges(currents: Clamp, what: str) -> list[Row]:
    """What each ion carries at the first response, inward negative [pC]."""
    open_time = np.trapezoid(currents.conductance[:, 0], currents.time, axis=-1)
    rows = [
        of_mean(f"charge of {ion}", "pC", driving * open_time, what)
        for ion, driving in zip(IONS.values(), currents.driving, strict=True)
    ]
    if currents.steady:
        rows.append(
            Row(
                "steady current of a patch in the bath",
                "nA",
                currents.steady,
                np.nan,
                np.nan,
                "at equilibrium",
            )
        )
    return rows


def _arrays(currents: Clamp, member: str) -> dict[str, Array]:
    axes = (member, "sample") if member == "quantum" else (member, "stimulus", "sample")
    conductance = currents.conductance[:, 0] if member == "quantum" else currents.conductance
    total = (currents.holding - currents.reversal) * conductance
    split = {
        f"current_{short}": Array(
            axes, (driving * conductance).astype(np.float32), "nA", f"what {ion} carries, inward negative"
        )
        for (short, ion), driving in zip(IONS.items(), currents.driving, strict=True)
    }
    amplitude = np.nan_to_num(measured(currents)["amplitude"])
    return {
        "time": Array(
            ("sample",), currents.time, "ms", "time from the stimulus, or from the quantum's release"
        ),
        "current": Array(
            axes, total.astype(np.float32), "nA", "current at the holding potential, inward negative"
        ),
        **split,
        "amplitude": Array(axes[:-1], amplitude[:, 0] if member == "quantum" else amplitude, "nA", "peak"),
    }


def _facts(currents: Clamp, **counted: int) -> dict[str, Any]:
    return {
        **counted, "quanta_were": currents.method, "holding_mV": currents.holding, "reversal_mV": currents.reversal,
        "calcium_share_%": 100 * float(currents.driving.calcium) / (currents.holding - currents.reversal),
    }  # fmt: skip


def _meaning(currents: Clamp, rows: list[Row], name: str, silent: int) -> str:
    first = rows[0]
    part = 100 * float(currents.driving.calcium) / (currents.holding - currents.reversal)
    words = f"Held at {currents.holding:g} mV, the {name} peaks at {in_words(first)}; "
    words += f"calcium carries {part:.1f} % of it"
    last = next((r for r in rows if r.name == "amplitude, last stimulus"), None)
    if last is not None and first.value > 0:
        change = 100 * (last.value / first.value - 1)
        words += f", and the last of {currents.times.size} differs from the first by {change:+.0f} %"
    if silent:
        words += f"; {silent} of {len(currents.conductance)} fibres release no quantum at first"
    return words + "."
