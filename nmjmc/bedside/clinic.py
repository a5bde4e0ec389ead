"""What a clinician measures, as functions: `nmjmc.rns(...)` and its like do what the commands do, to the same bits.

Arguments with a unit in brackets are numbers in that unit, texts with a unit or objects that carry one.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TypeAlias

import numpy as np

from nmjmc.bedside import requests
from nmjmc.bedside.examine import examined
from nmjmc.carried import Number
from nmjmc.data.examination import Examination
from nmjmc.junction.whole import Junction

Times: TypeAlias = Sequence[Number] | np.ndarray | None
Doses: TypeAlias = str | Sequence[Number] | np.ndarray


def rns(
    junction: Junction,
    frequency: Number = "3 Hz",
    stimuli: Number = 10,
    fibres: Number = 200,
    *,
    times: Times = None,
    exercise: Number | None = None,
    exercise_rate: Number = "30 Hz",
    pathology: Mapping[str, Number] | None = None,
    drug: Mapping[str, Number] | None = None,
    exposure: Number = "60 s",
    quanta: Number = 32,
    seed: Number | None = 0,
    device: str = "auto",
    cache: bool = True,
    progress: bool | str = "auto",
) -> Examination:
    """Repetitive nerve stimulation: compound action potentials, decrement and increment.

    Args:
        junction: Whose muscle is examined, for example `nmjmc.junction("human") | nmjmc.disease("ageing", 0.5)`.
        frequency: Of a regular train [Hz]. The decrement is judged at 2 to 5 Hz, the increment at 20 to 50 Hz.
        stimuli: Of a regular train, at least 4.
        fibres: Fibres of the muscle, which differ, 1 to 100,000.
        times: A list of stimuli [ms] in place of a regular train, which rises by at least 1 ms.
        exercise: Length of a contraction, text with its unit, at most 60 s; the same train again 2 s after it.
        exercise_rate: Firing of the motor neurone in the contraction [Hz].
        pathology: Further diseases by name, with their severities from 0 to 1, `{"myasthenia_gravis": 0.6}`.
        drug: Further drugs by name, with their concentrations [uM], `{"pyridostigmine": "0.2 uM"}`.
        exposure: Time for which an organophosphate or succinylcholine of `drug` has acted; text with its unit.
        quanta: Single quanta of the bank from which all currents are drawn, 2 to 100,000; kept and used again.
        seed: Seed of all randomness, 0 to 2^63 - 1; None draws one, which the result records.
        device: `auto`, `cpu` or `gpu`; a missing GPU is refused.
        cache: Whether quanta and compiled programs are kept between runs.
        progress: Whether the stage is told: True, False, or `auto` for a terminal and a notebook.

    Returns:
        Numbers with 95 % intervals, arrays with units and one sentence of what they mean; printed, drawn
        (`plot`), kept (`save`) and summed up (`summary`, `to_xarray`) as results of `simulate` are.

    Raises:
        ValidationError: If an argument cannot be right; nothing is computed then.

    Example:
        >>> import nmjmc
        >>> patient = nmjmc.junction("human") | nmjmc.disease("myasthenia_gravis", 0.6)
        >>> print(nmjmc.rns(patient, "3 Hz", fibres=50))  # doctest: +SKIP
    """
    return examined(requests.Rns, locals())


def sfemg(
    junction: Junction,
    pairs: Number = 20,
    stimuli: Number = 50,
    frequency: Number = "10 Hz",
    *,
    age: Number = 40,
    reference: str = "extensor_digitorum",
    pathology: Mapping[str, Number] | None = None,
    drug: Mapping[str, Number] | None = None,
    exposure: Number = "60 s",
    quanta: Number = 32,
    seed: Number | None = 0,
    device: str = "auto",
    cache: bool = True,
    progress: bool | str = "auto",
) -> Examination:
    """Single-fibre EMG: jitter and blocking of pairs of fibres.

    Args:
        junction: Whose muscle is examined, for example `nmjmc.junction("human") | nmjmc.disease("ageing", 0.5)`.
        pairs: Of fibres of one motor unit, 1 to 50,000.
        stimuli: Of the train, at least 10.
        frequency: Of the train [Hz].
        age: Of the patient whose limits are taken [years].
        reference: Muscle whose limits are taken: `extensor_digitorum`, `frontalis` or `orbicularis_oculi`.
        pathology: Further diseases by name, with their severities from 0 to 1, `{"myasthenia_gravis": 0.6}`.
        drug: Further drugs by name, with their concentrations [uM], `{"pyridostigmine": "0.2 uM"}`.
        exposure: Time for which an organophosphate or succinylcholine of `drug` has acted; text with its unit.
        quanta: Single quanta of the bank from which all currents are drawn, 2 to 100,000; kept and used again.
        seed: Seed of all randomness, 0 to 2^63 - 1; None draws one, which the result records.
        device: `auto`, `cpu` or `gpu`; a missing GPU is refused.
        cache: Whether quanta and compiled programs are kept between runs.
        progress: Whether the stage is told: True, False, or `auto` for a terminal and a notebook.

    Returns:
        Numbers with 95 % intervals, arrays with units and one sentence of what they mean; printed, drawn
        (`plot`), kept (`save`) and summed up (`summary`, `to_xarray`) as results of `simulate` are.

    Raises:
        ValidationError: If an argument cannot be right; nothing is computed then.
    """
    return examined(requests.Sfemg, locals())


def tof(
    junction: Junction,
    agent: str = "rocuronium",
    doses: Doses = "auto",
    fibres: Number = 100,
    *,
    pathology: Mapping[str, Number] | None = None,
    drug: Mapping[str, Number] | None = None,
    exposure: Number = "60 s",
    quanta: Number = 32,
    seed: Number | None = 0,
    device: str = "auto",
    cache: bool = True,
    progress: bool | str = "auto",
) -> Examination:
    """Train of four at 2 Hz under rising doses of one drug.

    Args:
        junction: Whose muscle is examined, for example `nmjmc.junction("human") | nmjmc.disease("ageing", 0.5)`.
        agent: The drug whose dose rises.
        doses: A rising list [uM]; `auto` takes multiples of the drug's constant.
        fibres: Fibres of the muscle, which differ, 1 to 100,000.
        pathology: Further diseases by name, with their severities from 0 to 1, `{"myasthenia_gravis": 0.6}`.
        drug: Further drugs by name, with their concentrations [uM], `{"pyridostigmine": "0.2 uM"}`.
        exposure: Time for which an organophosphate or succinylcholine of `drug` has acted; text with its unit.
        quanta: Single quanta of the bank from which all currents are drawn, 2 to 100,000; kept and used again.
        seed: Seed of all randomness, 0 to 2^63 - 1; None draws one, which the result records.
        device: `auto`, `cpu` or `gpu`; a missing GPU is refused.
        cache: Whether quanta and compiled programs are kept between runs.
        progress: Whether the stage is told: True, False, or `auto` for a terminal and a notebook.

    Returns:
        Numbers with 95 % intervals, arrays with units and one sentence of what they mean; printed, drawn
        (`plot`), kept (`save`) and summed up (`summary`, `to_xarray`) as results of `simulate` are.

    Raises:
        ValidationError: If an argument cannot be right; nothing is computed then.
    """
    return examined(requests.Tof, locals())


def dose_response(
    junction: Junction,
    agent: str = "rocuronium",
    doses: Doses = "auto",
    fibres: Number = 100,
    stimuli: Number = 3,
    *,
    pathology: Mapping[str, Number] | None = None,
    drug: Mapping[str, Number] | None = None,
    exposure: Number = "60 s",
    quanta: Number = 32,
    seed: Number | None = 0,
    device: str = "auto",
    cache: bool = True,
    progress: bool | str = "auto",
) -> Examination:
    """Single stimuli at 0.1 Hz under rising doses of one drug, with what it occupies.

    Args:
        junction: Whose muscle is examined, for example `nmjmc.junction("human") | nmjmc.disease("ageing", 0.5)`.
        agent: The drug whose dose rises.
        doses: A rising list [uM]; `auto` takes multiples of the drug's constant.
        fibres: Fibres of the muscle, which differ, 1 to 100,000.
        stimuli: At each dose.
        pathology: Further diseases by name, with their severities from 0 to 1, `{"myasthenia_gravis": 0.6}`.
        drug: Further drugs by name, with their concentrations [uM], `{"pyridostigmine": "0.2 uM"}`.
        exposure: Time for which an organophosphate or succinylcholine of `drug` has acted; text with its unit.
        quanta: Single quanta of the bank from which all currents are drawn, 2 to 100,000; kept and used again.
        seed: Seed of all randomness, 0 to 2^63 - 1; None draws one, which the result records.
        device: `auto`, `cpu` or `gpu`; a missing GPU is refused.
        cache: Whether quanta and compiled programs are kept between runs.
        progress: Whether the stage is told: True, False, or `auto` for a terminal and a notebook.

    Returns:
        Numbers with 95 % intervals, arrays with units and one sentence of what they mean; printed, drawn
        (`plot`), kept (`save`) and summed up (`summary`, `to_xarray`) as results of `simulate` are.

    Raises:
        ValidationError: If an argument cannot be right; nothing is computed then.
    """
    return examined(requests.DoseResponse, locals())
