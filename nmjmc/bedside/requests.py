"""What each bedside test is asked: one request a test, checked as a whole; help, configs and hashes follow from it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from jaxtyping import Float

from nmjmc import treatments
from nmjmc.bedside.fields import (
    read_doses,
    read_drugs,
    read_mapping,
    read_severities,
    read_times,
    seconds,
)
from nmjmc.carried import Number
from nmjmc.diagnostics import force, sfemg
from nmjmc.diagnostics.fibres import MOST_FIBRES
from nmjmc.errors import ValidationError
from nmjmc.junction.stimulus import MOST_STIMULI, stimulus_times, train
from nmjmc.request import Held, Request, choice, flag, other, progress_field, quantity, settings, whole
from nmjmc.runtime import DEVICES
from nmjmc.seeds import SEEDS
from nmjmc.units import to_text

MOST_QUANTA = 100_000
LONGEST = 3.6e6
"""Of a list of stimuli [ms]; a choice."""
_REGULAR = "a list of times in place of a regular train"


@dataclass(frozen=True)
class Bedside(Request):
    """What every bedside test is asked."""

    TEST: ClassVar[str] = ""
    pathology: Held[dict[str, float]] = other(
        {}, "diseases and their severities, 0 (none) to 1: myasthenia_gravis:0.6+ageing:0.5", read_severities
    )
    drug: Held[dict[str, str]] = other(
        {}, 'drugs and their concentrations: pyridostigmine:"1 uM"+diaminopyridine:"2 uM"', read_drugs
    )
    definitions: Held[dict[str, Any]] = other(
        {}, "your own diseases and drugs; pathology=FILE.yaml:0.5 puts them here", read_mapping
    )
    exposure: Number = seconds(
        "60 s", "time for which an organophosphate or succinylcholine has acted", "0 s", "720 h"
    )
    quanta: Held[int] = whole(
        32, "single quanta simulated for this synapse; kept and used again", 2, MOST_QUANTA
    )
    seed: Held[int | None] = whole(0, "null draws one and records it", 0, SEEDS - 1, optional=True)
    device: Held[str] = choice("auto", "auto, cpu or gpu; a missing GPU is refused", DEVICES, idle=True)
    cache: Held[bool] = flag(
        True, "keep compiled programs and quanta between runs (NMJMC_CACHE_DIR says where)", idle=True
    )
    progress: Held[bool | str] = progress_field()

    def check(self) -> None:
        """Refuse diseases and drugs that there are not."""
        treatments.treatments_of(self.plain())

    def cost(self) -> int:
        """Stimuli of fibres that are integrated: what the time of a test goes with; 1 for one of quanta alone."""
        return 1


SHARED = tuple(settings(Bedside))
"""The settings of every test."""


@dataclass(frozen=True)
class Train(Bedside):
    """A test that gives a train of stimuli to fibres."""

    frequency: Number = quantity("3 Hz", "of a regular train", unit="Hz", above=0)
    stimuli: Held[int] = whole(5, "of a regular train", 1, MOST_STIMULI)
    times: Held[list[str] | None] = other(None, _REGULAR, read_times, unit="ms", optional=True)
    fibres: Held[int] = whole(30, "of the muscle; they differ (docs/junction.md)", 1, MOST_FIBRES)

    def check(self) -> None:
        """Refuse trains beyond an hour too."""
        super().check()
        _check_length(self.train, "stimuli" if self.times is None else "times")

    @property
    def train(self) -> Float[np.ndarray, " k"]:
        """Time of each stimulus [k] [ms]."""
        return train(self.frequency, self.stimuli) if self.times is None else stimulus_times(self.times)

    def cost(self) -> int:
        """Stimuli of fibres that are integrated."""
        return self.fibres * len(self.train)


def _check_length(times: Float[np.ndarray, " k"], field: str) -> None:
    if times[-1] > LONGEST:
        raise ValidationError(field, f"up to {to_text(float(times[-1]), 's', 4)}", "within an hour")


@dataclass(frozen=True)
class Rns(Train):
    """Repetitive nerve stimulation: compound action potentials, decrement and increment."""

    TEST: ClassVar[str] = "rns"
    frequency: Number = quantity(
        "3 Hz", "the decrement is judged at 2 to 5 Hz, the increment at 20 to 50 Hz", unit="Hz", above=0
    )
    stimuli: Held[int] = whole(10, "at least 4", 1, MOST_STIMULI)
    times: Held[list[str] | None] = other(
        None, f'{_REGULAR}: times="[0 ms, 300 ms, 600 ms, 1 s]"', read_times, unit="ms", optional=True
    )
    fibres: Held[int] = whole(200, "of the muscle; they differ (docs/junction.md)", 1, MOST_FIBRES)
    exercise: Number | None = seconds(
        None, "for example 10 s: the same train again after a contraction", "0 s", "60 s", optional=True
    )
    exercise_rate: Number = quantity(
        "30 Hz", "firing of the motor neurone in the contraction [D]", unit="Hz", above=0
    )

    def check(self) -> None:
        """Refuse trains without a fourth response too."""
        super().check()
        if len(self.train) < 4:
            raise ValidationError("stimuli", len(self.train), "at least 4 for a decrement")

    def cost(self) -> int:
        """Stimuli of fibres, twice with exercise."""
        return (1 if self.exercise is None else 2) * super().cost()


@dataclass(frozen=True)
class Sfemg(Bedside):
    """Single-fibre EMG: jitter and blocking of pairs of fibres."""

    TEST: ClassVar[str] = "sfemg"
    pairs: Held[int] = whole(20, "of fibres of one motor unit", 1, MOST_FIBRES // 2)
    stimuli: Held[int] = whole(50, "at least 10", 10, MOST_STIMULI)
    frequency: Number = quantity("10 Hz", "of the train", unit="Hz", above=0)
    age: Number = quantity(40, "of the patient whose limits are taken, years")
    reference: Held[str] = choice("extensor_digitorum", "muscle whose limits are taken", tuple(sfemg.LIMITS))

    def check(self) -> None:
        """Refuse ages without published limits and trains beyond an hour too."""
        super().check()
        sfemg.limits(self.amount("age"), self.reference)
        _check_length(train(self.frequency, self.stimuli), "stimuli")

    def cost(self) -> int:
        """Stimuli of fibres."""
        return 2 * self.pairs * self.stimuli


@dataclass(frozen=True)
class Titration(Bedside):
    """A test under rising doses of one drug."""

    AUTOMATIC: ClassVar[tuple[float, ...]] = ()
    agent: Held[str] = other("rocuronium", "the drug whose dose rises", lambda value, _: str(value))
    doses: Held[str | list[str]] = other(
        "auto",
        'a rising list: doses="[0 nM, 20 nM, 40 nM]"; auto takes multiples of its constant',
        read_doses,
        unit="uM",
    )
    fibres: Held[int] = whole(100, "of the muscle; they differ (docs/junction.md)", 1, MOST_FIBRES)

    def check(self) -> None:
        """Refuse drugs that there are not, that are given beside, or that have no doses of their own."""
        super().check()
        treatments.check_name("drug", self.agent, "agent", self.definitions)
        if self.agent in self.drug:
            hint = "its dose is what rises: set doses"
            raise ValidationError(f"drug.{self.agent}", "given beside agent", "left out", hint)
        if self.doses == "auto" and treatments.half(self.agent, super().plain()) is None:
            hint = 'for example doses="[0 uM, 10 uM, 30 uM]"'
            raise ValidationError("doses", "auto", f"a list for {self.agent}", hint)

    def plain(self, without: Any = ()) -> dict[str, Any]:
        """The settings as plain values, with the doses that `auto` stands for."""
        found = super().plain(without)
        if found.get("doses") == "auto":
            half = treatments.half(self.agent, super().plain())
            found["doses"] = [to_text(factor * (half or 0.0), "uM") for factor in self.AUTOMATIC]
        return found

    def cost(self) -> int:
        """Stimuli of fibres at all doses."""
        return self.fibres * getattr(self, "stimuli", 4) * len(self.plain()["doses"])


@dataclass(frozen=True)
class Tof(Titration):
    """Train of four at 2 Hz under rising doses of one drug."""

    TEST: ClassVar[str] = "tof"
    AUTOMATIC: ClassVar[tuple[float, ...]] = (0.0, 0.25, 0.5, 1.0, 1.5, 2.0, 3.0)  # of the constant; a choice


@dataclass(frozen=True)
class DoseResponse(Titration):
    """Single stimuli at 0.1 Hz under rising doses of one drug, with what it occupies."""

    TEST: ClassVar[str] = "dose_response"
    AUTOMATIC: ClassVar[tuple[float, ...]] = (0.0, 0.25, 0.5, 0.75, 1.0, 1.5, 2.0, 3.0, 5.0)  # a choice
    stimuli: Held[int] = whole(3, "at each dose", 1, MOST_STIMULI)


@dataclass(frozen=True)
class Epp(Train):
    """Endplate potentials with the sodium channels blocked, threshold and safety factor."""

    TEST: ClassVar[str] = "epp"


@dataclass(frozen=True)
class Epc(Train):
    """Evoked endplate currents under voltage clamp, and what sodium, potassium and calcium carry of them."""

    TEST: ClassVar[str] = "epc"
    fibres: Held[int] = whole(
        30, 'fibre.holding_potential="-40 mV" clamps them elsewhere than at -80 mV', 1, MOST_FIBRES
    )


@dataclass(frozen=True)
class Mepc(Bedside):
    """Miniature endplate currents under voltage clamp, and what sodium, potassium and calcium carry of them."""

    TEST: ClassVar[str] = "mepc"


@dataclass(frozen=True)
class Twitch(Train):
    """Force of one twitch and of a train."""

    TEST: ClassVar[str] = "twitch"
    frequency: Number = quantity("50 Hz", "of a regular train", unit="Hz", above=0)
    stimuli: Held[int] = whole(25, "of a regular train", 1, MOST_STIMULI)
    times: Held[list[str] | None] = other(
        None, f"{_REGULAR}, at most 5 s long", read_times, unit="ms", optional=True
    )
    fibres: Held[int] = whole(20, "of the muscle; they differ (docs/junction.md)", 1, MOST_FIBRES)

    def check(self) -> None:
        """Refuse trains that are too long for a force too."""
        super().check()
        force.check_length(self.train, "stimuli" if self.times is None else "times")


KINDS: dict[str, type[Bedside]] = {
    kind.TEST: kind for kind in (Rns, Sfemg, Tof, DoseResponse, Epp, Epc, Mepc, Twitch)
}
"""The request of each test by its name."""
