"""What a run's settings must be, each refusal in one sentence; nothing is compiled before."""

from __future__ import annotations

import math

import numpy as np

from nmjmc.errors import ValidationError, nearest
from nmjmc.kernel.numerics import LONGEST_STEP, TIMES, TRANSPORTS, Numerics
from nmjmc.synapse.model import Synapse

MOST_SITES = 2**30
"""Sites of a batch: they and the random streams have 31-bit numbers."""

_MOST_CHUNK = 4096  # intervals; the host looks at the state between chunks (a choice)
_LONGEST_RUN = 2000.0  # [ms], where the times of events, float32, are 0.12 us apart (a choice)


def check_times(synapse: Synapse, numerics: Numerics, duration: float) -> None:
    """Refuse a run that is too long, and what would happen after its end.

    Raises:
        ValidationError: Naming the setting.
    """
    if duration > _LONGEST_RUN:
        hint = "times are float32, so that events of one run cannot lie further apart; run the parts apart"
        raise ValidationError("duration", f"{duration:g} ms", f"at most {_LONGEST_RUN:g} ms", hint)
    last = float(np.max(np.asarray(synapse.vesicle.times, np.float64)))
    if last >= duration:
        allowed = f"before the run ends, at {duration:g} ms"
        raise ValidationError("vesicle.times", f"{last:g} ms", allowed, "make the duration longer")
    view = numerics.view_interval
    if numerics.executor != "warp":
        for name in ("view_patch", "view_molecules", "view_onset_interval"):
            if getattr(numerics, name) is not None:
                hint = "the pass of JAX keeps places of the first vesicle's free molecules alone"
                raise ValidationError(
                    f"numerics.{name}", getattr(numerics, name), "given with executor warp", hint
                )
    if view is not None and view > duration:
        raise ValidationError(
            "numerics.view_interval", f"{view:g} ms", f"at most the duration ({duration:g} ms)"
        )


def check_numerics(numerics: Numerics) -> None:
    """Refuse settings that cannot be right.

    Raises:
        ValidationError: Naming the setting.
    """
    if numerics.transport not in TRANSPORTS:
        hint = nearest(str(numerics.transport), TRANSPORTS)
        raise ValidationError(
            "numerics.transport", repr(numerics.transport), f"one of {', '.join(TRANSPORTS)}", hint
        )
    for name in (*TIMES, "step_scale"):
        value = getattr(numerics, name)
        if value is not None and not 0 < value < math.inf:
            raise ValidationError(f"numerics.{name}", value, "positive")
    if numerics.shortest_step > (longest := numerics.longest_step or LONGEST_STEP):
        value, allowed = f"{numerics.shortest_step * 1e3:.3g} us", f"at most {longest * 1e3:.3g} us"
        hint = "the longest step; for longer steps set numerics.longest_step too"
        if numerics.shortest_step != Numerics.shortest_step:
            raise ValidationError("numerics.shortest_step", value, allowed, hint)
    for name, least, most in (("batch", 0, MOST_SITES), ("chunk", 1, _MOST_CHUNK)):
        value = getattr(numerics, name)
        if not least <= value <= most:
            raise ValidationError(f"numerics.{name}", value, f"a whole number from {least} to {most}")
