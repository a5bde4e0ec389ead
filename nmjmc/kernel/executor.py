"""Which program follows the patches: the event kernel (`warp`), or the pass of pure JAX (`jax`).

The event kernel does every event in its exact order (`nmjmc.kernel.event`); it needs the extra `fast`. The pass of JAX
works on all patches at once, by time steps (`nmjmc.kernel.jax_pass`), and runs wherever JAX does. `auto` takes the
first wherever it can.
"""

from __future__ import annotations

import importlib.metadata
import importlib.util
import logging
from dataclasses import fields, replace
from typing import Any

from nmjmc.errors import ValidationError, nearest
from nmjmc.kernel.numerics import EXECUTORS, OF_STEPS, OF_THE_PASS, Numerics
from nmjmc.synapse.cleft import Folded
from nmjmc.synapse.model import Synapse

log = logging.getLogger("nmjmc")


def settled(numerics: Numerics, synapse: Synapse, device: Any) -> Numerics:
    """The settings with `auto` replaced by the executor that is taken; why it is not `warp` is logged.

    Args:
        numerics: the settings.
        synapse: what is simulated.
        device: the JAX device of the run.

    Raises:
        ValidationError: If the settings ask for `warp`, and it cannot be had.
    """
    if numerics.executor not in EXECUTORS:
        hint = nearest(str(numerics.executor), EXECUTORS)
        allowed = f"one of {', '.join(EXECUTORS)}"
        raise ValidationError("numerics.executor", repr(numerics.executor), allowed, hint)
    if numerics.executor == "jax":
        return numerics
    reason = why_not_warp(numerics, synapse, device)
    if reason is None:
        return replace(numerics, executor="warp")
    if numerics.executor == "warp":
        raise ValidationError("numerics.executor", "'warp'", "'auto' or 'jax' here", f"because {reason}")
    log.info("executor jax, because %s", reason)
    return replace(numerics, executor="jax")


def why_not_warp(numerics: Numerics, synapse: Synapse, device: Any) -> str | None:
    """Why the event kernel cannot make this run, as a clause; None if it can."""
    return why_not_asked(numerics, synapse) or why_not_here(device)


def why_not_asked(numerics: Numerics, synapse: Synapse) -> str | None:
    """What of the run the event kernel cannot do, on whatever machine, as a clause; None if it can all."""
    stepped = isinstance(synapse.cleft, Folded) or numerics.transport == "stepped"
    default = Numerics()
    for field in fields(Numerics):
        if field.name not in OF_THE_PASS or (stepped and field.name in OF_STEPS):
            continue
        if getattr(numerics, field.name) != getattr(default, field.name):
            return f"numerics.{field.name} is set, and events in their exact order have no time step"
    return None


def why_not_here(device: Any) -> str | None:
    """Why this machine has no event kernel, as a clause; None if it has."""
    if not installed():
        return "NVIDIA Warp is not installed (pip install warp-lang)"
    return why_not_on(device)


def installed() -> bool:
    """Whether NVIDIA Warp is there."""
    return importlib.util.find_spec("warp") is not None and version() != ""


def version() -> str:
    """Version of NVIDIA Warp; empty where it is not installed."""
    try:
        return importlib.metadata.version("warp-lang")
    except importlib.metadata.PackageNotFoundError:
        return ""


def why_not_on(device: Any) -> str | None:
    """Why Warp cannot use a JAX device, as a clause; None if it can."""
    if device.platform == "cpu":
        return None
    if device.platform not in ("gpu", "cuda"):
        return f"NVIDIA Warp has no devices of the kind {device.platform}"
    from nmjmc.kernel.event.start import devices

    if f"cuda:{device.local_hardware_id}" not in devices():
        return f"NVIDIA Warp does not find the GPU that JAX calls {device}"
    return None
