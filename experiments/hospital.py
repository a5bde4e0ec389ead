"""What the experiments on the whole junction share: patients, their quanta, and rows as estimates."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from experiments.common import Estimate, Report
from nmjmc.data.banks import Banks
from nmjmc.diagnostics import rns, rns_finding, sfemg
from nmjmc.diagnostics.fibres import fibres_of, stimulate
from nmjmc.diagnostics.finding import Finding, Row
from nmjmc.diagnostics.intervals import of_mean, of_share, of_statistic
from nmjmc.junction.pools import run_train
from nmjmc.junction.whole import BODY, Junction, human
from nmjmc.pathology import disease
from nmjmc.pharmacology import drug
from nmjmc.runtime import use_cache
from nmjmc.synapse.modifier import compose

SEED = 0
TUNED = "the healthy junction was tuned to be healthy (docs/junction.md)"


def patient(
    pathology: Mapping[str, float] | None = None,
    drugs: Mapping[str, Any] | None = None,
    temperature: float = BODY,
) -> Junction:
    """A human junction with diseases and drugs."""
    changes = [disease(name, value) for name, value in (pathology or {}).items()]
    changes += [drug(name, dose) for name, dose in (drugs or {}).items()]
    return compose(*changes)(human(temperature))


def banks(report: Report) -> Banks:
    """Quanta of any junction, kept between runs; of the size that the report's kind of run takes."""
    use_cache()
    return Banks(2 if report.fast else 24, SEED)


def fibres(report: Report, full: int = 100) -> int:
    """How many fibres."""
    return 4 if report.fast else full


def estimate(row: Row) -> Estimate:
    """A row of a finding as an estimate."""
    return Estimate(row.value, row.low, row.high)


def trained(
    report: Report,
    given: Banks,
    junction: Junction,
    frequency: float = 3.0,
    stimuli: int = 6,
    full: int = 100,
) -> Finding:
    """Repetitive stimulation."""
    found = rns.repetitive(junction, frequency, stimuli, fibres(report, full), SEED, given(junction))
    return rns_finding.finding(found)


def answering(report: Report, given: Banks, junction: Junction) -> np.ndarray:
    """Whether each fibre answers a single stimulus [v]."""
    muscle = fibres_of(junction, fibres(report), SEED)
    return stimulate(junction, np.zeros(1), muscle, SEED, given(junction)).response.spikes[:, 0] > 0


def share(flags: np.ndarray) -> Estimate:
    """Share of fibres with a property [%]."""
    return estimate(of_share("", flags, f"{len(flags)} fibres"))


def jitter(report: Report, given: Banks, junction: Junction) -> Finding:
    """Single-fibre EMG."""
    pairs, stimuli = (2, 10) if report.fast else (30, 40)
    return sfemg.finding(sfemg.single_fibre(junction, pairs, stimuli, 10.0, SEED, given(junction)))


def content(report: Report, junction: Junction, times: Any = (0.0,)) -> np.ndarray:
    """Quantal content of a muscle's terminals at stimuli [v k]."""
    muscle = fibres_of(junction, fibres(report), SEED)
    return run_train(muscle.terminals, np.asarray(times, float), SEED).quanta


def ratio(numerator: np.ndarray, denominator: np.ndarray) -> Estimate:
    """Ratio of two means over the same fibres, by the bootstrap over them."""
    both = np.stack([numerator, denominator], axis=1).astype(float)

    def quotient(samples: np.ndarray, weights: np.ndarray) -> np.ndarray:
        mean = weights @ samples
        return np.where(mean[:, 1] > 0, mean[:, 0] / np.where(mean[:, 1] > 0, mean[:, 1], 1.0), np.nan)

    return estimate(of_statistic("ratio", "", both, quotient, f"{len(both)} fibres"))


def mean(values: np.ndarray) -> Estimate:
    """Mean over fibres."""
    return estimate(of_mean("mean", "", values, f"{len(values)} fibres"))
