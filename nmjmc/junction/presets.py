"""Junctions by name: a preparation between the default terminal and the default fibre."""

from __future__ import annotations

from typing import Any

from nmjmc.errors import ValidationError
from nmjmc.junction.build import build_junction
from nmjmc.junction.whole import BODY, Junction
from nmjmc.synapse.presets import OF_A_JUNCTION, in_file, preparation_mapping, put


def junction(name: str = "human", **overrides: Any) -> Junction:
    """A junction by name.

    Args:
        name: One of `nmjmc.available_preparations()`, which is put between the default terminal and the default fibre
            at 37 degC; or the path of a YAML file, whole or with differences alone.
        **overrides: Parameters to set, of the synapse and of `terminal`, `muscle`, `contraction` and `spread`:
            `temperature="35 degC"` (of all parts), nested as `terminal={"zone_fraction": 0.5}`, or by path as
            `**{"receptor.density": "3000 /um^2"}`. Plain numbers are in the stated unit.

    Raises:
        ValidationError: For an unknown name or parameter, or a value that cannot be right.

    Example:
        >>> import nmjmc
        >>> human = nmjmc.junction("human", temperature="35 degC")
        >>> float(human.terminal.temperature)
        35.0
    """
    mapping = preparation_mapping(name, OF_A_JUNCTION, BODY)
    for path, value in overrides.items():
        put(mapping, path.split("."), value)
    try:
        return build_junction(mapping)
    except ValidationError as error:
        raise in_file(error, name, overrides) from error
