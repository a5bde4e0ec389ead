"""What bedside tests are asked, checked as a whole: what all share, those of trains, and those of rising doses."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, TypeAlias

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
from nmjmc.data.banks import Banks
from nmjmc.diagnostics.fibres import MOST_FIBRES
from nmjmc.diagnostics.finding import Finding
from nmjmc.diagnostics.tof import in_words
from nmjmc.errors import ValidationError
from nmjmc.junction.modifier import concentration
from nmjmc.junction.stimulus import MOST_STIMULI, stimulus_times, train
from nmjmc.junction.whole import Junction
from nmjmc.request import Held, Request, choice, flag, other, progress_field, quantity, settings, whole
from nmjmc.runtime import DEVICES
from nmjmc.seeds import SEEDS
from nmjmc.units import to_text

Times: TypeAlias = Sequence[Number] | np.ndarray | None
Doses: TypeAlias = str | Sequence[Number] | np.ndarray

MOST_QUANTA = 100_000
LONGEST = 3.6e6
"""Of a list of stimuli [ms]; a choice."""
REGULAR = "a list of times in place of a regular train"


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


@dataclass(frozen=True)
class Bedside(Request, ABC):
    """What every bedside test is asked.

    Attributes:
        TEST: The name of the test.
        EXAMPLE: A call of its command, for the help.
    """

    TEST: ClassVar[str] = ""
    EXAMPLE: ClassVar[str] = ""
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

    @abstractmethod
    def run(self, job: Job) -> Finding:
        """Run the test."""

    def cost(self) -> int:
        """Stimuli of fibres that are integrated: what the time of a test goes with; 1 for one of quanta alone."""
        return 1

    def numbers_kept(self, junction: Junction) -> int:
        """Numbers in the traces that the file will hold; 0 for a test that keeps none of the chain."""
        return 0


SHARED = tuple(settings(Bedside))
"""The settings of every test."""
TREATED = ("pathology", "drug", "definitions")
"""Those of them that change the junction."""


@dataclass(frozen=True)
class Train(Bedside):
    """A test that gives a train of stimuli to fibres."""

    frequency: Number = quantity("3 Hz", "of a regular train", unit="Hz", above=0)
    stimuli: Held[int] = whole(5, "of a regular train", 1, MOST_STIMULI)
    times: Held[list[str] | None] = other(None, REGULAR, read_times, unit="ms", optional=True)
    fibres: Held[int] = whole(30, "of the muscle; they differ (docs/junction.md)", 1, MOST_FIBRES)

    def check(self) -> None:
        """Refuse trains beyond an hour too."""
        super().check()
        check_length(self.train, "stimuli" if self.times is None else "times")

    @property
    def train(self) -> Float[np.ndarray, " k"]:
        """Time of each stimulus [k] [ms]."""
        return train(self.frequency, self.stimuli) if self.times is None else stimulus_times(self.times)

    @property
    def given(self) -> dict[str, Any]:
        """The train and its fibres, as arguments of the tests' physiology."""
        return {name: getattr(self, name) for name in ("frequency", "stimuli", "times", "fibres")}

    def cost(self) -> int:
        """Stimuli of fibres that are integrated."""
        return self.fibres * len(self.train)


def check_length(times: Float[np.ndarray, " k"], field: str) -> None:
    """Refuse a train beyond an hour; `field` names what its times were made from."""
    if times[-1] > LONGEST:
        raise ValidationError(field, f"up to {to_text(float(times[-1]), 's', 4)}", "within an hour")


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
        plain = super().plain(without)
        if plain.get("doses") == "auto":
            half = treatments.half(self.agent, super().plain())
            plain["doses"] = [to_text(factor * (half or 0.0), "uM") for factor in self.AUTOMATIC]
        return plain

    def cost(self) -> int:
        """Stimuli of fibres at all doses."""
        return self.fibres * getattr(self, "stimuli", 4) * len(self.plain()["doses"])

    def rising(self, job: Job) -> tuple[Callable[[float], Any], list[float]]:
        """The drug at each dose, which tells when it is applied; and the doses [uM]."""
        config = self.plain()
        doses = [concentration(value, "doses") for value in config["doses"]]
        agent = treatments.agent(self.agent, config)

        def treated(d: float) -> Callable[[Junction], Junction]:
            change = agent(d)
            words = f"{self.agent} {in_words(d)}, dose {doses.index(d) + 1} of {len(doses)}"

            def applied(junction: Junction) -> Junction:
                job.tell(words)
                return change(junction)

            return applied

        return treated, doses
