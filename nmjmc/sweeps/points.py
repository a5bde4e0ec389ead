"""The points of a sweep: from the definition in `sweep.json` to what is simulated at each of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from nmjmc import written
from nmjmc.errors import ValidationError
from nmjmc.kernel.executor import why_not_asked
from nmjmc.kernel.host.checks import check_numerics
from nmjmc.simulation.config import Simulation
from nmjmc.simulation.many import Point

SCHEMES = ("receptor.scheme", "esterase.scheme")
"""Keys whose values may be files of a user's own; the definition holds what the files held."""
PREPARATION = "preparation"
"""The key whose values name the base of a point, and are no parameter."""


def build_point(definition: Mapping[str, Any], values: Mapping[str, str], seed: int | None) -> Point:
    """What is simulated at one point.

    Args:
        definition: Of the sweep.
        values: Of the point, by key.
        seed: Of the point; None where it is one of the values.

    Raises:
        ValidationError: If the values cannot be right.
    """
    asked = Simulation.of(point_config(definition, values, seed))
    run = asked.request.run_of(asked.synapse)
    numerics = run.numerics
    check_numerics(numerics)  # before any point is run, as the synapse's numbers are
    if numerics.executor == "auto" and "executor" in definition:
        # settled when the sweep was planned, so that workers on unlike machines do not mix executors
        able = definition["executor"] == "warp" and why_not_asked(numerics, run.synapse) is None
        numerics = replace(numerics, executor="warp" if able else "jax")
    return Point(
        synapse=run.synapse,
        vesicles=run.vesicles,
        seed=run.seed,
        duration=run.duration,
        record_interval=run.record_interval,
        numerics=numerics,
    )


def point_config(
    definition: Mapping[str, Any], values: Mapping[str, str], seed: int | None
) -> dict[str, Any]:
    """The whole config of one point, plain."""
    bases = definition["request"]["bases"]
    whole = {**bases[values.get(PREPARATION, "")], **definition["how"]}
    schemes = definition["request"].get("schemes", {})
    for key, value in values.items():
        if key != PREPARATION:
            is_scheme = key in SCHEMES and value in schemes
            _put(whole, key.split("."), schemes[value] if is_scheme else value_of(value), key)
    if seed is not None:
        whole["seed"] = seed
    return whole


def _put(mapping: dict[str, Any], keys: Sequence[str], value: Any, path: str) -> None:
    """Set a value in a mapping of our own; the mappings below it belong to every point and are copied on the way."""
    head, *rest = keys
    if not rest:
        mapping[head] = value
        return
    below = mapping.get(head, {})
    if not isinstance(below, dict):
        raise ValidationError(path, "given", f"a parameter ({head} has none below it)")
    mapping[head] = dict(below)
    _put(mapping[head], rest, value, path)


def value_of(text: str) -> Any:
    """A value as it is read in words: a number, a list, null, or text with its unit."""
    try:
        return written.value("a value", text)
    except ValidationError:
        return text
