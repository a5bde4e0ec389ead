"""The runs of the bedside tests: from a junction, its quanta and a request to what was found."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

from nmjmc import treatments
from nmjmc.bedside import requests
from nmjmc.data.banks import Banks
from nmjmc.diagnostics import clamp, dose, epp, force, rns, rns_finding, sfemg, tof
from nmjmc.diagnostics.finding import Finding
from nmjmc.junction.modifier import concentration
from nmjmc.junction.whole import Junction


@dataclass(frozen=True)
class Job:
    """What a test is run on.

    Attributes:
        junction: With its diseases and drugs.
        seed: Of everything.
        banks: Gives the quanta.
        tell: Called with the name of each stage.
    """

    junction: Junction
    seed: int
    banks: Banks
    tell: Callable[[str], None]


def run(request: requests.Bedside, job: Job) -> Finding:
    """Run a test."""
    return RUNS[type(request)](request, job)


def _train(asked: requests.Train) -> dict[str, Any]:
    return {name: getattr(asked, name) for name in ("frequency", "stimuli", "times", "fibres")}


def _rns(asked: requests.Rns, job: Job) -> Finding:
    bank = job.banks(job.junction)
    job.tell("stimulating")
    stimulated = partial(rns.repetitive, job.junction, **_train(asked), bank=bank, seed=job.seed)
    before = stimulated()
    if asked.exercise is None:
        return rns_finding.finding(before)
    job.tell("exercise")
    after = stimulated(before=rns.exercise(asked.exercise, asked.exercise_rate))
    return rns_finding.finding(before, after)


def _sfemg(asked: requests.Sfemg, job: Job) -> Finding:
    bank = job.banks(job.junction)
    job.tell("stimulating")
    found = sfemg.single_fibre(job.junction, asked.pairs, asked.stimuli, asked.frequency, job.seed, bank)
    return sfemg.finding(found, asked.amount("age"), asked.reference)


def _tof(asked: requests.Tof, job: Job) -> Finding:
    treated, doses = _rising(asked, job)
    changes = [treated(d) for d in doses]
    found = tof.train_of_four(job.junction, changes, asked.fibres, job.seed, bank_of=job.banks)
    return tof.finding(found, asked.agent, doses)


def _dose_response(asked: requests.DoseResponse, job: Job) -> Finding:
    treated, doses = _rising(asked, job)
    found = dose.dose_response(
        job.junction, treated, doses, asked.fibres, asked.stimuli, job.seed, bank_of=job.banks
    )
    return dose.finding(found, asked.agent)


def _rising(asked: requests.Titration, job: Job) -> tuple[Callable[[float], Any], list[float]]:
    """The drug at each dose, which tells when it is applied; and the doses [uM]."""
    config = asked.plain()
    doses = [concentration(value, "doses") for value in config["doses"]]
    agent = treatments.agent(asked.agent, config)

    def treated(d: float) -> Callable[[Junction], Junction]:
        change = agent(d)
        words = f"{asked.agent} {tof.in_words(d)}, dose {doses.index(d) + 1} of {len(doses)}"

        def applied(junction: Junction) -> Junction:
            job.tell(words)
            return change(junction)

        return applied

    return treated, doses


def _epp(asked: requests.Epp, job: Job) -> Finding:
    bank = job.banks(job.junction)
    job.tell("stimulating")
    return epp.finding(epp.endplate_potentials(job.junction, **_train(asked), seed=job.seed, bank=bank))


def _epc(asked: requests.Epc, job: Job) -> Finding:
    clamp.check_holding(job.junction)
    bank = job.banks(job.junction)
    job.tell("stimulating")
    return clamp.epc_finding(clamp.evoked_currents(job.junction, **_train(asked), seed=job.seed, bank=bank))


def _mepc(asked: requests.Mepc, job: Job) -> Finding:
    clamp.check_holding(job.junction)
    return clamp.mepc_finding(clamp.miniature_currents(job.junction, job.banks(job.junction)))


def _twitch(asked: requests.Twitch, job: Job) -> Finding:
    bank = job.banks(job.junction)
    job.tell("stimulating")
    return force.finding(force.contractions(job.junction, **_train(asked), seed=job.seed, bank=bank))


RUNS: dict[type[requests.Bedside], Callable[[Any, Job], Finding]] = {
    requests.Rns: _rns, requests.Sfemg: _sfemg, requests.Tof: _tof, requests.DoseResponse: _dose_response,
    requests.Epp: _epp, requests.Epc: _epc, requests.Mepc: _mepc, requests.Twitch: _twitch,
}  # fmt: skip
