"""What each bedside test takes and does: its settings checked, and its run."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

from nmjmc import treatments
from nmjmc.arguments import whole_number
from nmjmc.data.banks import Banks
from nmjmc.diagnostics import clamp, dose, epp, force, rns, rns_finding, sfemg, tof
from nmjmc.diagnostics.fibres import MOST_FIBRES
from nmjmc.diagnostics.finding import Finding
from nmjmc.errors import ValidationError, nearest
from nmjmc.junction.modifier import concentration
from nmjmc.junction.stimulus import MOST_STIMULI, stimulus_times, train
from nmjmc.junction.whole import Junction
from nmjmc.units import to_internal, to_text

AUTOMATIC = {
    "tof": (0.0, 0.25, 0.5, 1.0, 1.5, 2.0, 3.0),
    "dose_response": (0.0, 0.25, 0.5, 0.75, 1.0, 1.5, 2.0, 3.0, 5.0),
}
"""Doses in multiples of the drug's constant; choices."""
LONGEST = 3.6e6
"""Of a list of stimuli [ms]; a choice."""


@dataclass(frozen=True)
class Job:
    """What a test is run on.

    Attributes:
        junction: With its diseases and drugs.
        settings: Checked.
        seed: Of everything.
        banks: Gives the quanta.
        tell: Called with the name of each stage.
        config: The whole config, for the drug whose dose rises.
    """

    junction: Junction
    settings: Mapping[str, Any]
    seed: int
    banks: Banks
    tell: Callable[[str], None]
    config: Mapping[str, Any]


def check(test: str, given: Mapping[str, Any], config: Mapping[str, Any]) -> dict[str, Any]:
    """The settings of a test as plain values that can be right, resolved.

    Raises:
        ValidationError: For a value that cannot be right.
    """
    found = dict(given)
    for name, least, most in (
        ("stimuli", 10 if test == "sfemg" else 1, MOST_STIMULI),
        ("fibres", 1, MOST_FIBRES),
        ("pairs", 1, MOST_FIBRES // 2),
    ):
        if name in found:
            found[name] = whole_number(found[name], name, least, most)
    for name in ("frequency", "exercise_rate"):
        if name in found:
            found[name] = _frequency(found[name], name)
    if found.get("times") is not None:
        times = _times(found["times"])
        found["times"] = [to_text(t, "ms") for t in times]
    elif "frequency" in found:
        times = train(found["frequency"], found["stimuli"])
    if "frequency" in found and times[-1] > LONGEST:
        name = "stimuli" if found.get("times") is None else "times"
        raise ValidationError(name, f"up to {to_text(times[-1], 's', 4)}", "within an hour")
    if test == "twitch":
        force.check_length(times, "stimuli" if found.get("times") is None else "times")
    if test == "rns" and len(found["times"] or range(found["stimuli"])) < 4:
        raise ValidationError("stimuli", found["stimuli"], "at least 4 for a decrement")
    if found.get("exercise") is not None:
        check_time(found["exercise"], "exercise")
        rns.exercise(found["exercise"], found["exercise_rate"])
        found["exercise"] = to_text(to_internal(found["exercise"], "ms", "exercise"), "s")
    if test == "sfemg":
        found["age"] = float(to_internal(found["age"], "", "age"))
        if str(found["reference"]) not in sfemg.LIMITS:
            hint = nearest(str(found["reference"]), sfemg.LIMITS)
            raise ValidationError(
                "reference", repr(found["reference"]), "a muscle with published limits", hint
            )
        sfemg.limits(found["age"], found["reference"])
    if "agent" in found:
        found["doses"] = [to_text(d, "uM") for d in _doses(test, found, config)]
    return found


def check_time(value: Any, field: str) -> None:
    """Refuse a time of seconds that has no unit: it would be read as milliseconds.

    Raises:
        ValidationError: For a bare number but 0.
    """
    try:
        bare = float(value)
    except (TypeError, ValueError):
        return
    if bare:
        raise ValidationError(
            field, f"{bare:g} without a unit", "a time with its unit", f"did you mean {bare:g} s?"
        )


def _frequency(value: Any, field: str) -> str:
    per_ms = to_internal(value, "Hz", field)
    if not per_ms > 0:
        raise ValidationError(field, value, "positive")
    return to_text(per_ms, "Hz")


def _times(value: Any) -> Any:
    if not isinstance(value, list):
        raise ValidationError(
            "times", repr(value), "a list", 'for example times="[0 ms, 300 ms, 600 ms, 900 ms]"'
        )
    return stimulus_times(value)


def _doses(test: str, found: Mapping[str, Any], config: Mapping[str, Any]) -> list[float]:
    """The rising doses of a titration [uM]."""
    name, given = found["agent"], found["doses"]
    treatments.check_name("drug", str(name), "agent", treatments.definitions_of(config))
    if name in (config.get("drug") or {}):
        raise ValidationError(
            f"drug.{name}", "given beside agent", "left out", "its dose is what rises: set doses"
        )
    if given == "auto":
        half = treatments.half(str(name), config)
        if half is None:
            raise ValidationError(
                "doses", "auto", f"a list for {name}", 'for example doses="[0 uM, 10 uM, 30 uM]"'
            )
        return [factor * half for factor in AUTOMATIC[test]]
    if not isinstance(given, list) or not given:
        raise ValidationError(
            "doses", repr(given), "auto or a list", 'for example doses="[0 nM, 20 nM, 40 nM]"'
        )
    doses = [concentration(value, f"doses[{i}]") for i, value in enumerate(given)]
    for i in range(1, len(doses)):
        if doses[i] <= doses[i - 1]:
            found_there = f"{given[i]} after {given[i - 1]}"
            raise ValidationError(f"doses[{i}]", found_there, "above the dose before", "sort the doses")
    return doses


def run(test: str, job: Job) -> Finding:
    """Run a test."""
    return RUNS[test](job)


def cost(test: str, settings: Mapping[str, Any]) -> int:
    """Stimuli of fibres that a test integrates: what its time goes with."""
    times = settings.get("times")
    stimuli = len(times) if times else settings.get("stimuli", 4)
    if "fibres" not in settings and "pairs" not in settings:
        return 1  # of quanta alone
    fibres = settings.get("fibres") or 2 * settings["pairs"]
    exercised = 2 if settings.get("exercise") else 1
    return fibres * stimuli * exercised * len(settings.get("doses", [0]))


def _train(s: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "frequency": s["frequency"],
        "stimuli": s["stimuli"],
        "times": s.get("times"),
        "fibres": s["fibres"],
    }


def _rns(job: Job) -> Finding:
    s, bank = job.settings, job.banks(job.junction)
    job.tell("stimulating")
    run = partial(rns.repetitive, job.junction, **_train(s), bank=bank)
    before = run(seed=job.seed)
    if s["exercise"] is None:
        return rns_finding.finding(before)
    job.tell("exercise")
    return rns_finding.finding(
        before, run(seed=job.seed, before=rns.exercise(s["exercise"], s["exercise_rate"]))
    )


def _sfemg(job: Job) -> Finding:
    s, bank = job.settings, job.banks(job.junction)
    job.tell("stimulating")
    found = sfemg.single_fibre(job.junction, s["pairs"], s["stimuli"], s["frequency"], job.seed, bank)
    return sfemg.finding(found, s["age"], s["reference"])


def _tof(job: Job) -> Finding:
    s = job.settings
    doses = [concentration(value, "doses") for value in s["doses"]]
    agent = treatments.agent(s["agent"], job.config)
    treated = [_told(job, agent, d, doses) for d in doses]
    found = tof.train_of_four(job.junction, treated, s["fibres"], job.seed, bank_of=job.banks)
    return tof.finding(found, s["agent"], doses)


def _dose_response(job: Job) -> Finding:
    s = job.settings
    doses = [concentration(value, "doses") for value in s["doses"]]
    agent = treatments.agent(s["agent"], job.config)
    found = dose.dose_response(
        job.junction,
        lambda d: _told(job, agent, d, doses),
        doses,
        s["fibres"],
        s["stimuli"],
        job.seed,
        bank_of=job.banks,
    )
    return dose.finding(found, s["agent"])


def _told(job: Job, agent: Callable[[Any], Any], d: float, doses: list[float]) -> Any:
    """A drug at a dose, which tells when it is applied."""
    change = agent(d)
    words = f"{job.settings['agent']} {tof.in_words(d)}, dose {doses.index(d) + 1} of {len(doses)}"

    def applied(junction: Junction) -> Junction:
        job.tell(words)
        return change(junction)

    return applied


def _epp(job: Job) -> Finding:
    bank = job.banks(job.junction)
    job.tell("stimulating")
    return epp.finding(
        epp.endplate_potentials(job.junction, **_train(job.settings), seed=job.seed, bank=bank)
    )


def _epc(job: Job) -> Finding:
    clamp.check_holding(job.junction)
    bank = job.banks(job.junction)
    job.tell("stimulating")
    return clamp.epc_finding(
        clamp.evoked_currents(job.junction, **_train(job.settings), seed=job.seed, bank=bank)
    )


def _mepc(job: Job) -> Finding:
    clamp.check_holding(job.junction)
    return clamp.mepc_finding(clamp.miniature_currents(job.junction, job.banks(job.junction)))


def _twitch(job: Job) -> Finding:
    bank = job.banks(job.junction)
    job.tell("stimulating")
    return force.finding(force.contractions(job.junction, **_train(job.settings), seed=job.seed, bank=bank))


RUNS: dict[str, Callable[[Job], Finding]] = {
    "rns": _rns, "sfemg": _sfemg, "tof": _tof, "dose_response": _dose_response, "epp": _epp, "twitch": _twitch,
    "epc": _epc, "mepc": _mepc,
}  # fmt: skip
