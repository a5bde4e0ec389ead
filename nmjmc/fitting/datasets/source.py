"""A data set that has been read: what was done to the synapse, how long must be simulated, and how its term is made."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from nmjmc.errors import ValidationError
from nmjmc.fitting.datasets.options import Options, flattened
from nmjmc.fitting.quanta import Condition
from nmjmc.fitting.terms import Term
from nmjmc.synapse import get, replace
from nmjmc.synapse.model import Synapse


@dataclass(frozen=True)
class Source:
    """A data set before its term is made.

    Attributes:
        changes: Parameters that differ from the synapse's, as pairs (path, value).
        needed: Time that must be simulated [ms].
        make: The term of a condition.
        note: What was read, in words.
        remarks: What a reader of the fit must know of these data, in sentences.
    """

    changes: tuple[tuple[str, Any], ...]
    needed: float
    make: Callable[[Condition], Term]
    note: str
    remarks: tuple[str, ...] = field(default=())


def changes_of(
    options: Options, synapse: Synapse, holding: float = float("nan"), temperature: float = float("nan")
) -> tuple[tuple[str, Any], ...]:
    """What was done to the synapse in a data set: its condition, its potential and its temperature.

    Args:
        options: Of the data set.
        synapse: Before the fit.
        holding: Potential that the file itself says [mV]; NaN for none.
        temperature: Likewise [degC].

    Raises:
        ValidationError: For an unknown parameter, or a value that cannot be right.
    """
    flat_options = flattened(options.mapping("condition"))
    known = {
        "fibre.holding_potential": options.number("holding_potential", holding),
        "temperature": options.number("temperature", temperature),
    }
    for path, value in known.items():
        if path in flat_options or not np.isfinite(value) or abs(value - float(get(synapse, path))) < 1e-9:
            continue
        flat_options[path] = value
    for path, value in flat_options.items():
        try:
            replace(synapse, path, value)
        except ValidationError as error:
            field = f"{options.field('condition')}: {error.field}"
            raise ValidationError(field, error.value, error.allowed, error.hint) from error
    return tuple(sorted(flat_options.items()))


def driving_force(options: Options, synapse: Synapse, changes: tuple[tuple[str, Any], ...]) -> float:
    """Holding minus reversal potential under the changes [mV].

    Raises:
        ValidationError: If the current would not be inward.
    """
    changed = Condition(changes).of(synapse).effective()
    found = float(changed.fibre.holding_potential) - float(changed.receptor.reversal_potential)
    if not found < 0:
        hint = "fits take inward currents; give the potential of the recording as holding_potential"
        raise ValidationError(
            options.field("holding_potential"), f"{found:+g} mV from the reversal potential", "below it", hint
        )
    return found
