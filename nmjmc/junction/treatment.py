"""A disease or a drug with its amount, as users hold it: it changes a junction, or what a synapse has of it."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal, overload

import equinox as eqx

from nmjmc.errors import NmjmcWarning, ValidationError
from nmjmc.junction.contraction import Contraction
from nmjmc.junction.modifier import OTHERS, Change
from nmjmc.junction.muscle import Muscle
from nmjmc.junction.terminal import Terminal
from nmjmc.junction.whole import Junction, Origin
from nmjmc.synapse.model import Synapse
from nmjmc.units import to_text


class PartWarning(NmjmcWarning):
    """A disease or a drug acts on more than the synapse to which it has been applied."""


@dataclass(frozen=True)
class Treatment:
    """A disease or a drug with its amount: `junction | treatment`, `synapse | treatment`.

    Attributes:
        kind: `pathology` or `drug`.
        name: Its name.
        amount: Severity, 0 to 1; or concentration [uM].
        change: What it does to a junction.
        exposure: Time for which a drug has acted, where that matters [ms].
        definition: What it is, for one of a user's own file.
    """

    kind: Literal["pathology", "drug"]
    name: str
    amount: float
    change: Change = field(repr=False, compare=False)
    exposure: float | None = None
    definition: Mapping[str, Any] | None = field(default=None, repr=False)

    @overload
    def __call__(self, subject: Junction) -> Junction: ...

    @overload
    def __call__(self, subject: Synapse) -> Synapse: ...

    def __call__(self, subject: Any) -> Junction | Synapse:
        """The junction or the synapse with it.

        Raises:
            ValidationError: If it cannot act there: applied twice, given beside one that excludes it, or acting on
                no part of a synapse.
        """
        if isinstance(subject, Junction):
            past = subject.origin
            now = Origin(past.healthy or subject, (*past.treatments, self))
            return replace(self.change(subject), origin=now)
        if isinstance(subject, Synapse):
            return self._of_synapse(subject)
        hint = 'for example nmjmc.junction("human")'
        raise ValidationError(
            self.name, f"applied to {subject!r:.60}", "applied to a junction or a synapse", hint
        )

    def _of_synapse(self, synapse: Synapse) -> Synapse:
        """A synapse with it; told are effects on parts that a synapse has not."""
        whole = Junction(Terminal(), synapse, Muscle(), Contraction())
        changed = self.change(whole)
        elsewhere = [
            part for part in OTHERS if not eqx.tree_equal(getattr(whole, part), getattr(changed, part))
        ]
        if not elsewhere:
            return changed.synapse
        told = " and ".join([", ".join(elsewhere[:-1]), elsewhere[-1]] if elsewhere[1:] else elsewhere)
        if _same_parameters(changed.synapse, synapse):
            hint = f"it acts on the {told}, as nmjmc.junction() and the bedside tests have them"
            raise ValidationError(
                self.name, "applied to a synapse alone", "applied to a whole junction", hint
            )
        sentence = (
            f"{self.name} also acts on the {told}, which a synapse alone has not; nmjmc.junction() has them."
        )
        warnings.warn(sentence, PartWarning, stacklevel=4)
        return changed.synapse

    @property
    def dose(self) -> str:
        """The amount in words: a severity, or a concentration with its unit."""
        return f"{self.amount:g}" if self.kind == "pathology" else to_text(self.amount, "uM")

    def __repr__(self) -> str:
        kind = "disease" if self.kind == "pathology" else "drug"
        exposure = "" if self.exposure is None else f", exposure={to_text(self.exposure, 's')!r}"
        return (
            f"{kind}({self.name!r}, {self.dose if self.kind == 'pathology' else repr(self.dose)}{exposure})"
        )

    def __str__(self) -> str:
        return f"{self.name}, {'severity ' if self.kind == 'pathology' else ''}{self.dose}"


def _same_parameters(one: Synapse, other: Synapse) -> bool:
    """Whether two synapses differ in what has been applied alone."""
    parts = ("cleft", "receptor", "esterase", "vesicle", "fibre", "ions", "temperature")
    return all(bool(eqx.tree_equal(getattr(one, part), getattr(other, part))) for part in parts)
