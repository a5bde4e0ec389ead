"""The parameters of a synapse or a junction by their paths: what there is, reading, changing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np

from nmjmc.carried import Number, internal
from nmjmc.errors import check_kind
from nmjmc.junction import parameters as junctions
from nmjmc.junction.whole import Junction
from nmjmc.synapse import modifier as synapses
from nmjmc.synapse.model import Synapse
from nmjmc.synapse.modifier import NOT_GIVEN, several
from nmjmc.synapse.parameter import as_leaf, convert

Subject = TypeVar("Subject", Synapse, Junction)


def paths(subject: Synapse | Junction) -> dict[str, str]:
    """Every parameter by its path, with its stated unit ("" for a pure number).

    Args:
        subject: A synapse; or a junction, which has those of its synapse, and `terminal.`, `muscle.`, `contraction.`
            and `spread.`.
    """
    _check(subject)
    return synapses.paths(subject) if isinstance(subject, Synapse) else junctions.paths(subject)


def get(subject: Synapse | Junction, path: str) -> Any:
    """A parameter by its path, in internal units: 1/ms for a rate whose stated unit is /s.

    It goes back by `replace(subject, path, nmjmc.internal(value))`.

    Args:
        subject: A synapse or a junction.
        path: For example `receptor.density`, or `terminal.zone_fraction` of a junction.

    Raises:
        ValidationError: If there is no such parameter.
    """
    _check(subject)
    return synapses.get(subject, path) if isinstance(subject, Synapse) else junctions.get(subject, path)


def replace(subject: Subject, changes: str | Mapping[str, Any], value: Any = NOT_GIVEN) -> Subject:
    """The same synapse or junction with one or several parameters changed, all at once.

    Args:
        subject: A synapse or a junction.
        changes: The path of one, for example `receptor.density`; or several with their values, as
            `{"receptor.density": "3000 /um^2", "terminal.zone_fraction": 0.5}`. Beside the numbers there are `name`,
            `cleft.rim`, and `receptor.scheme` and `esterase.scheme`: the rates that a new scheme has in common with
            the old one stay, and its others are given beside it. The `temperature` of a junction is that of all its
            parts.
        value: A number of any type in the stated unit (`paths` lists them), also one that JAX traces in `jit` or
            `grad`; text with a unit; or an object that carries a unit. What is in internal units, as `get` gives
            it, goes through `nmjmc.internal`: `replace(s, p, internal(2 * get(s, p)))`.

    Returns:
        A new one.

    Raises:
        ValidationError: If there is no such parameter, or a value cannot be right.

    Example:
        >>> import nmjmc
        >>> human = nmjmc.preparation("human")
        >>> other = nmjmc.replace(human, {"receptor.density": "3000 /um^2", "esterase.density": 1500})
        >>> float(nmjmc.get(other, "receptor.density"))
        3000.0
    """
    wanted = several(changes, value)
    if isinstance(subject, Synapse):
        return synapses.replace(subject, wanted)
    _check(subject)
    return junctions.replace(subject, wanted)


def _check(subject: object) -> None:
    hint = 'for example nmjmc.preparation("human")'
    check_kind(subject, (Synapse, Junction), "subject", "a Synapse or a Junction", hint)


@dataclass(frozen=True)
class Scale:
    """A parameter of a synapse or a junction multiplied by a pure number.

    Attributes:
        path: Of the parameter.
        factor: The number.
    """

    path: str
    factor: Any

    def __call__(self, subject: Subject) -> Subject:
        """The synapse or the junction with it."""
        return replace(subject, self.path, internal(get(subject, self.path) * self.factor))

    def __repr__(self) -> str:
        return f"scale({self.path!r}, {np.asarray(self.factor)})"


def scale(path: str, factor: Number) -> Scale:
    """A change that multiplies one parameter by a pure number, to be applied by `|` or `with_`."""
    return Scale(path, as_leaf(convert(factor, synapses.PURE, f"factor of {path}")))
