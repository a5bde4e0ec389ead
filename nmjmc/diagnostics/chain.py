"""From nerve to force: what every stage of the junction does after each stimulus, kept for a few fibres."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Float, Int

from nmjmc.diagnostics.fibres import fibres_of, stimulate
from nmjmc.diagnostics.finding import Array, Finding, Row
from nmjmc.diagnostics.force import AFTER, check_length
from nmjmc.junction.bank import Bank
from nmjmc.junction.pools import Release, watch_train
from nmjmc.junction.potential import step_of
from nmjmc.junction.release import middles, window_steps
from nmjmc.junction.response import RECORDED
from nmjmc.junction.stimulus import stimulus_times, train
from nmjmc.junction.twitch import KEPT, SAMPLE, contract_train, tubular_trace
from nmjmc.junction.whole import Junction, bank_for
from nmjmc.synapse.ions import Currents, driving_forces

STAGES: Mapping[str, str] = {
    "nerve": "potential of the nerve terminal",
    "channels": "open calcium channels of the terminal",
    "sensor": "calcium at the release sensor, and the residual calcium before each stimulus",
    "release": "when each zone releases, the quantal content, and the zones that can release",
    "endplate": "conductance and current of the endplate, by ion",
    "membrane": "potential of the endplate, of the surface and of the tubules 1.6 mm away",
    "calcium": "free calcium in the fibre",
    "force": "force",
}
"""What can be kept, by name."""
HEALTHY = "healthy_"
"""Begins the names of what the same fibres do without their diseases and drugs."""


@dataclass(frozen=True)
class Chain:
    """What the stages of fibres [v] do after each stimulus [k].

    Attributes:
        times: the stimuli [k] [ms].
        nerve_time: from each stimulus [n] [ms].
        nerve: potential of the terminal [n] [mV].
        channels: open calcium channels [v k n].
        sensor: calcium at the sensors, the mean of the zones [v k n] [uM].
        release: what the terminals release.
        time: from each stimulus [t] [ms].
        conductance: of the endplate at its own potential [v k t] [uS].
        currents: of the ions there, inward negative [v k t] [nA].
        endplate, distant, tubule: potentials [v k t] [mV].
        spikes: action potentials that each stimulus started [v k].
        latency: of the first of them; NaN without one [v k] [ms].
        force_time: from the first stimulus [s] [ms].
        calcium: free in the fibre [v s] [uM].
        force: over the greatest [v s].
        method: how quanta became a current.
    """

    times: Float[np.ndarray, " k"]
    nerve_time: Float[np.ndarray, " n"]
    nerve: Float[np.ndarray, " n"]
    channels: Float[np.ndarray, "v k n"]
    sensor: Float[np.ndarray, "v k n"]
    release: Release
    time: Float[np.ndarray, " t"]
    conductance: Float[np.ndarray, "v k t"]
    currents: Currents
    endplate: Float[np.ndarray, "v k t"]
    distant: Float[np.ndarray, "v k t"]
    tubule: Float[np.ndarray, "v k t"]
    spikes: Int[np.ndarray, "v k"]
    latency: Float[np.ndarray, "v k"]
    force_time: Float[np.ndarray, " s"]
    calcium: Float[np.ndarray, "v s"]
    force: Float[np.ndarray, "v s"]
    method: str = "superposed"


def follow_chain(
    junction: Junction,
    frequency: Any = 50.0,
    stimuli: int = 1,
    fibres: int = 3,
    seed: int = 0,
    bank: Bank | None = None,
    *,
    times: Any = None,
) -> Chain:
    """Every stage of the same fibres.

    Args:
        junction: The junction.
        frequency: Of a train, Hz or text with a unit.
        stimuli: How many.
        fibres: How many.
        seed: Seed.
        bank: Single quanta, if simulated before.
        times: Stimuli [ms] in place of a regular train.

    Raises:
        ValidationError: For a train longer than 5 s, or a receptor whose current cannot be split by ion.
    """
    field = "stimuli" if times is None else "times"
    times = train(frequency, stimuli) if times is None else stimulus_times(times)
    check_length(times, field)
    muscle = fibres_of(junction, fibres, seed)
    evoked = stimulate(junction, times, muscle, seed, bank or bank_for(junction, seed=seed))
    release, inside = watch_train(muscle.terminals, times, seed)
    endplate, distant, tubule, conductance = (np.asarray(x) for x in evoked.response.course)
    resting = float(junction.muscle.resting_potential)
    trace = tubular_trace(times, evoked.response.time, tubule, resting, float(times[-1]) + AFTER)
    pulled = contract_train(junction.contraction, trace, resting)
    synapse, nerve_time = junction.synapse, _nerve_time(junction)
    reversal = synapse.receptor.reversal_potential
    driving = driving_forces(synapse.ions, reversal, endplate, synapse.temperature)
    return Chain(
        times, nerve_time, np.asarray(junction.terminal.effective().spike(nerve_time)), np.asarray(inside.opened),
        np.asarray(inside.calcium), release, evoked.response.time, conductance,
        Currents(*(x * conductance for x in driving)), endplate, distant, tubule, evoked.response.spikes,
        evoked.response.latency, pulled.time, pulled.calcium,
        pulled.force / float(junction.contraction.greatest_force), evoked.method,
    )  # fmt: skip


def _nerve_time(junction: Junction) -> Float[np.ndarray, " n"]:
    return np.asarray(middles(junction.terminal, window_steps(junction.terminal)))


def numbers_kept(junction: Junction, times: np.ndarray, fibres: int, stages: Sequence[str]) -> int:
    """How many numbers the traces of a chain will be: their size before it is known what they are.

    Args:
        junction: The junction.
        times: The stimuli [k] [ms].
        fibres: How many fibres are kept.
        stages: Names of the stages.
    """
    inside = window_steps(junction.terminal)
    shortest = min(RECORDED, float(np.diff(times).min(initial=RECORDED)))
    along = int(shortest / (2.0 * step_of(junction.muscle))) + 1
    whole = int((float(times[-1]) + AFTER) / (SAMPLE * KEPT)) + 1
    each = {
        "channels": inside, "sensor": inside + 4, "release": junction.terminal.zones + 2, "endplate": 4 * along,
        "membrane": 3 * along,
    }  # fmt: skip
    ends = sum(name in ("calcium", "force") for name in stages)
    return fibres * (len(times) * sum(each.get(name, 0) for name in stages) + whole * ends)


def finding(found: Chain, stages: Sequence[str] = tuple(STAGES), healthy: Chain | None = None) -> Finding:
    """Numbers, arrays and meaning of a chain.

    Args:
        found: The chain.
        stages: Names of the stages whose traces are kept.
        healthy: The same fibres without their diseases and drugs.
    """
    rows, arrays = _rows(found, ""), _arrays(found, stages, "")
    if healthy is not None:
        rows += _rows(healthy, "in health: ")
        arrays |= _arrays(healthy, stages, HEALTHY)
    facts = {"fibres": len(found.spikes), "stages": list(stages), "quanta_were": found.method}
    return Finding("chain", tuple(rows), _meaning(found, healthy), arrays, facts)


def _rows(found: Chain, where: str) -> list[Row]:
    """Means over the fibres after the first stimulus; so few fibres have no interval that means anything."""
    fired = found.spikes[:, 0] > 0
    inward = -np.sum(found.currents, axis=0)[:, 0].min(axis=-1)
    above = found.endplate[:, 0].max(axis=-1) - found.endplate[:, 0, 0]
    late = found.latency[fired, 0]
    values = {
        "quantal content": (found.release.quanta[:, 0].mean(), ""),
        "peak of the calcium at the sensor": (found.sensor[:, 0].max(axis=-1).mean(), "uM"),
        "peak of the endplate current": (inward.mean(), "nA"),
        "depolarisation of the endplate, with its spike": (above.mean(), "mV"),
        "fibres that fire": (100 * fired.mean(), "%"),
        "latency of the spike, 1.6 mm away": (late.mean() if late.size else np.nan, "ms"),
        "peak of the calcium in the fibre": (found.calcium.max(axis=-1).mean(), "uM"),
        "peak force above rest": (
            100 * np.mean(found.force.max(axis=-1) - found.force[:, 0]),
            "% of the greatest",
        ),
    }
    how = f"mean of the fibres, {len(fired)} fibres"
    return [Row(f"{where}{name}", unit, float(x), np.nan, np.nan, how) for name, (x, unit) in values.items()]


def _arrays(found: Chain, stages: Sequence[str], prefix: str) -> dict[str, Array]:
    nerve, along, whole = (f"{prefix}{name}" for name in ("nerve_sample", "sample", "force_sample"))
    each, short, long = ("fibre", "stimulus"), ("fibre", "stimulus", nerve), ("fibre", "stimulus", along)
    release, currents = found.release, found.currents
    moment = np.where(np.isfinite(release.time), release.time, np.nan)
    kept = {
        "nerve": {"nerve_potential": ((nerve,), found.nerve, "mV", "potential of the nerve terminal")},
        "channels": {"open_channels": (short, found.channels, "1", "open calcium channels of the terminal")},
        "sensor": {
            "sensor_calcium": (short, found.sensor, "uM", "calcium at the sensors, mean of the zones"),
            "residual_calcium": (
                (*each, "component"), release.residual, "uM",
                "left before each stimulus: of fast and slow facilitation, augmentation, potentiation",
            ),
        },
        "release": {
            "release_time": ((*each, f"{prefix}zone"), moment, "ms", "from the stimulus, of each zone that releases"),
            "quantal_content": (each, release.quanta, "1", "quantal content"),
            "zones_cleared": (each, release.cleared, "1", "zones that can release before each stimulus"),
        },
        "endplate": {
            "endplate_conductance": (long, found.conductance, "uS", "open at the endplate"),
            "current_na": (long, currents.sodium, "nA", "what sodium carries, inward negative"),
            "current_k": (long, currents.potassium, "nA", "what potassium carries, inward negative"),
            "current_ca": (long, currents.calcium, "nA", "what calcium carries, inward negative"),
        },
        "membrane": {
            "endplate_potential": (long, found.endplate, "mV", "surface potential at the endplate"),
            "distant_potential": (long, found.distant, "mV", "surface potential 1.6 mm away"),
            "tubular_potential": (long, found.tubule, "mV", "tubular potential 1.6 mm away"),
        },
        "calcium": {"fibre_calcium": (("fibre", whole), found.calcium, "uM", "free calcium of the myoplasm")},
        "force": {"force": (("fibre", whole), found.force, "1", "force over the greatest")},
    }  # fmt: skip
    times = {
        "nerve_time": ((nerve,), found.nerve_time, "ms", "from each stimulus"),
        "time": ((along,), found.time, "ms", "from each stimulus"),
        "force_time": ((whole,), found.force_time, "ms", "from the first stimulus"),
    }
    chosen = {**times, **{name: array for stage in stages for name, array in kept[stage].items()}}
    made = {
        f"{prefix}{name}": Array(d, _single(x), unit, words) for name, (d, x, unit, words) in chosen.items()
    }
    stimuli = Array(("stimulus",), found.times, "ms", "time of each stimulus")
    return made if prefix else {"stimulus_time": stimuli, **made}


def _single(values: Any) -> np.ndarray:
    """Traces in single precision, which holds more than they mean; counts as they are."""
    values = np.asarray(values)
    return values.astype(np.float32) if values.dtype.kind == "f" and values.ndim > 1 else values


def _meaning(found: Chain, healthy: Chain | None) -> str:
    words = _one(found)
    return (
        f"{words}."
        if healthy is None
        else f"{words}; in health {_one(healthy)[0].lower()}{_one(healthy)[1:]}."
    )


def _one(found: Chain) -> str:
    fired = found.spikes[:, 0] > 0
    quanta, count = found.release.quanta[:, 0].mean(), len(fired)
    who = "the fibre fires" if count == 1 else f"{int(fired.sum())} of {count} fibres fire"
    if count == 1 and not fired[0]:
        who = "the fibre does not fire"
    again = int((found.spikes[:, 0] > 1).sum())
    repeat = (
        f", {again} of them more than once" if again and count > 1 else (", more than once" if again else "")
    )
    return f"The first stimulus releases {quanta:.3g} quanta and {who}{repeat}"
